"""Keeps the course of a score over any number of frames in little memory.

Invariant: the lowest and the highest score of every stretch of time are in it, so no peak is lost, however short.
"""

from __future__ import annotations

from dataclasses import dataclass

STRETCHES_MAX = 720
"""More than a screen has columns to show them in; each time it is exceeded, two become one."""
LARGEST = 1e100
"""Beyond it a scale would overflow."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Scores from `from_us` on, for as long as the trace's stretches are."""

    from_us: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Trace:
    """The scores of one analyzer. `revised`: those that it gave for earlier frames, afterwards."""

    analyzer: str
    revised: bool
    scores: int
    stretches: tuple[Stretch, ...]

    @property
    def low(self) -> float:
        return min(each.low for each in self.stretches)

    @property
    def high(self) -> float:
        return max(each.high for each in self.stretches)


class Tracer:
    """Takes scores in any order of time, and holds at most `STRETCHES_MAX` stretches."""

    def __init__(self) -> None:
        self._stretch_us = 1
        self._stretches: dict[int, Stretch] = {}
        self.scores = 0

    def add(self, media_us: int, score: float) -> None:
        self.scores += 1
        value = min(max(score, -LARGEST), LARGEST)
        self._put(Stretch(media_us, value, value))
        while len(self._stretches) > STRETCHES_MAX:
            self._stretch_us *= 2
            fine, self._stretches = self._stretches, {}
            for each in fine.values():
                self._put(each)

    def trace(self, analyzer: str, *, revised: bool) -> Trace:
        in_order = sorted(self._stretches.values(), key=lambda each: each.from_us)
        return Trace(analyzer, revised, self.scores, tuple(in_order))

    def _put(self, new: Stretch) -> None:
        number = new.from_us // self._stretch_us
        old = self._stretches.get(number, new)
        self._stretches[number] = Stretch(min(old.from_us, new.from_us), min(old.low, new.low), max(old.high, new.high))
