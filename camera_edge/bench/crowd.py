"""Measures what many sandboxes hold: a thousand of them awake, and the same asleep.

Invariant: figures are of this process's own, anonymous memory, before, with and after, in one run; pages of frames are
shared with the ring, and so are none of it.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from camera_edge.frames import Ring, View
from camera_edge.picture import PixelFormat
from camera_edge.sandbox import Analyzer, Grants, Program, RingMap, Services

SANDBOXES = 1000
# so often are they woken and put to sleep before it counts: until then the C allocator still spreads out
_SETTLING = 8
RING_BYTES = 4 << 20
# four slots of one megabyte, header included
_VIEW = View(PixelFormat.GRAY8, 1024, 1023)


@dataclass(frozen=True, slots=True)
class Crowd:
    """`awake_mb`: how much more memory so many sandboxes take than none, each started, with a ring of `ring_mb` mapped.

    asleep_bytes: how much of that guests keep while they sleep: the difference to before they were woken, all of them
    together. host_kb: what the host keeps for each, asleep or awake: its linked imports and its counters.
    asleep_mappings: ranges of address space that sleeping guests keep.
    """

    sandboxes: int
    ring_mb: float
    awake_mb: float
    asleep_bytes: int
    asleep_mappings: int
    host_kb: float


def measure_crowd(program: Program, grants: Grants, sandboxes: int = SANDBOXES) -> Crowd:
    """Raises ModuleError where the module does not start."""
    with ExitStack() as stack:
        ring = stack.enter_context(Ring(_VIEW))
        space = RingMap(ring.fd, ring.size_bytes, ring.memory)
        none = _held_bytes()
        crowd = [Analyzer(program, grants, Services(), space) for _ in range(sandboxes)]
        for _ in range(_SETTLING):
            _wake(crowd)
            _sleep(crowd)
        linked, mappings = _held_bytes(), _mappings()
        _wake(crowd)
        awake = _held_bytes()
        _sleep(crowd)
        asleep, asleep_mappings = _held_bytes(), _mappings()
    return Crowd(
        sandboxes=sandboxes,
        ring_mb=ring.size_bytes / (1 << 20),
        awake_mb=(awake - none) / 1e6,
        asleep_bytes=max(0, asleep - linked),
        asleep_mappings=asleep_mappings - mappings,
        host_kb=(linked - none) / sandboxes / 1e3,
    )


def _wake(crowd: Sequence[Analyzer]) -> None:
    for each in crowd:
        each.wake()


def _sleep(crowd: Sequence[Analyzer]) -> None:
    for each in crowd:
        each.sleep()


def _held_bytes() -> int:
    """Anonymous memory, after the allocator gave back what nobody uses."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) * 1024
    raise OSError("the kernel does not tell how much memory is anonymous")


def _mappings() -> int:
    return len(Path("/proc/self/maps").read_text().splitlines())
