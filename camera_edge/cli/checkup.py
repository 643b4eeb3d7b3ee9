"""Looks at a machine as `doctor` reports it: each finding with what it means, not only that it is so."""

from __future__ import annotations

import mmap
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

import numpy as np

from camera_edge.encode import missing_codecs
from camera_edge.errors import CameraEdgeError
from camera_edge.frames import Ring, View
from camera_edge.inference import Registry
from camera_edge.packages import TrustStore, audit
from camera_edge.picture import Picture
from camera_edge.sandbox import (
    Analyzer,
    Cache,
    Grants,
    ModuleFile,
    RingMap,
    Runtime,
    Services,
    Shelf,
    shipped,
    shipped_names,
    unmappable,
)
from camera_edge.settings import SHELF_FOLDER
from camera_edge.worker.landlock import abi_version
from camera_edge.worker.plan import MODELS_FOLDER

LOW_DISK_BYTES = 2 * 1000**3


class Verdict(StrEnum):
    GOOD = "ok"
    LESS = "less"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    about: str
    verdict: Verdict
    text: str


def checkup(state: Path) -> list[Finding]:
    """All findings, in the order in which a person would ask."""
    return [*_system(), *_libraries(), *_analyzers(), *_installed(state), *_models(state), _disk(state)]


def _system() -> Iterator[Finding]:
    machine = platform.machine()
    known = machine in {"x86_64", "aarch64"}
    yield Finding(
        "processor",
        Verdict.GOOD if known else Verdict.BAD,
        f"{machine}, {os.cpu_count()} cores" + ("" if known else "; wasmtime has no build for it"),
    )
    yield Finding("Python", Verdict.GOOD, f"{platform.python_version()}, Linux {platform.release()}")
    yield _landlock(abi_version())
    yield _frames(unmappable())


def _frames(reason: str | None) -> Finding:
    about = "frames"
    if reason is None:
        return Finding(about, Verdict.GOOD, f"mapped into sandboxes (memfd, pages of {mmap.PAGESIZE} bytes)")
    return Finding(about, Verdict.LESS, f"copied into each sandbox, which costs time and changes no answer: {reason}")


def _landlock(abi: int) -> Finding:
    if abi == 0:
        text = "this kernel has none: workers are not kept from files and network (Linux 5.13 and newer; check lsm=)"
    elif abi < 4:
        text = f"ABI {abi}: workers are kept from files; not from TCP, which needs Linux 6.7"
    else:
        text = f"ABI {abi}: workers are kept from files and from TCP other than to their camera; not from UDP"
    return Finding("Landlock", Verdict.GOOD if abi >= 4 else Verdict.LESS, text)


def _libraries() -> Iterator[Finding]:
    names = ("wasmtime", "opencv-python-headless", "av", "onnxruntime", "aiortc")
    yield Finding("libraries", Verdict.GOOD, ", ".join(f"{name} {version(name)}" for name in names))
    lacking = missing_codecs()
    text = (
        f"PyAV lacks {', '.join(lacking)}: install its binary wheel" if lacking else "H.264, H.265, MJPEG in; H.264 out"
    )
    yield Finding("codecs", Verdict.BAD if lacking else Verdict.GOOD, text)


def _analyzers() -> Iterator[Finding]:
    """Starts each shipped module that needs no model, on one grey frame."""
    try:
        names = shipped_names()
    except CameraEdgeError as exc:
        yield Finding("analyzers", Verdict.BAD, str(exc))
        return
    runtime = Runtime()
    with tempfile.TemporaryDirectory(prefix="camera-edge-doctor-") as folder:
        for name in names:
            yield _started(shipped(name), runtime, Cache(Path(folder) / "cache"))


def _started(module: ModuleFile, runtime: Runtime, cache: Cache) -> Finding:
    manifest = module.manifest
    about = f"analyzer {manifest.name} {manifest.version}"
    try:
        program = runtime.load(module, cache)
        if any(capability.startswith("onnx:") for capability in manifest.capabilities):
            return Finding(about, Verdict.GOOD, "compiles; it starts once a model is granted")
        grants = Grants(frozenset(manifest.capabilities))
        grey = np.full((180, 320), 128, np.uint8)
        picture = Picture(grey, grey[::2, ::2], grey[::2, ::2], lambda: np.dstack([grey] * 3))
        with Ring(View.fit(manifest.view.spec, 320, 180)) as ring:
            slot = ring.write(picture, sequence=0, media_us=0)
            assert slot is not None, "an empty ring has room"
            with Analyzer(program, grants, Services(), RingMap(ring.fd, ring.size_bytes, ring.memory)) as analyzer:
                answer = analyzer.analyze(slot.offset, 0, 0)
                if answer is None:
                    return Finding(about, Verdict.BAD, f"gave no answer: {analyzer.last_fault}")
    except CameraEdgeError as exc:
        return Finding(about, Verdict.BAD, str(exc))
    return Finding(about, Verdict.GOOD, f"runs; sha256 {module.sha256[:16]}…")


def _installed(state: Path) -> Iterator[Finding]:
    """Verifies every installed version again."""
    shelf = Shelf(state / SHELF_FOLDER)
    try:
        findings = audit(shelf, TrustStore(shelf).read())
    except CameraEdgeError as exc:
        yield Finding("installed analyzers", Verdict.BAD, str(exc))
        return
    for each in findings:
        about = f"analyzer {each.name} {each.version}"
        if each.fault is None and each.record is not None:
            yield Finding(about, Verdict.GOOD, f"verified; signed by {each.record.signer.name}")
        else:
            withheld = each.record is not None and shelf.withheld(each.record) is not None
            less = withheld or any(other.name == each.name and other.fault is None for other in findings)
            yield Finding(about, Verdict.LESS if less else Verdict.BAD, str(each.fault))


def _models(state: Path) -> Iterator[Finding]:
    registry = Registry(state / MODELS_FOLDER)
    try:
        models = registry.list()
    except CameraEdgeError as exc:
        yield Finding("models", Verdict.BAD, str(exc))
        return
    shipped = ", ".join(f"{model.name} (shipped)" for model in models if model.is_shipped)
    added = ", ".join(model.name for model in models if not model.is_shipped)
    none = "none added: `motion` works, `objects` needs one (`camera-edge model add FILE.onnx`)"
    yield Finding("models", Verdict.GOOD if added else Verdict.LESS, f"{shipped}; {added or none}")


def _disk(state: Path) -> Finding:
    folder = next(path for path in (state, *state.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    return Finding(
        "disk",
        Verdict.GOOD if free >= LOW_DISK_BYTES else Verdict.LESS,
        f"{free / 1e9:.1f} GB free for {state}",
    )
