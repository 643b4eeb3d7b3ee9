"""Places frames on the media time of a source: microseconds since its first frame.

Pure. Invariant: media time strictly grows, whatever the stamps do.
"""

from __future__ import annotations

_FORGIVEN_US = 1_000_000
_BREAK_US = 1_000_000
_DRIFT_US = 10_000_000
_BACK_US = 100_000
_DEFAULT_INTERVAL_US = 40_000


def interval_us(fps: float) -> int:
    """Time between two frames at a nominal rate; 25 a second where none is stated or it is not credible."""
    return round(1e6 / fps) if credible_fps(fps) else _DEFAULT_INTERVAL_US


def credible_fps(fps: float) -> float:
    """The nominal rate, or 0 where a library states its clock (90 000) or nothing as a rate."""
    return fps if 0.01 <= fps <= 480 else 0.0


def ends_early(last_us: int, lasts_us: int) -> str | None:
    """What to say of a recording whose last frame stands at `last_us`, where its container says it lasts `lasts_us`.

    Sound may go on after the last picture, so a second and a fiftieth are forgiven. 0: the container says nothing.
    """
    if last_us >= lasts_us - lasts_us // 50 - _FORGIVEN_US:
        return None
    return f"the recording ends early: {last_us / 1e6:.1f} of {lasts_us / 1e6:.1f} s are there"


class RecordingTimeline:
    """Follows the stamps of a recording; gaps are kept, jumps back (joined recordings) are closed."""

    def __init__(self, interval_us: int) -> None:
        self._interval_us = interval_us
        self._offset_us: int | None = None
        self._last_us = -1

    @property
    def last_us(self) -> int:
        """The media time of the newest frame, -1 before the first."""
        return self._last_us

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
    """Follows the stamps of a camera, and the monotonic clock where there are none or where they leave it by 10 s.

    A camera's stamps are smoother than the arrival of its packets, and packets that were buffered while the stream was
    opened come all at once. But stamps start anew, are missing from the first packet (RTSP), run backwards and jump
    (RTSP after the first sender report, a camera that sets its clock).
    """

    def __init__(self) -> None:
        self._start_ns: int | None = None
        self._interval_us: int | None = None
        self._offset_us: int | None = None
        self._anchored = False
        self._last_us = -1

    def begin(self, interval_us: int | None) -> None:
        """The source was opened, for the first time or again: its stamps mean something new, the clock goes on.

        `interval_us`: nominal time between frames that have no stamp; None: arrival is all there is.
        """
        self._interval_us = interval_us
        self._offset_us = None
        self._anchored = False

    def place(self, stamp_us: int | None, arrived_ns: int) -> int:
        """The media time of the next frame in presentation order, which arrived at `arrived_ns` (monotonic)."""
        if self._start_ns is None:
            self._start_ns = arrived_ns
        elapsed_us = (arrived_ns - self._start_ns) // 1000
        following_us = self._last_us + (self._interval_us or 1) if self._last_us >= 0 else 0
        now_us = max(elapsed_us, following_us)
        media_us = now_us
        if self._anchored and self._interval_us is not None:
            media_us = following_us
            if stamp_us is not None and self._offset_us is not None:
                media_us = stamp_us + self._offset_us
            if not self._credible(media_us, elapsed_us):
                media_us, self._offset_us = now_us, None
        if stamp_us is not None and self._offset_us is None:
            self._offset_us = media_us - stamp_us
        self._anchored = True
        self._last_us = max(media_us, self._last_us + 1)
        return self._last_us

    def _credible(self, media_us: int, elapsed_us: int) -> bool:
        return abs(media_us - elapsed_us) <= _DRIFT_US and media_us > self._last_us - _BACK_US
