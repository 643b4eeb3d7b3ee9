"""Runs the worker's pipeline over a recording, in this process, pulling every frame: nothing is dropped.

Invariant: one thread, no clock: the same recording gives the same steps and events, in the same order.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from camera_edge.capture import Frame, Grab, Source, SourceOptions, open_source
from camera_edge.clips import ClipFolder
from camera_edge.errors import SourceError, UndecodableError
from camera_edge.event import Change, Closed, Event
from camera_edge.link import ModuleProgress
from camera_edge.worker.analysis import Tick
from camera_edge.worker.assembly import Assembly, Output, Sandboxing, assemble_camera
from camera_edge.worker.pipeline import Step
from camera_edge.worker.plan import CameraPlan
from camera_edge.worker.provenance import Provenance, provenance
from camera_edge.worker.recorder import ClipOutcome
from camera_edge.worker.snapshots import Snapshot, Snapshots


@dataclass(frozen=True, slots=True)
class EventEnded:
    """A closed event, with what became of its clip, and its best frame; None: not asked for."""

    event: Event
    outcome: ClipOutcome | None
    snapshot: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """The end of a recording.

    warnings: what was not as it should be, and was survived. broken: analyzers whose answers are incomplete, with the
    reason. made_of: what analysed it in the end. modules: what each module did. states: what each module's store held
    at the end.
    """

    frames: int
    analysed: int
    seconds: float
    cpu_s: float
    events: int
    traps: int
    dropped: int
    egress_bytes: int
    warnings: tuple[str, ...]
    broken: Mapping[str, str]
    made_of: Provenance
    modules: tuple[ModuleProgress, ...] = ()
    states: Mapping[str, bytes] = field(default_factory=dict)


RecordingNews = Step | EventEnded | Summary


class RecordingRun:
    """One recording. `run()` yields every step and ended event, and the summary last; close it if you leave early.

    Raises SourceError where it cannot be opened, UndecodableError where no picture is in it, ModuleError, ModelError
    and OutputError. Where a source drops on the way, what it gave until then is brought to its end first.
    """

    def __init__(
        self, address: str, plan: CameraPlan, sandboxing: Sandboxing, out: Path | None, *, snapshots: bool = False
    ) -> None:
        self._address = address
        self._plan = plan
        self._sandboxing = sandboxing
        self._out = out
        self._wants_snapshots = snapshots
        self._snapshots: Snapshots | None = None
        self._newest: Frame | None = None
        self._outcomes: dict[str, ClipOutcome] = {}
        self._closed: dict[str, EventEnded] = {}
        self._events = 0
        self._egress_bytes = 0
        self._lost: SourceError | None = None

    def run(self) -> Generator[RecordingNews, None, None]:
        started_s, started_cpu_s = time.perf_counter(), time.process_time()
        with open_source(self._address, SourceOptions()) as source:
            camera = assemble_camera(self._plan, self._sandboxing, self._output(source))
            if self._wants_snapshots:
                self._snapshots = Snapshots(camera.redactor)
            try:
                yield from self._steps(source, camera)
                made_of = provenance(camera.analysis.plan, camera.analysis.crew.versions, source.fingerprint())
            finally:
                camera.close()
            if camera.pipeline.frames == 0:
                raise UndecodableError(
                    "no picture in it could be decoded", where=source.name, hint="give a video that plays"
                )
            yield Summary(
                frames=camera.pipeline.frames,
                analysed=camera.analysis.analysed,
                seconds=time.perf_counter() - started_s,
                cpu_s=time.process_time() - started_cpu_s,
                events=self._events,
                traps=camera.analysis.crew.traps,
                dropped=camera.analysis.dropped,
                egress_bytes=self._egress_bytes,
                warnings=_warnings(source, camera),
                broken=camera.analysis.crew.broken,
                made_of=made_of,
                modules=tuple(camera.analysis.crew.counts),
                states=camera.analysis.crew.states,
            )
        if self._lost is not None:
            raise self._lost

    def _steps(self, source: Source, camera: Assembly) -> Iterator[RecordingNews]:
        while (grab := self._read(source, camera)) is not None:
            yield from self._step(grab, camera)
        for tick in camera.pipeline.take_last():
            yield from self._digested(tick, self._newest, camera)
        yield from self._ended(camera.pipeline.finish(), camera)

    def _read(self, source: Source, camera: Assembly) -> Grab | None:
        try:
            return source.read()
        except SourceError as exc:
            if camera.pipeline.frames == 0:
                raise
            self._lost = exc
            return None

    def _step(self, grab: Grab, camera: Assembly) -> Iterator[RecordingNews]:
        pictures = {frame.id: frame for frame in grab.frames}
        for tick in camera.pipeline.take(grab):
            yield from self._digested(tick, pictures[tick.frame], camera)
        self._newest = grab.frames[-1] if grab.frames else self._newest

    def _digested(self, tick: Tick, frame: Frame | None, camera: Assembly) -> Iterator[RecordingNews]:
        step = camera.pipeline.digest(tick)
        if self._snapshots is not None and frame is not None:
            over = {change.event.best_frame for change in step.changes if isinstance(change, Closed)}
            self._snapshots.look(step.seen, frame.picture, camera.pipeline.best_frames | over)
        yield step
        yield from self._ended(step.changes, camera)

    def _ended(self, changes: Sequence[Change], camera: Assembly) -> Iterator[EventEnded]:
        """Events whose clips are finished by now, in the order of closing; without clips, as they close."""
        for change in changes:
            if isinstance(change, Closed):
                self._closed[change.event.id] = EventEnded(change.event, None, self._snapshot_of(change.event))
        if camera.recorder is not None:
            camera.recorder.work()
        for ended in list(self._closed.values()):
            outcome = self._outcomes.pop(ended.event.id, None)
            if camera.recorder is None or outcome is not None:
                del self._closed[ended.event.id]
                self._events += 1
                yield replace(ended, outcome=outcome)

    def _snapshot_of(self, event: Event) -> Snapshot | None:
        return None if self._snapshots is None else self._snapshots.of(event.best_frame)

    def _output(self, source: Source) -> Output | None:
        if self._out is None:
            return None
        folder = ClipFolder(self._out)
        folder.open()
        return Output(folder, source.fingerprint(), self._note)

    def _note(self, outcome: ClipOutcome) -> None:
        self._outcomes[outcome.event.id] = outcome
        if outcome.clip is not None:
            self._egress_bytes += outcome.clip.bytes


def _warnings(source: Source, camera: Assembly) -> tuple[str, ...]:
    warnings = [] if source.problem is None else [f"{source.problem}; what decoded was used"]
    faults = camera.analysis.crew.faults
    for each in camera.analysis.crew.counts:
        if each.faults:
            last = f"; the last: {faults[each.name]}" if each.name in faults else ""
            warnings.append(f"{each.faults} times the analyzer {each.name} gave no answer for a frame{last}")
    for name, count in camera.analysis.refused.items():
        warnings.append(f"analyzer {name} gave more than it may; {count} outputs were not taken")
    return tuple(warnings)
