"""Decides when an analyzer that fails again and again is left alone, and when it gets another trial.

Invariant: pure; it counts frames, not time, so a replay decides the same.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """`faults` within `window_frames` frames lead to quarantine, for `rest_frames` frames at first.

    A fault within `window_frames` of the trial after that leads back at once, for twice as long, up to
    `longest_frames`. The defaults are at 5 frames a second: 5 faults in 20 s, a rest of a minute, an hour at most.
    """

    faults: int = 5
    window_frames: int = 100
    rest_frames: int = 300
    longest_frames: int = 18_000
    slow_us: int | None = None
    """A frame that takes longer counts as a fault, though its answer is taken. None: fuel alone is the budget."""


class Quarantine:
    """Call `admits()` once for every frame, and `fault()` where that frame gave no answer."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._frame = 0
        self._faults: deque[int] = deque(maxlen=policy.faults)
        self._rest_frames = policy.rest_frames
        self._until = 0
        self._probation_until = 0
        self.reason: str | None = None

    def admits(self) -> bool:
        """Whether the analyzer may look at this frame."""
        self._frame += 1
        if self.reason is not None and self._frame >= self._until:
            self.reason = None
            self._probation_until = self._frame + self._policy.window_frames
        elif self._probation_until and self._frame > self._probation_until:
            self._probation_until = 0
            self._rest_frames = self._policy.rest_frames
        return self.reason is None

    def fault(self, reason: str) -> None:
        self._faults.append(self._frame)
        recent = [frame for frame in self._faults if frame > self._frame - self._policy.window_frames]
        if len(recent) < self._policy.faults and not self._probation_until:
            return
        self._faults.clear()
        self._probation_until = 0
        count = (
            f"{len(recent)} faults in {self._policy.window_frames} frames" if len(recent) > 1 else "it failed its trial"
        )
        self.reason = f"{count}, the last: {reason}"
        self._until = self._frame + 1 + self._rest_frames
        self._rest_frames = min(2 * self._rest_frames, self._policy.longest_frames)
