"""Decides when a camera's worker is started, when it counts as hung, and how long to wait before the next try.

Invariant: pure; time comes in as `now_ns` (monotonic), chance as a callable, so that hours of failure pass in no time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from camera_edge.link import Progress, WorkerState

_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class SupervisionPolicy:
    """Times in seconds.

    start_s: from start to the first message. silent_s: between two messages. stuck_s: in state `running` without a
    new captured or analysed frame. first_delay_s doubles with each failure up to longest_delay_s, each time varied by
    the part `jitter`; a worker that ran for steady_s starts again from first_delay_s. stop_s: to finish clips.
    """

    start_s: float = 60.0
    silent_s: float = 15.0
    stuck_s: float = 20.0
    first_delay_s: float = 0.5
    longest_delay_s: float = 60.0
    jitter: float = 0.25
    steady_s: float = 60.0
    stop_s: float = 20.0
    grace_s: float = 30.0
    """How long a decision of ours may take to show before the hub itself counts as stuck."""


class Phase(Enum):
    WAITING = "waiting"
    UP = "up"
    FINISHED = "finished"


class Supervisor:
    """The state machine of one camera's worker.

    `restarts` counts workers that ended without being told to, `hangs` those of them that had to be killed.
    """

    def __init__(self, policy: SupervisionPolicy, random: Callable[[], float]) -> None:
        self._policy = policy
        self._random = random
        self._phase = Phase.WAITING
        self._due_ns = 0
        self._started_ns = 0
        self._heard_ns: int | None = None
        self._moved_ns = 0
        self._frames = -1
        self._analysed = -1
        self._failures = 0
        self.restarts = 0
        self.hangs = 0

    @property
    def phase(self) -> Phase:
        return self._phase

    def wait_s(self, now_ns: int) -> float:
        """Seconds until the next start; 0 when it is due."""
        return max(0, self._due_ns - now_ns) / _NS

    def started(self, now_ns: int) -> None:
        self._phase = Phase.UP
        self._started_ns = self._moved_ns = now_ns
        self._heard_ns = None
        self._frames = self._analysed = -1

    def heard(self, now_ns: int) -> None:
        """A message came, of whatever kind."""
        self._heard_ns = now_ns

    def beat(self, now_ns: int, state: WorkerState, progress: Progress) -> None:
        """A heartbeat came. Only a worker that says it runs has to show progress; a stalled source is no hang."""
        self.heard(now_ns)
        if state != "running" or (progress.frames > self._frames and progress.analysed > self._analysed):
            self._moved_ns = now_ns
            self._frames, self._analysed = progress.frames, progress.analysed

    def hang(self, now_ns: int) -> str | None:
        """Why the worker counts as hung, or None."""
        if self._phase is not Phase.UP:
            return None
        if self._heard_ns is None:
            limit_s, since_ns, what = self._policy.start_s, self._started_ns, "did not start"
        elif now_ns - self._heard_ns > self._policy.silent_s * _NS:
            limit_s, since_ns, what = self._policy.silent_s, self._heard_ns, "is silent"
        else:
            limit_s, since_ns, what = self._policy.stuck_s, self._moved_ns, "makes no progress"
        return f"{what} for {limit_s:g} s" if now_ns - since_ns > limit_s * _NS else None

    def is_attended(self, now_ns: int) -> bool:
        """False where a hung worker is still there long after it should have been dealt with: the hub is stuck."""
        return self.hang(now_ns - round(self._policy.grace_s * _NS)) is None

    def ended(self, now_ns: int, *, finished: bool, hung: bool = False) -> float:
        """The worker is gone (or could not be started); returns the seconds until the next start.

        finished: it said that nothing is left to do, so it is not started again.
        """
        if finished:
            self._phase = Phase.FINISHED
            return 0.0
        was_steady = self._phase is Phase.UP and now_ns - self._started_ns >= self._policy.steady_s * _NS
        self._phase = Phase.WAITING
        self._failures = 0 if was_steady else self._failures + 1
        self.restarts += 1
        self.hangs += hung
        delay_s = self._delay_s()
        self._due_ns = now_ns + round(delay_s * _NS)
        return delay_s

    def _delay_s(self) -> float:
        # 2 ** 30 is beyond any limit, and an exponent without bound would overflow after weeks of failure
        growth = 2.0 ** min(max(self._failures - 1, 0), 30)
        delay_s = min(self._policy.first_delay_s * growth, self._policy.longest_delay_s)
        return delay_s * (1 + self._policy.jitter * (2 * self._random() - 1))
