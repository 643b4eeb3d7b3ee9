"""Keeps media time in step with the clock: frames that come in bursts leave evenly."""

from __future__ import annotations

from camera_edge.clock import Clock

# a frame that is early or late by more than this starts the pace anew
LATE_NS = 500_000_000


class Pace:
    """Media time against the clock: says how long to wait with the next picture."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_ns: int | None = None

    def delay_s(self, media_us: int) -> float:
        now_ns = self._clock.monotonic_ns()
        offset_ns = now_ns - media_us * 1000
        if self._offset_ns is None or not -LATE_NS < offset_ns - self._offset_ns < LATE_NS:
            self._offset_ns = offset_ns
        return max(0.0, (media_us * 1000 + self._offset_ns - now_ns) / 1e9)
