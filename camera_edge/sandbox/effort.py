"""What something takes: by the wall clock, which a live camera lives by, and of this thread's processor time.

Invariant: processor time grows with what is computed alone, on however busy a machine, so that is what is told.
"""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """Nanoseconds. `now()` of two moments of one thread differ by what lay between them."""

    wall_ns: int = 0
    cpu_ns: int = 0

    @classmethod
    def now(cls) -> Effort:
        return cls(time.perf_counter_ns(), time.thread_time_ns())

    def __add__(self, other: Effort) -> Effort:
        return Effort(self.wall_ns + other.wall_ns, self.cpu_ns + other.cpu_ns)

    def __sub__(self, other: Effort) -> Effort:
        return Effort(self.wall_ns - other.wall_ns, self.cpu_ns - other.cpu_ns)
