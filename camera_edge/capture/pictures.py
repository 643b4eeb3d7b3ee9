"""What all sources without packets share: pictures come from OpenCV one by one, and only counters tell of them.

Invariant: such a source has no lasting problem to report; what goes wrong with it is raised.
"""

from __future__ import annotations

from camera_edge.capture.opencv import opencv_fingerprint
from camera_edge.capture.source import Closing, Counters, Tally


class PictureSource(Closing):
    """Base of the sources that are read as pictures; who derives calls `super().__init__()` first."""

    def __init__(self) -> None:
        self._tally = Tally()

    @property
    def counters(self) -> Counters:
        return self._tally.snapshot()

    @property
    def problem(self) -> str | None:
        return None

    def fingerprint(self) -> str:
        return opencv_fingerprint()
