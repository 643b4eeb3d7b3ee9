"""Measures what a budget of fuel costs the shipped modules: the same bytes compiled with it and without.

Invariant: both see the same slot of the same ring and get the same answers of the host, in turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from camera_edge.bench.provision import provide
from camera_edge.capture import Frame
from camera_edge.frames import Ring, View
from camera_edge.sandbox import Cache, ModuleFile, Program, RingMap, Runtime, shipped, shipped_names
from camera_edge.sandbox.measure import TimedGuest

_PASSES = 7


def measure_metering(frames: Sequence[Frame]) -> dict[str, float]:
    """How many times as long each shipped analyzer takes with its budget, over `frames`, which are of one size."""
    with TemporaryDirectory(prefix="camera-edge-bench-") as folder:
        runtimes, cache = (Runtime(), Runtime(metered=False)), Cache(Path(folder) / "cache")
        return {
            module.manifest.name: _ratio(module, [runtime.load(module, cache) for runtime in runtimes], frames)
            for module in map(shipped, shipped_names())
            if not module.manifest.is_rule
        }


def _ratio(module: ModuleFile, programs: Sequence[Program], frames: Sequence[Frame]) -> float:
    """Of each frame the shortest of some passes: an interruption only ever adds."""
    passes = [_pass_ns(module, programs, frames) for _ in range(_PASSES)]
    metered_ns, free_ns = np.minimum.reduce(passes).sum(axis=0)
    return float(metered_ns / free_ns)


def _pass_ns(module: ModuleFile, programs: Sequence[Program], frames: Sequence[Frame]) -> NDArray[np.int64]:
    """Nanoseconds, frames × programs, of new instances."""
    given = provide(module)
    picture = frames[0].picture
    view = View.fit(module.manifest.view.spec, picture.width, picture.height)
    spent_ns = np.zeros((len(frames), len(programs)), np.int64)
    with ExitStack() as stack:
        ring = stack.enter_context(Ring(view))
        space = RingMap(ring.fd, ring.size_bytes, ring.memory)
        guests = [stack.enter_context(TimedGuest(program, given.grants, space, given.services)) for program in programs]
        for number, frame in enumerate(frames):
            slot = ring.write(frame.picture, sequence=frame.id, media_us=frame.media_us)
            assert slot is not None, "every slot is given back"
            # by turns, since who goes second finds the pixels in the cache
            for which in range(len(guests))[:: 1 if number % 2 else -1]:
                spent_ns[number, which] = guests[which].analyze_ns(slot.offset, (view.width, view.height))
            ring.release(slot)
    return spent_ns
