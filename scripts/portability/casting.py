"""Decides which parts a tape has: each module, on which source, and for those that ask for a model, who answers.

Invariant: nothing but the repository is needed; real weights and recordings beside it are used where they are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from camera_edge.address import safe_address
from camera_edge.errors import UsageError
from camera_edge.inference import Catalogue, Model, OutputShape, Registry, Session, model_params
from camera_edge.observation import Box
from camera_edge.sandbox import ModuleFile, load_module, shipped, shipped_names
from camera_edge.sandbox.module import MANIFEST_NAME, shipped_folder
from scripts.portability.figments import Figments
from scripts.portability.record import Look, Part

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
# as many a second as are analysed
SYNTHETIC_FPS = 5
SYNTHETIC = f"synthetic:?pace=0&fps={SYNTHETIC_FPS}&seconds={{seconds}}"
SEED = 7
ANY_MODEL = "onnx:*"


@dataclass(frozen=True, slots=True)
class Detector:
    """A model that is known, where its weights may lie, and a recording in which it has something to see."""

    name: str
    weights: str
    recording: str


# one for each decoder of `objects`
DETECTORS = (
    Detector("yolox_nano", "yolox_nano/yolox_nano.onnx", "intel_sample_videos/one-by-one-person-detection.mp4"),
    Detector("fastestdet", "fastestdet/FastestDet.onnx", "intel_sample_videos/car-detection.mp4"),
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be recorded. modules: none are all that are shipped. source: None is the synthetic camera.

    made_up: answers of models are made up even where there are weights.
    """

    modules: Sequence[Path] = ()
    source: str | None = None
    frames: int = 300
    made_up: bool = False


# what learns for half an hour would say nothing within a tape
HASTE: dict[str, dict[str, str | float]] = {"normality": {"learn_s": 1.0, "occasion_s": 1.0}}


def cast(wishes: Wishes, registry: Registry) -> Iterator[Part]:
    """Weights that are there are added to `registry`. Raises ModuleError, ModelError, UsageError."""
    named = [(load_module(path), path.with_name(MANIFEST_NAME)) for path in wishes.modules]
    ours = [(shipped(name), shipped_folder() / name / MANIFEST_NAME) for name in shipped_names()]
    if not (named or ours):
        raise UsageError("no module is shipped", hint="build the package: scripts/setup run")
    for module, manifest in named or ours:
        yield from _parts(module, manifest.read_bytes(), wishes, registry)


def _parts(module: ModuleFile, manifest: bytes, wishes: Wishes, registry: Registry) -> Iterator[Part]:
    name = module.manifest.name
    if module.manifest.is_rule:
        raise UsageError("a rule module sees no frames, and is not taped", where=name, hint="name a pixel analyzer")
    source = wishes.source or SYNTHETIC.format(seconds=-(-wishes.frames // SYNTHETIC_FPS))
    shown = safe_address(source)
    if ANY_MODEL not in module.manifest.capabilities:
        yield Part(name, module, manifest, source, shown, HASTE.get(name, {}))
        return
    for detector in DETECTORS:
        weights, recording = DATA / "models" / detector.weights, DATA / "video" / detector.recording
        if weights.is_file() and not wishes.made_up:
            model = registry.add(weights, detector.name)
            look, answers = _look_through(Session(model)), f"answers of {detector.name}"
        else:
            model, look = _made_up(detector.name)
            answers = f"made-up answers in the shape of {detector.name}"
        if wishes.source is None and recording.is_file() and not wishes.made_up:
            source, shown = str(recording), recording.name
        params = {"model": detector.name, **model_params(model)}
        yield Part(f"{name}-{detector.name}", module, manifest, source, f"{shown}, {answers}", params, look)


def _look_through(session: Session) -> Look:
    def look(_frame: int, bgr: NDArray[np.uint8], region: Box) -> NDArray[np.float32]:
        return session.infer(bgr, region)

    return look


def _made_up(name: str) -> tuple[Model, Look]:
    """A model of the catalogue that has a contract and no weights, and what it says."""
    catalogue = Catalogue.shipped()
    entry = next(entry for entry in catalogue if entry.name == name)
    contract = catalogue.contract(entry)
    figments = Figments(contract, SEED)
    outputs = (OutputShape("output", figments.shape),)

    def look(frame: int, _bgr: NDArray[np.uint8], _region: Box) -> NDArray[np.float32]:
        return figments.outputs(frame)

    return Model(name, Path(), entry.sha256, 0, contract, outputs), look
