"""Measures what a module costs on this machine: time, fuel, memory, and its C as native code where there is any.

Invariant: the sandboxed and the native build see the same slot of the same ring, one right after the other, in turns.
C runs as native code only where it is shipped, or where `Measurement.native` says so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from camera_edge.capture import Frame
from camera_edge.errors import ModuleError, UsageError
from camera_edge.frames import PrivacyMask, Ring, Slot
from camera_edge.sandbox import RuleModule, Tenant
from camera_edge.sandbox.batch import INBOX_BYTES
from camera_edge.sandbox.guest import Inbox
from camera_edge.sandbox.measure import Costs, TimedGuest, measure
from camera_edge.toolchain import Language, missing
from camera_edge.toolchain.native import NativeModule, native_module
from camera_edge.worker.rings import Rings, Scenery
from camera_edge.workshop.daytime import DayTime
from camera_edge.workshop.hearing import Hearing
from camera_edge.workshop.replay import ReplayOptions, chosen_frames, fault_of, ring_map
from camera_edge.workshop.sighted import Moment, read_moments
from camera_edge.workshop.trial import Trial
from camera_edge.workshop.workpiece import Workpiece

WAKES = 50
YARD = "synthetic:?seed=11&size=1280x720&fps=10&seconds=20&pace=0"


@dataclass(frozen=True, slots=True)
class Measurement:
    """What is measured with. `source` None: a drawn yard of 1280 x 720. `rate_hz` None: every frame.

    `native`: the module's C may run outside of the sandbox; that of a shipped module always may.
    """

    source: str | None
    rate_hz: float | None
    frames: int | None
    day_time: DayTime
    native: bool = False


@dataclass(frozen=True, slots=True)
class Spread:
    p50: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        p50, p99 = np.percentile(values, [50, 99])
        return cls(float(p50), float(p99))


@dataclass(frozen=True, slots=True)
class ModuleSpeed:
    """Times in nanoseconds.

    answer: from the frame to its checked answer, host calls included. guest: the module's own instructions.
    native: the same C as native code; None where `native_reason` says why not. wake: from asleep to the first answer.
    start: an instance, and the frames laid into it. memory_bytes: what the guest took, without the frames.
    """

    frames: int
    answer_ns: Spread
    guest_ns: Spread | None
    native_ns: Spread | None
    native_reason: str | None
    fuel: Spread
    fuel_limit: int
    memory_bytes: int | None
    start_ns: float
    wake_ns: Spread
    wasm_bytes: int


def take(piece: Workpiece, trial: Trial, wanted: Measurement) -> ModuleSpeed:
    """Raises UsageError where a rule module has nothing to look at, ModuleError for a missing answer, BuildError."""
    if not piece.module.manifest.is_rule:
        options = ReplayOptions(wanted.rate_hz, wanted.frames)
        reason = _no_native(piece, trial, allowed=wanted.native)
        return _measure_analyzer(piece, trial, chosen_frames(wanted.source or YARD, options), reason)
    if wanted.source is None:
        raise UsageError("a rule module is measured with observations", hint="name a file of them: --source FILE.jsonl")
    moments = islice(read_moments(Path(wanted.source)), wanted.frames)
    return _measure_rule_module(piece, trial, moments, wanted.day_time)


class _Stand:
    """One analyzer over one ring: awake, woken for each frame, alone with its own instructions, and native."""

    def __init__(self, piece: Workpiece, trial: Trial, ring: Ring, native_reason: str | None) -> None:
        self._trial = trial
        self._ring = ring
        self._manifest = piece.module.manifest
        self._sources = piece.sources
        self._map = ring_map(ring, copy=False)
        self._stack = ExitStack()
        self._native: NativeModule | None = None
        self.native_reason = native_reason
        self.memory_bytes = 0
        self.answer_ns: list[float] = []
        self.guest_ns: list[float] = []
        self.native_ns: list[float] = []
        self.wake_ns: list[float] = []
        self.fuel: list[float] = []

    def __enter__(self) -> Self:
        trial, enter = self._trial, self._stack.enter_context
        # first the one whose faults come with words
        self._awake = enter(trial.analyzer(self._map))
        self._sleeper = enter(trial.analyzer(self._map))
        self._guest = enter(TimedGuest(trial.program, trial.grants, self._map, trial.services))
        self.costs = measure(trial.program, trial.grants, self._map, trial.services)
        if self.native_reason is None:
            params = self._manifest.with_defaults(trial.plan.params)
            self._native = enter(native_module(self._manifest.name, params, self._sources))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def look(self, slot: Slot) -> None:
        started_ns = time.perf_counter_ns()
        answer = self._awake.analyze(slot.offset, slot.sequence, slot.media_us)
        self.answer_ns.append(time.perf_counter_ns() - started_ns)
        if answer is None:
            raise _no_answer(self._awake, slot.sequence)
        self.fuel.append(answer.fuel)
        # by turns, since who goes second finds the pixels in the cache
        turns = [self._look_alone, self._look_natively]
        for turn in turns if len(self.fuel) % 2 else reversed(turns):
            turn(slot)
        if len(self.wake_ns) < WAKES:
            self._wake(slot)

    def _look_alone(self, slot: Slot) -> None:
        self.guest_ns.append(self._guest.analyze_ns(slot.offset, (self._ring.view.width, self._ring.view.height)))
        self.memory_bytes = self._guest.memory_bytes

    def _look_natively(self, slot: Slot) -> None:
        if self._native is not None:
            self.native_ns.append(self._native.analyze_ns(self._ring.memory, slot.offset))

    def _wake(self, slot: Slot) -> None:
        self._sleeper.sleep()
        started_ns = time.perf_counter_ns()
        answer = self._sleeper.analyze(slot.offset, slot.sequence, slot.media_us)
        self.wake_ns.append(time.perf_counter_ns() - started_ns)
        if answer is None:
            raise _no_answer(self._sleeper, slot.sequence)


def _measure_analyzer(
    piece: Workpiece, trial: Trial, frames: Iterator[Frame], native_reason: str | None
) -> ModuleSpeed:
    """Looks at frames of one size. Raises ModuleError where it gives no answer, BuildError, and as `frames` do."""
    first = next(frames, None)
    if first is None:
        raise _nothing_to_measure("a recording", "CLIP")
    width, height = first.picture.width, first.picture.height
    spec = piece.module.manifest.view.spec
    outlines = [polygon.points for polygon in trial.zones.values()]
    rings = Rings([spec], width, height, Scenery(PrivacyMask(()), outlines))
    try:
        with _Stand(piece, trial, rings.ring(spec), native_reason) as stand:
            for frame in chain([first], frames):
                if (frame.picture.width, frame.picture.height) != (width, height):
                    break
                slots = rings.write(frame.picture, sequence=frame.id, media_us=frame.media_us)
                assert slots is not None, "every slot was given back"
                trial.show(frame.picture)
                stand.look(slots[rings.ring(spec)])
                rings.release(slots)
    finally:
        rings.close()
    return ModuleSpeed(
        frames=len(stand.fuel),
        answer_ns=Spread.of(stand.answer_ns),
        guest_ns=Spread.of(stand.guest_ns),
        native_ns=Spread.of(stand.native_ns) if stand.native_ns else None,
        native_reason=stand.native_reason,
        fuel=Spread.of(stand.fuel),
        fuel_limit=piece.module.manifest.limits.fuel_per_frame,
        memory_bytes=stand.memory_bytes,
        start_ns=_start_ns(stand.costs),
        wake_ns=Spread.of(stand.wake_ns),
        wasm_bytes=len(piece.module.wasm),
    )


def _measure_rule_module(piece: Workpiece, trial: Trial, moments: Iterator[Moment], day_time: DayTime) -> ModuleSpeed:
    """Raises ModuleError where it gives no answer, and as `moments` do."""
    hearing = Hearing(trial, day_time)
    answer_ns: list[float] = []
    wake_ns: list[float] = []
    fuel: list[float] = []
    with RuleModule(trial.program, trial.grants) as module, RuleModule(trial.program, trial.grants) as sleeper:
        for moment in moments:
            batch = hearing.tell(moment)
            started_ns = time.perf_counter_ns()
            ruling = module.observe(batch)
            answer_ns.append(time.perf_counter_ns() - started_ns)
            hearing.settle(moment, ruling)
            if ruling is None:
                raise _no_answer(module, moment.frame)
            fuel.append(ruling.fuel)
            sleeper.sleep()
            started_ns = time.perf_counter_ns()
            sleeper.observe(batch)
            wake_ns.append(time.perf_counter_ns() - started_ns)
        if not fuel:
            raise _nothing_to_measure("observations", "OBSERVATIONS.jsonl")
        costs = measure(trial.program, trial.grants, Inbox(INBOX_BYTES))
    return ModuleSpeed(
        frames=len(fuel),
        answer_ns=Spread.of(answer_ns),
        guest_ns=None,
        native_ns=None,
        native_reason="a rule module has no native build",
        fuel=Spread.of(fuel),
        fuel_limit=piece.module.manifest.limits.fuel_per_frame,
        memory_bytes=None,
        start_ns=_start_ns(costs),
        wake_ns=Spread.of(wake_ns),
        wasm_bytes=len(piece.module.wasm),
    )


def _no_native(piece: Workpiece, trial: Trial, *, allowed: bool) -> str | None:
    """Why nothing native is compared with; None: it is."""
    if trial.plan.models or trial.plan.brings_models:
        return "the native build runs no models"
    if piece.language is None:
        return "its source is not here"
    if piece.language is not Language.C:
        return f"{piece.language.value} has no native build"
    if not allowed and piece.module.origin != "shipped":
        return "not compared: --native"
    return missing(Language.C)


def _start_ns(costs: Costs) -> float:
    return (costs.instantiate_us + costs.map_us) * 1000


def _no_answer(tenant: Tenant, frame: int) -> ModuleError:
    hint = "camera-edge analyzer replay shows each frame"
    return ModuleError(f"no answer for frame {frame}: {fault_of(tenant)}", where=tenant.name, hint=hint)


def _nothing_to_measure(what: str, example: str) -> ModuleError:
    return ModuleError("there is no frame to measure with", hint=f"name {what}: --source {example}")
