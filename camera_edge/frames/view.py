"""Says how large a picture is for an analyzer, and draws it there from the decoder's planes.

Invariant: integer arithmetic only, so the same planes give the same bytes on any machine; nothing is scaled up.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_edge.picture import Picture, PixelFormat, Plane, ViewSpec

# ITU-R BT.601 in 1/2^16, as OpenCV and swscale take it where a file says nothing else
_SHIFT = 16
_RED_V, _GREEN_U, _GREEN_V, _BLUE_U = 1.402, -0.344136, -0.714136, 1.772
_VIDEO_LUMA, _VIDEO_CHROMA = 255 / 219, 255 / 224


@dataclass(frozen=True, slots=True)
class View:
    """A format and a size in pixels. Equal views are the same view: they are made once for all who ask."""

    format: PixelFormat
    width: int
    height: int

    @classmethod
    def fit(cls, spec: ViewSpec, picture_width: int, picture_height: int) -> View:
        """The view of a picture that `spec` asks for. Aspect is kept; `i420` is rounded down to even sizes."""
        width = min(spec.max_width, picture_width)
        height = max(1, (picture_height * width + picture_width // 2) // picture_width)
        if spec.format is PixelFormat.I420:
            width, height = max(2, width & ~1), max(2, height & ~1)
        return cls(spec.format, width, height)

    @property
    def stride_bytes(self) -> int:
        """From one row to the next; of `i420`, in the first plane."""
        return self.width * 3 if self.format is PixelFormat.RGB24 else self.width

    @property
    def pixel_bytes(self) -> int:
        rows = self.height * 3 // 2 if self.format is PixelFormat.I420 else self.height
        return rows * self.stride_bytes

    def draw(self, picture: Picture, pixels: Plane) -> None:
        """Scale `picture` into `pixels`, uint8 (pixel_bytes,), in place."""
        if self.format is PixelFormat.GRAY8:
            scale_into(picture.y, pixels.reshape(self.height, self.width))
        elif self.format is PixelFormat.I420:
            self._draw_i420(picture, pixels)
        else:
            self._draw_rgb(picture, pixels.reshape(self.height, self.width, 3))

    def _draw_i420(self, picture: Picture, pixels: Plane) -> None:
        luma = self.width * self.height
        chroma = luma // 4
        half = (self.height // 2, self.width // 2)
        scale_into(picture.y, pixels[:luma].reshape(self.height, self.width))
        scale_into(picture.u, pixels[luma : luma + chroma].reshape(half))
        scale_into(picture.v, pixels[luma + chroma :].reshape(half))

    def _draw_rgb(self, picture: Picture, rgb: Plane) -> None:
        planes = np.empty((3, self.height, self.width), np.uint8)
        for source, target in zip((picture.y, picture.u, picture.v), planes, strict=True):
            scale_into(source, target)
        table = _FULL if picture.full_range else _VIDEO
        y, u, v = planes
        luma = table.luma[y]
        for channel, chroma in enumerate((table.red[v], table.green_u[u] + table.green_v[v], table.blue[u])):
            rgb[..., channel] = np.clip((luma + chroma) >> _SHIFT, 0, 255)


def scale_into(plane: Plane, target: Plane) -> None:
    """Scale `plane` into `target`, which is written in place.

    INTER_LINEAR_EXACT gives the same bytes on x86-64 and aarch64, which INTER_AREA and INTER_LINEAR do not.
    """
    height, width = target.shape
    drawn = cv2.resize(plane, (width, height), dst=target, interpolation=cv2.INTER_LINEAR_EXACT)
    # OpenCV quietly draws into memory of its own where shape or type do not suit it
    if not np.shares_memory(drawn, target):
        raise ValueError(f"OpenCV did not draw into a target of {target.shape} {target.dtype}")


@dataclass(frozen=True, slots=True)
class _Tables:
    """What each value of a plane adds to a colour, in 1/2^16; int32 (256,). Rounding is in `luma`."""

    luma: NDArray[np.int32]
    red: NDArray[np.int32]
    green_u: NDArray[np.int32]
    green_v: NDArray[np.int32]
    blue: NDArray[np.int32]


def _tables(luma_black: int, luma_gain: float, chroma_gain: float) -> _Tables:
    values = np.arange(256)

    def column(factor: float, zero: int, add: int = 0) -> NDArray[np.int32]:
        return ((values - zero) * round(factor * (1 << _SHIFT)) + add).astype(np.int32)

    return _Tables(
        luma=column(luma_gain, luma_black, add=1 << (_SHIFT - 1)),
        red=column(_RED_V * chroma_gain, 128),
        green_u=column(_GREEN_U * chroma_gain, 128),
        green_v=column(_GREEN_V * chroma_gain, 128),
        blue=column(_BLUE_U * chroma_gain, 128),
    )


_VIDEO = _tables(16, _VIDEO_LUMA, _VIDEO_CHROMA)
_FULL = _tables(0, 1.0, 1.0)
