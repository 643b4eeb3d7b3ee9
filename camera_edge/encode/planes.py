"""Brings a picture into the form an encoder takes: its size, its colour range, its memory.

Invariant: chroma stays aligned with luma; sizes are cropped at the right and the bottom only.
"""

from __future__ import annotations

from dataclasses import dataclass

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange

from camera_edge.picture import Picture, Plane

_LEVELS = np.arange(256, dtype=np.float64)


def _table(levels: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Plane:
    return np.clip(np.round(levels), 0, 255).astype(np.uint8)


# ITU-R BT.601: video range is 16..235 for luma and 16..240 for chroma
_LUMA_TO_VIDEO = _table(_LEVELS * 219 / 255 + 16)
_CHROMA_TO_VIDEO = _table((_LEVELS - 128) * 224 / 255 + 128)
_LUMA_TO_FULL = _table((_LEVELS - 16) * 255 / 219)
_CHROMA_TO_FULL = _table((_LEVELS - 128) * 255 / 224 + 128)


@dataclass(frozen=True, slots=True)
class Format:
    """What an encoder takes: 4:2:0 of this size in luma pixels and this range."""

    width: int
    height: int
    full_range: bool = False


def even(size_px: int) -> int:
    """The next even size below, and at least 2: H.264 in 4:2:0 has no odd sizes."""
    return max(size_px & ~1, 2)


def video_frame(picture: Picture, form: Format) -> av.VideoFrame:
    """Copy the picture into a frame of the encoder's memory, scaled and converted where it does not fit.

    A picture that is one pixel wider or higher is cropped; one of any other size is scaled to fill the format.
    """
    frame = av.VideoFrame(form.width, form.height, "yuv420p")
    frame.color_range = ColorRange.JPEG if form.full_range else ColorRange.MPEG
    convert = picture.full_range != form.full_range
    luma = _LUMA_TO_FULL if form.full_range else _LUMA_TO_VIDEO
    chroma = _CHROMA_TO_FULL if form.full_range else _CHROMA_TO_VIDEO
    for plane, target, table in zip(_sized(picture, form), frame.planes, (luma, chroma, chroma), strict=True):
        buffer = np.frombuffer(target, np.uint8)  # type: ignore[call-overload]
        memory = buffer.reshape(-1, target.line_size)
        rows, cols = plane.shape
        memory[:rows, :cols] = cv2.LUT(plane, table) if convert else plane
    return frame


def _sized(picture: Picture, form: Format) -> tuple[Plane, Plane, Plane]:
    width, height = form.width, form.height
    cols, rows = (width + 1) // 2, (height + 1) // 2
    if 0 <= picture.width - width <= 1 and 0 <= picture.height - height <= 1:
        return picture.y[:height, :width], picture.u[:rows, :cols], picture.v[:rows, :cols]
    return _scaled(picture.y, width, height), _scaled(picture.u, cols, rows), _scaled(picture.v, cols, rows)


def _scaled(plane: Plane, width: int, height: int) -> Plane:
    # below one half INTER_LINEAR skips pixels; above it INTER_AREA costs ten times as much and shows no difference
    small = plane.shape[1] >= 2 * width or plane.shape[0] >= 2 * height
    how = cv2.INTER_AREA if small else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, (width, height), interpolation=how), np.uint8)
