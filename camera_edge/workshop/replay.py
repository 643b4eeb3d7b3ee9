"""Runs one analyzer over a recording, frame by frame, and gives what it said as lines.

Invariant: nothing but the module runs; the same views give the same lines, however often and wherever.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from camera_edge.address import safe_address
from camera_edge.capture import Frame, SourceOptions, open_source
from camera_edge.capture.address import Kind, parse_address
from camera_edge.errors import UndecodableError, UsageError
from camera_edge.frames import PrivacyMask, Ring
from camera_edge.picture import ViewSpec
from camera_edge.sandbox import Analyzer, RingMap, Tenant
from camera_edge.worker.rings import Rings, Scenery
from camera_edge.worker.sampler import Sampler
from camera_edge.workshop.lines import MICROSECONDS, FaultLine, Line, ReplayLine, ViewLine, frame_line
from camera_edge.workshop.trial import Trial

RATE_HZ = 5.0


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """`rate_hz` None: every frame. `frames`: analysed frames at most. `copy`: frames are copied, not mapped."""

    rate_hz: float | None = RATE_HZ
    frames: int | None = None
    copy: bool = False


def replay(address: str, trial: Trial, options: ReplayOptions) -> Iterator[Line]:
    """Lines of a clip. Raises SourceError, UndecodableError, ModuleError; UsageError for a source without end."""
    safe = safe_address(address)
    is_path = parse_address(address).kind is Kind.PATH
    yield ReplayLine(trial.plan.name, Path(safe).name if is_path else safe)
    seats = _Seats(trial, copy=options.copy)
    analysed = 0
    try:
        for frame in chosen_frames(address, options):
            yield from seats.look(frame)
            analysed += 1
    finally:
        seats.close()
    if not analysed:
        raise UndecodableError("no picture in it could be decoded", where=safe, hint="give a video that plays")


def chosen_frames(address: str, options: ReplayOptions) -> Iterator[Frame]:
    """The frames of a recording that `analyze` would look at: those that are due, and the last one."""
    sampler = Sampler(options.rate_hz)
    chosen, last = 0, None
    with open_source(address, SourceOptions()) as source:
        if options.frames is None and (source.live or drawn_s(address) == 0):
            hint = "say how many frames: --frames N; a synthetic camera with pace=0 and seconds=N is a recording"
            raise UsageError("this source has no end", where=source.name, hint=hint)
        while (grab := source.read()) is not None:
            for frame in grab.frames:
                due = sampler.due(frame.media_us)
                last = None if due else frame
                if due:
                    yield frame
                    chosen += 1
                if chosen == options.frames:
                    return
    if last is not None:
        yield last


def drawn_s(address: str) -> int | None:
    """How long a drawn scene is, in seconds, 0: without end; None for any other source. Raises UsageError."""
    parsed = parse_address(address)
    if parsed.kind is not Kind.SYNTHETIC:
        return None
    seconds = parsed.parameters.get("seconds", "0")
    return int(seconds) if seconds.isascii() and seconds.isdigit() else 0


class _Seats:
    """The module in front of frames; another picture size gets another ring and a new instance."""

    def __init__(self, trial: Trial, *, copy: bool) -> None:
        self._trial = trial
        self._copy = copy
        self._spec: ViewSpec = trial.plan.module.manifest.view.spec
        self._stack = ExitStack()
        self._rings: Rings | None = None
        self._analyzer: Analyzer | None = None

    def look(self, frame: Frame) -> Iterator[Line]:
        picture = frame.picture
        if self._rings is None or (self._rings.width, self._rings.height) != (picture.width, picture.height):
            yield self._sit(picture.width, picture.height)
        assert self._rings is not None and self._analyzer is not None
        slots = self._rings.write(picture, sequence=frame.id, media_us=frame.media_us)
        assert slots is not None, "every slot was given back"
        try:
            self._trial.show(picture)
            offset = slots[self._rings.ring(self._spec)].offset
            answer = self._analyzer.analyze(offset, frame.id, frame.media_us)
        finally:
            self._rings.release(slots)
        if answer is None:
            yield FaultLine(frame.id, frame.media_us / MICROSECONDS, fault_of(self._analyzer))
        else:
            yield frame_line(frame.id, frame.media_us, answer)

    def close(self) -> None:
        self._stack.close()

    def _sit(self, width: int, height: int) -> ViewLine:
        self._stack.close()
        outlines = [polygon.points for polygon in self._trial.zones.values()]
        rings = self._rings = Rings([self._spec], width, height, Scenery(PrivacyMask(()), outlines))
        self._stack.callback(rings.close)
        ring = rings.ring(self._spec)
        self._analyzer = self._stack.enter_context(self._trial.analyzer(ring_map(ring, copy=self._copy)))
        return ViewLine(ring.view.format.name.lower(), ring.view.width, ring.view.height)


def ring_map(ring: Ring, *, copy: bool) -> RingMap:
    return RingMap(None if copy else ring.fd, ring.size_bytes, ring.memory if copy else None)


def fault_of(tenant: Tenant) -> str:
    """Why there was no answer, without the name of the module, which the first line has."""
    return tenant.quarantined or (tenant.last_fault or "").removeprefix(f"{tenant.name}: ")
