from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from camera_edge.picture import Picture, Plane

MakePicture = Callable[..., Picture]


def _never() -> Plane:
    raise AssertionError("the raw picture was asked for")


@pytest.fixture
def make_picture() -> MakePicture:
    """Pictures of noise (every detail in every pixel) whose raw BGR nobody may ask for."""

    def make(width: int, height: int, *, seed: int = 0, writeable: bool = False, full_range: bool = False) -> Picture:
        random = np.random.default_rng(seed)
        half = ((height + 1) // 2, (width + 1) // 2)
        y, u, v = (random.integers(0, 256, size, np.uint8) for size in ((height, width), half, half))
        for plane in (y, u, v):
            plane.flags.writeable = writeable
        return Picture(y, u, v, _never, full_range)

    return make
