"""Places frames on the media time of a source: microseconds since its first frame.

Pure. Invariant: media time strictly grows, whatever the stamps do.
"""

from __future__ import annotations

_BREAK_US = 1_000_000
_DRIFT_US = 2_000_000
_BACK_US = 100_000
_DEFAULT_INTERVAL_US = 40_000


def interval_us(fps: float) -> int:
    """Time between two frames at a nominal rate; 25 a second where none is stated or it is not credible."""
    return round(1e6 / fps) if 0.01 <= fps <= 1000 else _DEFAULT_INTERVAL_US


class RecordingTimeline:
    """Follows the stamps of a recording; gaps are kept, jumps back (joined recordings) are closed."""

    def __init__(self, interval_us: int) -> None:
        self._interval_us = interval_us
        self._offset_us: int | None = None
        self._last_us = -1

    def place(self, stamp_us: int | None) -> int:
        """The media time of the next frame in presentation order; `stamp_us` None: it has none."""
        if self._last_us < 0:
            self._offset_us = None if stamp_us is None else -stamp_us
            self._last_us = 0
            return 0
        following_us = self._last_us + self._interval_us
        if stamp_us is None:
            media_us = following_us
        else:
            if self._offset_us is None or stamp_us + self._offset_us < self._last_us - _BREAK_US:
                self._offset_us = following_us - stamp_us
            media_us = stamp_us + self._offset_us
        self._last_us = max(media_us, self._last_us + 1)
        return self._last_us


class LiveTimeline:
    """Follows the stamps of a camera, and the monotonic clock where the stamps are missing or leave it by 2 s.

    A camera's stamps are smoother than the arrival of its packets, but they start anew, repeat, run backwards and
    jump (RTSP after the first sender report, a camera that sets its clock).
    """

    def __init__(self) -> None:
        self._start_ns: int | None = None
        self._offset_us: int | None = None
        self._last_us = -1

    def rejoin(self) -> None:
        """The source came back: its stamps mean something new, the monotonic clock goes on."""
        self._offset_us = None

    def place(self, stamp_us: int | None, arrived_ns: int) -> int:
        """The media time of the next frame in presentation order, which arrived at `arrived_ns` (monotonic)."""
        if self._start_ns is None:
            self._start_ns = arrived_ns
        elapsed_us = (arrived_ns - self._start_ns) // 1000
        media_us = elapsed_us
        if stamp_us is not None:
            if self._offset_us is None or not self._credible(stamp_us + self._offset_us, elapsed_us):
                self._offset_us = max(elapsed_us, self._last_us + 1) - stamp_us
            media_us = stamp_us + self._offset_us
        self._last_us = max(media_us, self._last_us + 1)
        return self._last_us

    def _credible(self, media_us: int, elapsed_us: int) -> bool:
        return abs(media_us - elapsed_us) <= _DRIFT_US and media_us > self._last_us - _BACK_US
