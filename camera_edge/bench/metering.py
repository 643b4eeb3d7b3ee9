"""Measures what a budget of fuel costs the shipped modules: the same bytes compiled with it and without.

Invariant: both see the same slot of the same ring and get the same answers of the host, in turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from camera_edge.capture import Frame
from camera_edge.frames import Ring, View
from camera_edge.observation import Box
from camera_edge.sandbox import Cache, Grants, ModuleFile, RingMap, Runtime, Services, shipped, shipped_names
from camera_edge.sandbox.measure import TimedGuest

_MODEL = "made_up"
_CLASSES = 80
_CELLS = 52 * 52 + 26 * 26 + 13 * 13
_THINGS = 40


def measure_metering(frames: Sequence[Frame]) -> dict[str, float]:
    """How many times as long each shipped module takes with its budget, medians over `frames`, of one size."""
    with TemporaryDirectory(prefix="camera-edge-bench-") as folder:
        metered, free = Runtime(), Runtime(metered=False)
        cache = Cache(Path(folder) / "cache")
        return {
            name: _ratio(shipped(name), (metered, free), cache, frames)
            for name in shipped_names()
            if not shipped(name).manifest.is_rule
        }


def _ratio(module: ModuleFile, runtimes: tuple[Runtime, Runtime], cache: Cache, frames: Sequence[Frame]) -> float:
    grants, services = _granted(module)
    picture = frames[0].picture
    view = View.fit(module.manifest.view.spec, picture.width, picture.height)
    spent_ns: tuple[list[int], list[int]] = ([], [])
    with ExitStack() as stack:
        ring = stack.enter_context(Ring(view))
        space = RingMap(ring.fd, ring.size_bytes, ring.memory)
        guests = [
            stack.enter_context(TimedGuest(runtime.load(module, cache), grants, space, services))
            for runtime in runtimes
        ]
        for number, frame in enumerate(frames):
            slot = ring.write(frame.picture, sequence=frame.id, media_us=frame.media_us)
            assert slot is not None, "every slot is given back"
            # by turns, since who goes second finds the pixels in the cache
            for which in (0, 1) if number % 2 else (1, 0):
                spent_ns[which].append(guests[which].analyze_ns(slot.offset, (view.width, view.height)))
            ring.release(slot)
    return median(spent_ns[0]) / median(spent_ns[1])


def _granted(module: ModuleFile) -> tuple[Grants, Services]:
    """All that a shipped module asks for; a detector's answer is made up, with as many boxes as a busy place has."""
    params: dict[str, str | float] = {}
    if any(name.startswith("onnx:") for name in module.manifest.capabilities):
        params = {
            "model": _MODEL,
            "model.decoder": "yolox",
            "model.classes": "\n".join(f"class {number}" for number in range(_CLASSES)),
            "model.strides": "8,16,32",
            "model.outputs": f"1x{_CELLS}x{5 + _CLASSES}",
            "model.fit": "letterbox",
            "model.width": 416.0,
            "model.height": 416.0,
        }
    answer = _detector_answer()

    def infer(_model: str, _region: Box) -> NDArray[np.float32]:
        return answer

    grants = Grants(module.manifest.grant_all(params), module.manifest.with_defaults(params))
    return grants, Services(infer=infer)


def _detector_answer() -> NDArray[np.float32]:
    """A YOLOX output for 416 x 416 pixels: noise, and some things that are there; float32, flat."""
    random = np.random.default_rng(7)
    rows = random.random((_CELLS, 5 + _CLASSES), np.float32) * np.float32(0.05)
    things = random.choice(_CELLS, _THINGS, replace=False)
    rows[things, 2:4] = 1.5
    rows[things, 4] = 0.9
    rows[things, 5] = 0.8
    return rows.reshape(-1)
