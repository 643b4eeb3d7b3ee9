"""Measures how long a sleeping module takes to its first verdict.

Invariant: what is timed is what a camera does: a new instance, its frames mapped, its start, one frame with its answer.
"""

from __future__ import annotations

import time

from camera_edge.bench.provision import provide
from camera_edge.errors import SandboxError
from camera_edge.frames import Ring, View
from camera_edge.picture import Picture
from camera_edge.sandbox import Analyzer, Cache, Program, RingMap, Runtime, shipped, shipped_names

WAKES = 500


def measure_waking(runtime: Runtime, cache: Cache, picture: Picture, wakes: int = WAKES) -> dict[str, list[float]]:
    """Of each shipped analyzer the milliseconds of so many wakings; a detector's answer is there at once.

    Raises SandboxError where there is no verdict, ModuleError where a module does not start.
    """
    modules = [module for module in map(shipped, shipped_names()) if not module.manifest.is_rule]
    return {module.manifest.name: _wakings_ms(runtime.load(module, cache), picture, wakes) for module in modules}


def _wakings_ms(program: Program, picture: Picture, wakes: int) -> list[float]:
    spent_ms: list[float] = []
    given = provide(program.file)
    view = View.fit(program.manifest.view.spec, picture.width, picture.height)
    with Ring(view) as ring:
        space = RingMap(ring.fd, ring.size_bytes, ring.memory)
        slot = ring.write(picture, sequence=0, media_us=0)
        assert slot is not None, "an empty ring has room"
        with Analyzer(program, given.grants, given.services, space) as analyzer:
            for number in range(wakes):
                analyzer.sleep()
                started_ns = time.perf_counter_ns()
                answer = analyzer.analyze(slot.offset, number, 0)
                spent_ms.append((time.perf_counter_ns() - started_ns) / 1e6)
                if answer is None:
                    raise SandboxError(f"no verdict after waking: {analyzer.last_fault}")
    return spent_ms
