"""Pictures made of seeded noise, with padded rows as a decoder gives them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from camera_edge.picture import Picture, Plane

MakePicture = Callable[..., Picture]


def _noise(generator: np.random.Generator, height: int, width: int) -> Plane:
    padded = generator.integers(0, 256, (height, width + 13), dtype=np.uint8)
    padded.flags.writeable = False
    return padded[:, :width]


@pytest.fixture
def make_picture() -> MakePicture:
    def make(width: int, height: int, *, seed: int = 0, full_range: bool = False) -> Picture:
        generator = np.random.default_rng(seed)
        half = ((height + 1) // 2, (width + 1) // 2)
        bgr = generator.integers(1, 256, (height, width, 3), dtype=np.uint8)
        return Picture(
            _noise(generator, height, width),
            _noise(generator, *half),
            _noise(generator, *half),
            lambda: bgr,
            full_range,
        )

    return make


@pytest.fixture
def make_flat() -> MakePicture:
    def make(width: int, height: int, *, yuv: tuple[int, int, int], full_range: bool = False) -> Picture:
        half = ((height + 1) // 2, (width + 1) // 2)
        y, u, v = (np.full(s, c, np.uint8) for s, c in zip(((height, width), half, half), yuv, strict=True))
        return Picture(y, u, v, lambda: np.full((height, width, 3), 200, np.uint8), full_range)

    return make
