"""Blackens the operator's privacy masks before any analyzer sees a frame, and draws the map of zones.

Invariant: a pixel that an outline touches is masked, in every form in which the picture can be asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_edge.frames.view import View
from camera_edge.picture import Picture, Plane

Point = tuple[float, float]
Outline = Sequence[Point]

VISIBLE = 1
ZONES_MAX = 7
_VIDEO_BLACK, _FULL_BLACK, _NO_COLOUR = 16, 0, 128
_SUBPIXEL_BITS = 4


class PrivacyMask:
    """Polygons in fractions of the picture that nobody may see; none: nothing is masked."""

    def __init__(self, polygons: Sequence[Outline]) -> None:
        self._polygons = tuple(tuple((float(x), float(y)) for x, y in polygon) for polygon in polygons)

    def apply(self, picture: Picture) -> Picture:
        """The picture with the masks black (in `to_bgr` too), or the same object where there are none."""
        if not self._polygons:
            return picture
        black = _FULL_BLACK if picture.full_range else _VIDEO_BLACK
        luma, chroma = _fills(self._polygons, picture.width, picture.height, black)
        to_bgr = picture.to_bgr

        def masked_bgr() -> Plane:
            return to_bgr() & luma.keep[..., np.newaxis]

        return replace(
            picture, y=luma.over(picture.y), u=chroma.over(picture.u), v=chroma.over(picture.v), to_bgr=masked_bgr
        )

    def zones_map(self, view: View, zones: Sequence[Outline]) -> NDArray[np.uint8]:
        """uint8 (view.height, view.width): 0 masked; else bit 0, and bits 1 to 7 for the first seven `zones`.

        A pixel belongs to a zone that its centre lies in, or whose edge passes through it.
        """
        bits = np.full((view.height, view.width), VISIBLE, np.uint8)
        for number, zone in enumerate(zones[:ZONES_MAX], start=1):
            bits[_inside(tuple(zone), view.width, view.height) != 0] |= 1 << number
        if self._polygons:
            bits[_masks(self._polygons, view.width, view.height)[0] != 0] = 0
        return bits


@dataclass(frozen=True, slots=True)
class _Fill:
    """Bits to keep and bits to set in every pixel of a plane: faster than a masked copy."""

    keep: Plane
    set: Plane

    def over(self, plane: Plane) -> Plane:
        filled: Plane = np.bitwise_and(plane, self.keep)
        np.bitwise_or(filled, self.set, out=filled)
        filled.flags.writeable = False
        return filled


@lru_cache(maxsize=4)
def _fills(polygons: tuple[tuple[Point, ...], ...], width: int, height: int, black: int) -> tuple[_Fill, _Fill]:
    luma, chroma = _masks(polygons, width, height)
    return _Fill(~luma, luma & np.uint8(black)), _Fill(~chroma, chroma & np.uint8(_NO_COLOUR))


@lru_cache(maxsize=16)
def _masks(polygons: tuple[tuple[Point, ...], ...], width: int, height: int) -> tuple[Plane, Plane]:
    """Luma (height, width) and chroma (half of it, rounded up): 255 where masked, with a rim of one pixel."""
    luma = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        luma |= _inside(polygon, width, height)
    luma = np.asarray(cv2.dilate(luma, np.ones((3, 3), np.uint8)), np.uint8)
    even = cv2.copyMakeBorder(luma, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    chroma = even.reshape((height + 1) // 2, 2, (width + 1) // 2, 2).max(axis=(1, 3))
    luma.flags.writeable = chroma.flags.writeable = False
    return luma, chroma


def _inside(outline: tuple[Point, ...], width: int, height: int) -> Plane:
    """255 inside; an outline that crosses itself leaves no holes."""
    # a pixel's number is its centre to OpenCV, its left edge to us
    corners = np.array(outline, np.float64) * (width, height) - 0.5
    fixed = np.round(corners * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    filled = np.zeros((height, width), np.uint8)
    cv2.fillPoly(filled, [fixed], (255,), shift=_SUBPIXEL_BITS)
    contours, _ = cv2.findContours(filled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(filled, contours, -1, (255,), cv2.FILLED)
    return filled
