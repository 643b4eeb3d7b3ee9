"""The shipped modules, built from this tree and run in the real sandbox, on drawn scenes and on recordings."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.frames import Ring, View
from camera_edge.picture import Picture
from camera_edge.sandbox import Analyzer, Answer, Cache, Grants, RingMap, Runtime, Services, shipped

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = REPOSITORY.parent / "shared" / "data"
SECOND_US = 1_000_000

Gray = NDArray[np.uint8]
# name, width and height of the frames, services, parameters
OpenModule = Callable[..., "Running"]


class Running:
    """One module on frames of one size."""

    def __init__(self, analyzer: Analyzer, ring: Ring) -> None:
        self.analyzer = analyzer
        self._ring = ring
        self._frames = 0

    def look(self, gray: Gray, media_us: int) -> Answer:
        """The answer for a frame; a fault fails the test."""
        answer = self.try_to_look(gray, media_us)
        assert answer is not None, self.analyzer.last_fault
        return answer

    def try_to_look(self, gray: Gray, media_us: int) -> Answer | None:
        slot = self._ring.write(_picture(gray), sequence=self._frames, media_us=media_us)
        assert slot is not None
        self._frames += 1
        try:
            return self.analyzer.analyze(slot.offset, slot.sequence, media_us)
        finally:
            self._ring.release(slot)


def _picture(gray: Gray) -> Picture:
    chroma = np.full(((gray.shape[0] + 1) // 2, (gray.shape[1] + 1) // 2), 128, np.uint8)
    return Picture(gray, chroma, chroma, lambda: np.repeat(gray[:, :, np.newaxis], 3, axis=2))


@pytest.fixture(scope="session")
def build_script() -> ModuleType:
    """`wasm_analyzers/build.py`, which no package holds."""
    pytest.importorskip("ziglang", reason="ziglang compiles the modules")
    pytest.importorskip("hatchling", reason="the build hook is hatchling's")
    spec = importlib.util.spec_from_file_location("build_script", REPOSITORY / "wasm_analyzers" / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def shipped_folder(build_script: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the build makes of this tree."""
    folder = tmp_path_factory.mktemp("built") / "shipped"
    build_script.build(REPOSITORY, folder)
    return folder


@pytest.fixture(scope="session")
def runtime() -> Runtime:
    return Runtime()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("compiled") / "cache")


@pytest.fixture
def open_module(shipped_folder: Path, runtime: Runtime, cache: Cache) -> Iterator[OpenModule]:
    with ExitStack() as stack:

        def start(name: str, size: tuple[int, int], services: Services | None = None, **params: str | float) -> Running:
            file = shipped(name, shipped_folder)
            ring = stack.enter_context(Ring(View.fit(file.manifest.view.spec, *size)))
            grants = Grants(file.manifest.grant_all(params), file.manifest.with_defaults(params))
            program = runtime.load(file, cache)
            analyzer = Analyzer(program, grants, services or Services(), RingMap(ring.fd, ring.size_bytes))
            return Running(stack.enter_context(analyzer), ring)

        yield start


@pytest.fixture(scope="session")
def recordings() -> Path:
    folder = DATA / "video"
    if not folder.is_dir():
        pytest.skip("the recordings in ../shared/data are not here")
    return folder


@pytest.fixture(scope="session")
def models() -> Path:
    folder = DATA / "models"
    if not folder.is_dir():
        pytest.skip("the models in ../shared/data are not here")
    return folder
