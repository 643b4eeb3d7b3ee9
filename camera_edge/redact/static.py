"""Holds the places that nobody ever sees: the operator's static privacy masks.

Invariant: a pixel that an outline touches is masked, and so is all that it encloses, however it crosses itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from camera_edge.picture import Plane

Point = tuple[float, float]

_SUBPIXEL_BITS = 4


@dataclass(frozen=True, slots=True)
class StaticMask:
    """Outlines in fractions of the picture. Empty: nothing is masked."""

    outlines: tuple[tuple[Point, ...], ...] = ()

    def luma(self, width: int, height: int) -> Plane:
        """uint8 (height, width), read-only: 255 where masked."""
        return _masks(self.outlines, width, height)[0]

    def chroma(self, width: int, height: int) -> Plane:
        """uint8 (ceil(height / 2), ceil(width / 2)), read-only: 255 where any of its luma pixels is masked."""
        return _masks(self.outlines, width, height)[1]


@lru_cache(maxsize=8)
def _masks(outlines: tuple[tuple[Point, ...], ...], width: int, height: int) -> tuple[Plane, Plane]:
    luma = np.zeros((height, width), np.uint8)
    for outline in outlines:
        luma |= _filled(outline, width, height)
    even = cv2.copyMakeBorder(luma, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    chroma = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2).max(axis=(1, 3))
    luma.flags.writeable = chroma.flags.writeable = False
    return luma, chroma


def _filled(outline: tuple[Point, ...], width: int, height: int) -> Plane:
    # a pixel's number is its centre to OpenCV, its left edge to us
    corners = np.array(outline, np.float64) * (width, height) - 0.5
    fixed = np.round(corners * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    filled = np.zeros((height, width), np.uint8)
    cv2.fillPoly(filled, [fixed], (255,), shift=_SUBPIXEL_BITS)
    # an outline that crosses itself leaves holes by the even-odd rule
    contours, _tree = cv2.findContours(filled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(filled, contours, -1, (255,), cv2.FILLED)
    return np.asarray(cv2.dilate(filled, np.ones((3, 3), np.uint8)), np.uint8)
