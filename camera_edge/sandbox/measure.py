"""Measures what a sandbox costs on this machine, for the benchmark.

Invariant: it times the steps that `Analyzer` takes, on the same code.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from types import TracebackType

from camera_edge.sandbox.answer import Draft
from camera_edge.sandbox.guest import Guest, Inbox
from camera_edge.sandbox.host import Host
from camera_edge.sandbox.link import Imports
from camera_edge.sandbox.ringmap import RingMap
from camera_edge.sandbox.runtime import Program
from camera_edge.sandbox.services import Grants, Services

_CALLS = 100


@dataclass(frozen=True, slots=True)
class Costs:
    """Medians in microseconds: a new instance, the frames mapped into it, a call into it and back."""

    instantiate_us: float
    map_us: float
    call_us: float


def measure(
    program: Program, grants: Grants, space: RingMap | Inbox, services: Services | None = None, *, rounds: int = 200
) -> Costs:
    """Raises ModuleError or GuestFault where the module does not start."""
    host = Host(program.manifest, grants, services or Services())
    linked = Imports(program, host).link()
    instantiate, mapped, call = [], [], []
    for _ in range(rounds):
        started = time.perf_counter_ns()
        guest = Guest(linked, space)
        host.instance = guest
        guest.instantiate()
        alive = time.perf_counter_ns()
        guest.make_room()
        ready = time.perf_counter_ns()
        for _ in range(_CALLS):
            guest.abi_version()
        done = time.perf_counter_ns()
        guest.close()
        instantiate.append(alive - started)
        mapped.append(ready - alive)
        call.append((done - ready) / _CALLS)
    host.instance = None
    return Costs(median(instantiate) / 1e3, median(mapped) / 1e3, median(call) / 1e3)


class TimedGuest:
    """One instance whose own time is told apart from the host's: what it computes, without the functions it calls.

    Native code calls nothing that checks its answers, so this is what compares with it.
    """

    def __init__(self, program: Program, grants: Grants, ring: RingMap, services: Services | None = None) -> None:
        self._program = program
        self._ring = ring
        self._host = _TimedHost(program.manifest, grants, services or Services())
        self._guest = Guest(Imports(program, self._host).link(), ring)
        self._host.instance = self._guest

    def __enter__(self) -> TimedGuest:
        self._guest.start()
        self._guest.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._guest.close()
        # what the host's functions hold is held until the guest's linker goes
        self._host.instance = None

    @property
    def memory_bytes(self) -> int:
        """What the guest has taken by now, without the ring."""
        memory = self._guest.memory
        return 0 if memory is None else memory.size_bytes - self._ring.size_bytes

    def analyze_ns(self, slot_offset: int, view: tuple[int, int]) -> int:
        """Nanoseconds of the guest for the frame in this slot; `view`: its width and height. Raises GuestFault."""
        self._host.draft = Draft(self._program.manifest, *view)
        self._host.spent_ns = 0
        self._guest.refresh(slot_offset)
        started_ns = time.perf_counter_ns()
        self._guest.look_at(slot_offset)
        return time.perf_counter_ns() - started_ns - self._host.spent_ns


class _TimedHost(Host):
    """Adds up the time that its functions take."""

    spent_ns = 0

    def function(self, name: str) -> Callable[..., int | float]:
        answer = super().function(name)

        def timed(*args: int | float) -> int | float:
            started_ns = time.perf_counter_ns()
            result = answer(*args)
            self.spent_ns += time.perf_counter_ns() - started_ns
            return result

        return timed
