"""Measures what a sandbox costs on this machine, for the benchmark.

Invariant: it times the steps that `Analyzer` takes, on the same code.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median

from camera_edge.sandbox.guest import Guest
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


def measure(program: Program, grants: Grants, ring: RingMap, *, rounds: int = 200) -> Costs:
    """Raises ModuleError or GuestFault where the module does not start."""
    host = Host(program.manifest, grants, Services())
    linked = Imports(program, host).link()
    instantiate, mapped, call = [], [], []
    for _ in range(rounds):
        started = time.perf_counter_ns()
        guest = Guest(linked, ring)
        host.instance = guest
        guest.instantiate()
        alive = time.perf_counter_ns()
        guest.map_ring()
        ready = time.perf_counter_ns()
        for _ in range(_CALLS):
            guest.abi_version()
        done = time.perf_counter_ns()
        guest.close()
        instantiate.append(alive - started)
        mapped.append(ready - alive)
        call.append((done - ready) / _CALLS)
    return Costs(median(instantiate) / 1e3, median(mapped) / 1e3, median(call) / 1e3)
