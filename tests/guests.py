"""Compiles guests from source for tests, and opens them in the real sandbox; skips with a reason where it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.frames import Ring, View
from camera_edge.picture import Picture
from camera_edge.sandbox import Analyzer, Answer, Cache, Grants, RingMap, Runtime, Services, load_module
from camera_edge.toolchain import BuildError, Language, build, install, language_of, missing

REPOSITORY = Path(__file__).resolve().parents[1]
SDK = REPOSITORY / "wasm_analyzers" / "sdk"

Gray = NDArray[np.uint8]


def need(language: Language) -> None:
    """Skips the test where nothing can be compiled from this language."""
    try:
        # from npm, once for a machine
        install(language, SDK)
    except BuildError as error:
        pytest.skip(str(error))
    if (reason := missing(language, SDK)) is not None:
        pytest.skip(reason)


def compiled(folder: Path, target: Path) -> Path:
    """The module of `folder` as a .wasm file in the folder `target`, its manifest beside it."""
    need(language_of(folder))
    target.mkdir(parents=True, exist_ok=True)
    wasm = target / "guest.wasm"
    build(folder, wasm, SDK)
    (target / "analyzer.toml").write_bytes((folder / "analyzer.toml").read_bytes())
    return wasm


@dataclass(frozen=True, slots=True)
class Look:
    """One frame's answer, and where the frame lies in the ring."""

    answer: Answer
    slot_offset: int


class Watcher:
    """One module on grey frames of one size."""

    def __init__(self, analyzer: Analyzer, ring: Ring) -> None:
        self.analyzer = analyzer
        self.ring = ring
        self._frames = 0

    def look(self, gray: Gray) -> Look:
        """A fault fails the test."""
        chroma = np.full(((gray.shape[0] + 1) // 2, (gray.shape[1] + 1) // 2), 128, np.uint8)
        picture = Picture(gray, chroma, chroma, lambda: np.repeat(gray[:, :, np.newaxis], 3, axis=2))
        slot = self.ring.write(picture, sequence=self._frames, media_us=self._frames * 200_000)
        assert slot is not None
        self._frames += 1
        try:
            answer = self.analyzer.analyze(slot.offset, slot.sequence, slot.media_us)
        finally:
            self.ring.release(slot)
        assert answer is not None, self.analyzer.last_fault
        return Look(answer, slot.offset)


@contextmanager
def watching(wasm: Path, size: tuple[int, int], cache: Path, **params: float) -> Iterator[Watcher]:
    """The module opened on frames of `size` (width, height), with all that it asks for."""
    module = load_module(wasm)
    with Ring(View.fit(module.manifest.view.spec, *size)) as ring:
        grants = Grants(module.manifest.grant_all(params), module.manifest.with_defaults(params))
        program = Runtime().load(module, Cache(cache))
        with Analyzer(program, grants, Services(), RingMap(ring.fd, ring.size_bytes)) as analyzer:
            yield Watcher(analyzer, ring)
