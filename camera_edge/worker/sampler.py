"""Chooses the frames that are analysed, kept or shown: the first one at or after each tick of a rate."""

from __future__ import annotations

MICROSECONDS = 1_000_000


class Sampler:
    """Pure but for the tick it waits for. `rate_hz` None: every frame is due."""

    def __init__(self, rate_hz: float | None) -> None:
        self._rate_hz = rate_hz
        self._tick = 0

    def due(self, media_us: int) -> bool:
        """Whether the frame at `media_us` is the first at or after the tick waited for. Media time is monotone."""
        if self._rate_hz is None:
            return True
        # half a microsecond of slack: stamps were rounded to whole microseconds
        tick = int((media_us + 0.5) * self._rate_hz / MICROSECONDS)
        if tick < self._tick:
            return False
        self._tick = tick + 1
        return True
