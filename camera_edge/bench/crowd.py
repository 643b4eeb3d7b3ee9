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

import numpy as np

from camera_edge.errors import SandboxError
from camera_edge.frames import Ring, View
from camera_edge.picture import Picture, PixelFormat
from camera_edge.sandbox import Analyzer, Grants, Program, RingMap, Services

SANDBOXES = 1000
RING_BYTES = 4 << 20
# the view of the shipped analyzers, in so many slots that the ring has RING_BYTES
_VIEW = View(PixelFormat.GRAY8, 320, 180)
_SLOTS = RING_BYTES // 65536


@dataclass(frozen=True, slots=True)
class Crowd:
    """Megabytes that so many sandboxes take more than none, each with a ring of `ring_mb` mapped into it.

    started_mb: each has an instance, started. looked_mb: each has looked at a frame, so the module's own memory counts.
    asleep_mb: after all were put to sleep: what the host keeps of each, its linked imports and its counters.
    awake_mappings, asleep_mappings: how many more ranges of address space there are; each guest that is awake has some,
    so that those of sleeping ones are gone where these are far fewer than sandboxes.
    """

    sandboxes: int
    ring_mb: float
    started_mb: float
    looked_mb: float
    asleep_mb: float
    awake_mappings: int
    asleep_mappings: int


def measure_crowd(program: Program, grants: Grants, sandboxes: int = SANDBOXES) -> Crowd:
    """Raises ModuleError where the module does not start, SandboxError where one gives no answer."""
    with ExitStack() as stack:
        ring = stack.enter_context(Ring(_VIEW, slots=_SLOTS))
        space = RingMap(ring.fd, ring.size_bytes, ring.memory)
        slot = ring.write(_grey(), sequence=0, media_us=0)
        assert slot is not None, "an empty ring has room"
        none, mappings = _held_bytes(), _mappings()
        crowd = [Analyzer(program, grants, Services(), space) for _ in range(sandboxes)]
        _wake(crowd)
        started, awake_mappings = _held_bytes(), _mappings()
        for each in crowd:
            if each.analyze(slot.offset, 0, 0) is None:
                raise SandboxError(f"no answer: {each.last_fault}")
        looked = _held_bytes()
        _sleep(crowd)
        asleep, asleep_mappings = _held_bytes(), _mappings()
    return Crowd(
        sandboxes=sandboxes,
        ring_mb=ring.size_bytes / (1 << 20),
        started_mb=(started - none) / 1e6,
        looked_mb=(looked - none) / 1e6,
        asleep_mb=(asleep - none) / 1e6,
        awake_mappings=awake_mappings - mappings,
        asleep_mappings=asleep_mappings - mappings,
    )


def _grey() -> Picture:
    plane = np.full((_VIEW.height, _VIEW.width), 128, np.uint8)
    chroma = np.full((_VIEW.height // 2, _VIEW.width // 2), 128, np.uint8)
    return Picture(plane, chroma, chroma, lambda: np.dstack([plane] * 3))


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
