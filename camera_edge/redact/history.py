"""Remembers what was hidden in the analysed frames of the last seconds, for frames that are shown or encoded later.

Invariant: bounded in seconds and in results; what has been forgotten makes older frames hidden, never visible.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence

from camera_edge.observation import Seen
from camera_edge.redact.grid import Grid
from camera_edge.redact.hidden import ALL, Hidden, HiddenMap
from camera_edge.redact.rule import Answered, RedactionPolicy, hidden_for

MAX_RESULTS = 20_000


class RedactionHistory:
    """One writer adds results in the order of frames; readers in other threads ask for any frame.

    Holds `keep_us` of results, and `MAX_RESULTS` at most; the oldest go first. Frames are found by their number and
    timed by their media time: a frame number that was never analysed lies between two that were.
    """

    def __init__(self, policy: RedactionPolicy, keep_us: int) -> None:
        self._policy = policy
        self._keep_us = keep_us + policy.hold_us
        self._lock = threading.Lock()
        self._results: deque[Answered] = deque()
        self._forgotten_us: int | None = None

    def add(self, seen: Seen, grid: Grid) -> Answered:
        """Take the result of one analysed frame, of pictures of this grid's size. Observations of every kind hide.

        ValueError if the frame does not come after the one added before.
        """
        hidden = grid.cover([each.box for each in seen.observations], seen.masks, self._policy.pad)
        fresh = self._policy.required <= seen.answered
        answered = Answered(seen.frame, seen.media_us, fresh, hidden)
        with self._lock:
            if self._results and seen.frame <= self._results[-1].frame:
                raise ValueError(f"result of frame {seen.frame} came after that of {self._results[-1].frame}")
            self._results.append(answered)
            self._forget(seen.media_us - self._keep_us)
        return answered

    @property
    def newest_frame(self) -> int | None:
        """The last analysed frame: frames up to it can be shown, later ones are still hidden."""
        with self._lock:
            return self._results[-1].frame if self._results else None

    def hidden(self, frame: int, media_us: int) -> Hidden:
        """What to hide of this frame, by what is known now (see `hidden_for`)."""
        with self._lock:
            if self._forgotten_us is not None and media_us - self._policy.hold_us <= self._forgotten_us:
                return ALL
            results = list(self._results)
        before, after = _around(results, frame)
        held = _held(results, media_us - self._policy.hold_us, media_us)
        return hidden_for(media_us, before, after, held, self._policy)

    def _forget(self, before_us: int) -> None:
        while self._results[0].media_us < before_us or len(self._results) > MAX_RESULTS:
            self._forgotten_us = self._results.popleft().media_us


def _around(results: Sequence[Answered], frame: int) -> tuple[Answered | None, Answered | None]:
    behind = bisect_right(results, frame, key=lambda result: result.frame)
    ahead = bisect_left(results, frame, key=lambda result: result.frame)
    before = results[behind - 1] if behind > 0 else None
    after = results[ahead] if ahead < len(results) else None
    return before, after


def _held(results: Sequence[Answered], from_us: int, to_us: int) -> list[HiddenMap]:
    first = bisect_left(results, from_us, key=lambda result: result.media_us)
    last = bisect_right(results, to_us, key=lambda result: result.media_us)
    return [result.hidden for result in results[first:last]]
