"""How a window is cut from a frame: the input of the model, as models/README.md states it.

Invariant: the window depends on luma only up to a gain and an offset, so absolute brightness never reaches the model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

ROWS, COLUMNS = 48, 32
PERSON_ROWS = 32
# the lower edge of the blob's box lies so many rows above the window's
FOOT_ROWS = 8
# a flat window is not stretched until its noise shows
DEVIATION_MIN = 4.0
DEVIATIONS_MAX = 3.0


@dataclass(frozen=True, slots=True)
class BoxPx:
    """A blob's box in pixels; right and bottom are exclusive."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the window lies: source pixels per window pixel, and the source position of its upper left corner."""

    step_px: float
    left: float
    top: float


def place(box: BoxPx, person_px: float) -> Placement:
    """The window of the blob in `box`, where a person is `person_px` pixels high."""
    step = person_px / PERSON_ROWS
    left = (box.left + box.right) / 2 - step * COLUMNS / 2
    return Placement(step, left, box.bottom - step * (ROWS - FOOT_ROWS))


def cut(luma: NDArray[np.uint8], mask: NDArray[np.uint8], placement: Placement) -> NDArray[np.float32]:
    """The window (2, ROWS, COLUMNS): normalised luma and the share of foreground (`mask` is 0 or 1).

    Each window pixel is the mean of n x n bilinear samples, n = ceil(step), placed evenly in it; one whose centre lies
    outside of the frame is 0 in both channels and takes no part in mean and deviation.
    """
    n = max(1, math.ceil(placement.step_px - 1e-6))
    xs = _positions(placement.left, placement.step_px, COLUMNS, n)
    ys = _positions(placement.top, placement.step_px, ROWS, n)
    values = _mean_of_samples(luma, xs, ys, n)
    share = _mean_of_samples(mask, xs, ys, n)
    inside = np.outer(_inside(ys, n, luma.shape[0]), _inside(xs, n, luma.shape[1]))
    window = np.zeros((2, ROWS, COLUMNS), np.float32)
    if inside.any():
        mean, deviation = float(values[inside].mean()), float(values[inside].std())
        scaled = (values - mean) / max(deviation, DEVIATION_MIN)
        window[0] = np.clip(scaled, -DEVIATIONS_MAX, DEVIATIONS_MAX) * inside
        window[1] = share * inside
    return window


def _positions(start: float, step: float, count: int, n: int) -> NDArray[np.float32]:
    """Sample positions along one axis, 0 being the centre of the first pixel."""
    return np.asarray(start - 0.5 + (np.arange(count * n) + 0.5) * (step / n), np.float32)


def _inside(positions: NDArray[np.float32], n: int, size: int) -> NDArray[np.bool_]:
    centres = positions.reshape(-1, n).mean(axis=1)
    return np.asarray((centres >= -0.5) & (centres <= size - 0.5))


def _mean_of_samples(
    plane: NDArray[np.uint8], xs: NDArray[np.float32], ys: NDArray[np.float32], n: int
) -> NDArray[np.float32]:
    grid_x = np.broadcast_to(xs, (len(ys), len(xs)))
    grid_y = np.broadcast_to(ys[:, None], (len(ys), len(xs)))
    samples = cv2.remap(
        plane.astype(np.float32),
        np.ascontiguousarray(grid_x),
        np.ascontiguousarray(grid_y),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    means = samples.reshape(ROWS, n, COLUMNS, n).mean(axis=(1, 3))
    return np.asarray(means, np.float32)
