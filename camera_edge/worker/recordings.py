"""Runs the worker's pipeline over a recording, in this process, pulling every frame: nothing is dropped.

Invariant: one thread, no clock: the same recording gives the same steps and events, in the same order.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from camera_edge.capture import Grab, Source, SourceOptions, open_source
from camera_edge.clips import ClipFolder
from camera_edge.errors import UndecodableError
from camera_edge.event import Change, Closed, Event
from camera_edge.worker.assembly import Assembly, Output, Sandboxing, assemble_camera
from camera_edge.worker.pipeline import Step
from camera_edge.worker.plan import CameraPlan
from camera_edge.worker.recorder import ClipOutcome


@dataclass(frozen=True, slots=True)
class EventEnded:
    """A closed event, with what became of its clip; `outcome` None: none was asked for."""

    event: Event
    outcome: ClipOutcome | None


@dataclass(frozen=True, slots=True)
class Summary:
    """The end of a recording. `warning`: why it ended early; `quarantined`: analyzers that stopped, with the reason."""

    frames: int
    analysed: int
    seconds: float
    cpu_s: float
    events: int
    traps: int
    dropped: int
    egress_bytes: int
    warning: str | None
    quarantined: dict[str, str]


RecordingNews = Step | EventEnded | Summary


class RecordingRun:
    """One recording. `run()` yields every step and ended event, and the summary last.

    Raises SourceError where it cannot be opened, UndecodableError where no picture is in it, and what planning raises.
    """

    def __init__(self, address: str, plan: CameraPlan, sandboxing: Sandboxing, out: Path | None) -> None:
        self._address = address
        self._plan = plan
        self._sandboxing = sandboxing
        self._out = out
        self._outcomes: dict[str, ClipOutcome] = {}
        self._closed: dict[str, Event] = {}
        self._events = 0
        self._egress_bytes = 0

    def run(self) -> Iterator[RecordingNews]:
        started_s, started_cpu_s = time.perf_counter(), time.process_time()
        with open_source(self._address, SourceOptions()) as source:
            camera = assemble_camera(self._plan, self._sandboxing, self._output(source))
            try:
                yield from self._steps(source, camera)
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
                traps=camera.analysis.traps,
                dropped=camera.analysis.dropped,
                egress_bytes=self._egress_bytes,
                warning=source.problem,
                quarantined=camera.analysis.quarantined,
            )

    def _steps(self, source: Source, camera: Assembly) -> Iterator[RecordingNews]:
        while (grab := source.read()) is not None:
            yield from self._step(grab, camera)
        for tick in camera.pipeline.take_last():
            step = camera.pipeline.digest(tick)
            yield step
            yield from self._ended(step.changes, camera)
        yield from self._ended(camera.pipeline.finish(), camera)

    def _step(self, grab: Grab, camera: Assembly) -> Iterator[RecordingNews]:
        for tick in camera.pipeline.take(grab):
            step = camera.pipeline.digest(tick)
            yield step
            yield from self._ended(step.changes, camera)

    def _ended(self, changes: Sequence[Change], camera: Assembly) -> Iterator[EventEnded]:
        """Events whose clips are finished by now, in the order of closing; without clips, as they close."""
        for change in changes:
            if isinstance(change, Closed):
                self._closed[change.event.id] = change.event
        if camera.recorder is not None:
            camera.recorder.work()
        for event in list(self._closed.values()):
            outcome = self._outcomes.get(event.id)
            if camera.recorder is None or outcome is not None:
                del self._closed[event.id]
                self._events += 1
                yield EventEnded(event, outcome)

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
