"""A decoded picture, as it lies in the memory of one worker and nowhere else, and the forms analyzers ask it in.

Invariant: planes are read-only views of the decoder's memory; whoever changes pixels makes new planes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture as planar YUV 4:2:0 (I420).

    y: uint8 (height, width); u, v: uint8 (ceil(height / 2), ceil(width / 2)). Rows may be padded (strided views).
    `to_bgr` makes the full picture as uint8 (height, width, 3) in BGR, converted as `cv2.VideoCapture.read()`
    converts it; it is called only where a model asks for the full picture.
    """

    y: Plane
    u: Plane
    v: Plane
    to_bgr: Callable[[], Plane]
    full_range: bool = False

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])


class PixelFormat(IntEnum):
    """The formats of a view; the values are those of the slot header in `wasm_analyzers/ABI.md`."""

    GRAY8 = 1
    RGB24 = 2
    I420 = 3


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """What an analyzer asks for: a format and a largest width in pixels. Nothing is scaled up."""

    format: PixelFormat
    max_width: int
