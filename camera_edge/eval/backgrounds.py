"""The native baselines of the suite `change`: OpenCV's MOG2 and KNN, as they come, on one thread.

Zivkovic, "Improved adaptive Gaussian mixture model for background subtraction", ICPR 2004; Zivkovic and van der
Heijden, "Efficient adaptive density estimation per image pixel for the task of background subtraction", 2006.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_MEDIAN_PX = 5
# of what the two subtractors answer: 127 is shadow
_FOREGROUND = 255


class Background:
    """One subtractor with OpenCV's defaults: shadows are dropped, the rest goes through a 5 x 5 median."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._subtractor = _MAKERS[name]()
        self._grey = name.endswith("_grey")
        self.spent_ns = 0
        self.frames = 0

    def apply(self, bgr: Pixels) -> Pixels:
        """The foreground of the next frame: 255, and 0 elsewhere."""
        picture = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY) if self._grey else bgr
        started_ns = time.thread_time_ns()
        answer = self._subtractor.apply(picture)
        sure = np.where(answer == _FOREGROUND, np.uint8(_FOREGROUND), np.uint8(0))
        foreground = cv2.medianBlur(sure, _MEDIAN_PX)
        self.spent_ns += time.thread_time_ns() - started_ns
        self.frames += 1
        return np.asarray(foreground, np.uint8)

    @property
    def ms_per_frame(self) -> float:
        return self.spent_ns / 1e6 / max(self.frames, 1)


_MAKERS = {
    "mog2": cv2.createBackgroundSubtractorMOG2,
    "knn": cv2.createBackgroundSubtractorKNN,
    # of the same one channel that the sandbox sees
    "mog2_grey": cv2.createBackgroundSubtractorMOG2,
}
NAMES = tuple(_MAKERS)


@contextmanager
def one_thread() -> Iterator[None]:
    """OpenCV computes in the thread that calls, as a guest does."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
