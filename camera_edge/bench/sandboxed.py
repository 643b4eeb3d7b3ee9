"""One analyzer in the sandbox against the same C as native code, frame by frame in turn.

Invariant: both see the same slot of the same ring, one right after the other, so that neither finds a warmer machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from camera_edge.capture import Frame
from camera_edge.frames import Ring, View
from camera_edge.sandbox import Grants, RingMap
from camera_edge.sandbox.measure import Costs, TimedGuest, measure
from camera_edge.toolchain.native import native_module
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.plan import AnalyzerPlan


@dataclass(frozen=True, slots=True)
class Speed:
    """Medians per frame in milliseconds: the module's own instructions on both sides.

    By the wall clock, which costs nothing to read; a frame that was interrupted does not move a median.

    What the host's checks cost besides is part of the stage `analyze` of the pipeline.
    """

    sandbox_ms: float
    native_ms: float | None
    costs: Costs


def measure_speed(plan: AnalyzerPlan, frames: Sequence[Frame], sandboxing: Sandboxing) -> Speed:
    """Raises ModuleError where either build does not start."""
    program = sandboxing.runtime.load(plan.module, sandboxing.cache)
    grants = Grants(plan.capabilities, plan.params)
    params = plan.module.manifest.with_defaults(plan.params)
    picture = frames[0].picture
    view = View.fit(plan.module.manifest.view.spec, picture.width, picture.height)
    with ExitStack() as stack:
        ring = stack.enter_context(Ring(view))
        ring_map = RingMap(ring.fd, ring.size_bytes)
        costs = measure(program, grants, ring_map)
        guest = stack.enter_context(TimedGuest(program, grants, ring_map))
        native = stack.enter_context(native_module(plan.name, params))
        sandbox_ms: list[float] = []
        native_ms: list[float] = []
        for number, frame in enumerate(frames):
            slot = ring.write(frame.picture, sequence=frame.id, media_us=frame.media_us)
            assert slot is not None, "every slot is given back"
            # by turns, since who goes second finds the pixels in the cache
            if number % 2:
                sandbox_ms.append(guest.analyze_ns(slot.offset, (view.width, view.height)) / 1e6)
            if native is not None:
                native_ms.append(native.analyze_ns(ring.memory, slot.offset) / 1e6)
            if not number % 2:
                sandbox_ms.append(guest.analyze_ns(slot.offset, (view.width, view.height)) / 1e6)
            ring.release(slot)
    return Speed(median(sandbox_ms), median(native_ms) if native_ms else None, costs)
