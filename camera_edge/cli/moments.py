"""Remembers when the last analysed frames were, for scores that are given afterwards."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

# a score may be for a frame that was analysed so many frames ago; the sandbox lets no more through
LAG_MAX = 1024


@dataclass(frozen=True, slots=True)
class Moment:
    """An analysed frame and its media time."""

    frame: int
    media_us: int


class Moments:
    """Those of one source. The oldest lose."""

    def __init__(self) -> None:
        self._analysed: deque[Moment] = deque(maxlen=LAG_MAX + 1)

    def add(self, moment: Moment) -> None:
        self._analysed.append(moment)

    def before(self, lag: int) -> Moment | None:
        """The frame that was analysed so many frames before the newest; None: there was none before the first."""
        return self._analysed[-1 - lag] if lag < len(self._analysed) else None
