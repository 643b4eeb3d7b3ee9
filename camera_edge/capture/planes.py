"""Makes pictures of what decoders and cameras give, without copying where the form is right already.

Invariant: planes are read-only; the picture is upright.
"""

from __future__ import annotations

from functools import partial

import av
import cv2
import numpy as np

from camera_edge.picture import Picture, Plane

_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def picture_of(frame: av.VideoFrame, rotation: int) -> Picture:
    """A decoder's frame as a picture, turned clockwise by `rotation` degrees.

    yuv420p, yuvj420p and gray are viewed where they lie (but for rotated ones); every other format is converted.
    """
    rotation = rotation if rotation in _ROTATIONS else 0
    name = frame.format.name
    full_range = name.startswith("yuvj") or frame.color_range == _FULL_RANGE
    if name == "gray":
        y = _plane(frame, 0)
        u = v = _uncoloured(y)
        full_range = True  # as libswscale, and so OpenCV, reads it
    else:
        shown = frame
        if name not in ("yuv420p", "yuvj420p"):
            shown = frame.reformat(format="yuvj420p" if full_range else "yuv420p")
        y, u, v = _plane(shown, 0), _plane(shown, 1), _plane(shown, 2)
    return Picture(
        y=_upright(y, rotation),
        u=_upright(u, rotation),
        v=_upright(v, rotation),
        to_bgr=partial(_frame_to_bgr, frame, rotation),
        full_range=full_range,
    )


def picture_of_bgr(bgr: Plane) -> Picture:
    """A BGR picture, uint8 (height, width, 3), as I420 of ITU-R BT.601 with video range."""
    height, width = bgr.shape[:2]
    even = bgr
    if height % 2 or width % 2:
        even = cv2.copyMakeBorder(bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE).astype(np.uint8, copy=False)
    y, u, v = split_i420(cv2.cvtColor(even, cv2.COLOR_BGR2YUV_I420).astype(np.uint8, copy=False))
    bgr.flags.writeable = False
    return Picture(y=y[:height, :width], u=u, v=v, to_bgr=partial(_itself, bgr))


def picture_of_i420(i420: Plane) -> Picture:
    """Planes in one array, uint8 (height * 3 / 2, width), of even size."""
    y, u, v = split_i420(i420)
    return Picture(y=y, u=u, v=v, to_bgr=partial(_i420_to_bgr, i420))


def split_i420(i420: Plane) -> tuple[Plane, Plane, Plane]:
    """Read-only views of the three planes of one array as OpenCV lays it out."""
    height, width = i420.shape[0] * 2 // 3, i420.shape[1]
    flat = i420.reshape(-1)
    flat.flags.writeable = False
    luma, chroma = height * width, height * width // 4
    shape = (height // 2, width // 2)
    return (
        flat[:luma].reshape(height, width),
        flat[luma : luma + chroma].reshape(shape),
        flat[luma + chroma :].reshape(shape),
    )


def _plane(frame: av.VideoFrame, index: int) -> Plane:
    plane = frame.planes[index]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    rows.flags.writeable = False
    return rows[: plane.height, : plane.width]


def _uncoloured(y: Plane) -> Plane:
    height, width = y.shape
    grey = np.full(((height + 1) // 2, (width + 1) // 2), 128, np.uint8)
    grey.flags.writeable = False
    return grey


def _upright(plane: Plane, rotation: int) -> Plane:
    if rotation == 0:
        return plane
    turned = cv2.rotate(plane, _ROTATIONS[rotation]).astype(np.uint8, copy=False)
    turned.flags.writeable = False
    return turned


def _frame_to_bgr(frame: av.VideoFrame, rotation: int) -> Plane:
    # bicubic is the scaler that OpenCV's FFmpeg backend asks for
    shown = frame.reformat(format="bgr24", interpolation="BICUBIC")
    return _upright(shown.to_ndarray().astype(np.uint8, copy=False), rotation)


def _i420_to_bgr(i420: Plane) -> Plane:
    return cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420).astype(np.uint8, copy=False)


def _itself(bgr: Plane) -> Plane:
    return bgr
