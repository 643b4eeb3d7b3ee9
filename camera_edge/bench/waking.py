"""Measures how long a sleeping module takes to its first verdict.

Invariant: what is timed is what a camera does: a new instance, its frames mapped, its start, one frame.
"""

from __future__ import annotations

import time

from camera_edge.errors import SandboxError
from camera_edge.frames import Ring, View
from camera_edge.picture import Picture
from camera_edge.sandbox import Analyzer, Grants, Program, RingMap, Services

_WAKES = 500


def measure_waking(program: Program, grants: Grants, picture: Picture) -> list[float]:
    """Milliseconds of each of some hundred wakings. Raises SandboxError where there is no verdict."""
    spent_ms: list[float] = []
    view = View.fit(program.manifest.view.spec, picture.width, picture.height)
    with Ring(view) as ring:
        space = RingMap(ring.fd, ring.size_bytes, ring.memory)
        slot = ring.write(picture, sequence=0, media_us=0)
        assert slot is not None, "an empty ring has room"
        with Analyzer(program, grants, Services(), space) as analyzer:
            for number in range(_WAKES):
                analyzer.sleep()
                started_ns = time.perf_counter_ns()
                answer = analyzer.analyze(slot.offset, number, 0)
                spent_ms.append((time.perf_counter_ns() - started_ns) / 1e6)
                if answer is None:
                    raise SandboxError(f"no verdict after waking: {analyzer.last_fault}")
    return spent_ms
