"""From a region of a picture to the array that a model takes, as its contract says.

Pure: pixels in, numbers out. For YOLOX the result equals the project's own `preproc`: scale by
min(width / w, height / h), sides cut to whole pixels, bilinear, pasted at the top left on 114, BGR, 0 to 255.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_edge.errors import ModelError
from camera_edge.inference.contract import PictureInput
from camera_edge.observation import Box

Pixels = NDArray[np.uint8]


def crop(bgr: Pixels, box: Box) -> Pixels:
    """The pixels of `bgr` (uint8, (height, width, 3)) inside `box`, whose edges are rounded to whole pixels.

    A view, at least one pixel each way. Raises ModelError where the box is not finite or lies outside the picture.
    """
    height, width = bgr.shape[:2]
    left, right = _span(box.x, box.w, width)
    top, bottom = _span(box.y, box.h, height)
    return bgr[top:bottom, left:right]


def fit(picture: Pixels, spec: PictureInput) -> Pixels:
    """`picture` (uint8, (h, w, 3)) at the model's size: uint8 (spec.height, spec.width, 3), BGR still."""
    if spec.fit == "stretch":
        return _resize(picture, spec.width, spec.height)
    height, width = picture.shape[:2]
    ratio = min(spec.width / width, spec.height / height)
    inner = _resize(picture, max(1, int(width * ratio)), max(1, int(height * ratio)))
    fitted = np.full((spec.height, spec.width, 3), spec.pad, np.uint8)
    top, left = 0, 0
    if spec.fit == "letterbox_centre":
        top, left = (spec.height - inner.shape[0]) // 2, (spec.width - inner.shape[1]) // 2
    fitted[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return fitted


def normalise(fitted: Pixels, spec: PictureInput) -> NDArray[np.float32]:
    """`fitted` (uint8, (height, width, 3), BGR) as the model's input: contiguous float32 of `spec.shape`."""
    ordered = _ordered(fitted, spec)
    if spec.layout == "nchw":
        ordered = ordered.transpose(2, 0, 1)
    values = np.ascontiguousarray(ordered, np.float32)
    # steps that change nothing are left out: half a million values a frame
    if spec.scale != 1:
        values *= np.float32(spec.scale)
    if any(spec.mean):
        values -= _per_channel(spec.mean, spec)
    if any(number != 1 for number in spec.std):
        values /= _per_channel(spec.std, spec)
    return values.reshape(spec.shape)


def _span(start: float, length: float, size: int) -> tuple[int, int]:
    if not (math.isfinite(start) and math.isfinite(length) and 0 <= start <= 1 and 0 < length <= 1):
        raise ModelError(f"the region {start} + {length} is not inside 0..1")
    first = min(int(start * size + 0.5), size - 1)
    return first, min(max(int((start + length) * size + 0.5), first + 1), size)


def _resize(picture: Pixels, width: int, height: int) -> Pixels:
    resized = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)


def _ordered(fitted: Pixels, spec: PictureInput) -> Pixels:
    if spec.channels == "rgb":
        return fitted[:, :, ::-1]
    if spec.channels == "gray":
        return np.asarray(cv2.cvtColor(fitted, cv2.COLOR_BGR2GRAY), np.uint8)[:, :, np.newaxis]
    return fitted


def _per_channel(numbers: tuple[float, ...], spec: PictureInput) -> NDArray[np.float32]:
    shape = (-1, 1, 1) if spec.layout == "nchw" else (1, 1, -1)
    return np.asarray(numbers, np.float32).reshape(shape)
