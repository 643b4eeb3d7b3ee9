from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from camera_edge.picture import Picture

MakePicture = Callable[..., Picture]


@pytest.fixture
def make_picture() -> MakePicture:
    """A soft slope in Y, U and V that moves by `step` pixels, as a camera's picture might."""

    def make(width: int, height: int, step: int = 0, *, full_range: bool = False) -> Picture:
        rows, cols = np.indices((height, width))
        y = (60 + (rows + cols + 4 * step) % 120).astype(np.uint8)
        half_rows, half_cols = np.indices(((height + 1) // 2, (width + 1) // 2))
        u = (80 + (half_cols + step) % 90).astype(np.uint8)
        v = (80 + (half_rows + step) % 90).astype(np.uint8)
        for plane in (y, u, v):
            plane.flags.writeable = False
        return Picture(y, u, v, y.copy, full_range)

    return make
