"""Runs one camera until it ends or is told to stop: capture, analysis, clips and preview each in a thread of its own.

Invariant: capture waits for nobody. Between it and the analysis stands a short queue; where that is full, or no slot
is free, the new frame loses its analysis and is counted. A thread that fails stops the worker, which the hub restarts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event, Lock, Thread

from camera_edge.capture import Frame, Source
from camera_edge.clock import Clock
from camera_edge.errors import CameraEdgeError, ConfigError, UndecodableError
from camera_edge.event import Change, Closed, Opened, Updated
from camera_edge.link import (
    ClipReady,
    EventChanged,
    EventPhase,
    Fault,
    FromWorker,
    Heartbeat,
    PreviewPacket,
    Progress,
    WorkerState,
)
from camera_edge.picture import Picture
from camera_edge.worker.analysis import Tick
from camera_edge.worker.assembly import Assembly
from camera_edge.worker.handoff import Handoff
from camera_edge.worker.pace import Pace
from camera_edge.worker.plan import CameraPlan
from camera_edge.worker.recorder import ClipOutcome, Recorder
from camera_edge.worker.tap import Shown, Tap

log = logging.getLogger(__name__)

# frames that wait for their analysis; each holds slots of the ring
TICKS_MAX = 2
TURN_S = 0.5
# how often what modules learned is written to the disk
KEEP_NS = 60 * 1_000_000_000


@dataclass(slots=True)
class _Tally:
    """Counters that belong to one thread each."""

    dropped: int = 0
    events: int = 0
    clips: int = 0
    clip_bytes: int = 0
    preview_bytes: int = 0


class LiveCamera:
    """`run` returns when the source has ended or `stop` was set, with every clip finished.

    Raises what a thread failed with. `send` takes messages for the hub, from any thread. `keep` gets what modules'
    stores hold, now and then and at the end, never from two threads at once.
    """

    def __init__(
        self,
        source: Source,
        clock: Clock,
        stop: Event,
        send: Callable[[FromWorker], None],
        keep: Callable[[Mapping[str, bytes]], None] | None = None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._stop = stop
        self._send = send
        self._keep = keep or (lambda states: None)
        self._ticks: Handoff[Tick] = Handoff(TICKS_MAX)
        self._tally = _Tally()
        self._camera: Assembly | None = None
        # from the start: the hub may ask for the preview before the first picture
        self._tap = Tap(self._redacted, self._show, clock)
        self._failure: BaseException | None = None
        self._captured_all = False
        self._down = False
        self._renewal: Callable[[], CameraPlan] | None = None
        self._renewing = Lock()

    @property
    def ended(self) -> bool:
        """The recording is over: nothing is left to do."""
        return self._captured_all and not self._source.live

    def want_preview(self, wanted: bool) -> None:
        self._tap.want(wanted)

    def force_key(self) -> None:
        self._tap.force_key()

    def renew(self, plan: Callable[[], CameraPlan]) -> None:
        """Have the next frame analysed by the modules that should run now.

        What cannot be planned any more ends the worker with the reason, and so does a plan that needs other rules or
        other redaction, for which everything is made anew. A version that cannot be loaded leaves the old one.
        """
        with self._renewing:
            camera = self._camera
            if camera is None:
                # it is being put together, of a plan that may be the old one
                self._renewal = plan
                return
        present = camera.analysis.plan
        try:
            wanted = plan()
            if (wanted.rules, wanted.redaction) != (present.rules, present.redaction):
                raise ConfigError("the new modules need other rules or redaction, so the camera starts anew")
        except CameraEdgeError as exc:
            self._fail(exc)
            return
        try:
            camera.analysis.renew(wanted)
        except CameraEdgeError as exc:
            log.error("new modules are not taken error=%s", exc)
            self._send(Fault(f"new modules are not taken: {exc}", exc.hint or ""))

    def clip_done(self, outcome: ClipOutcome) -> None:
        """Tells the hub what became of an event's clip."""
        if outcome.clip is not None:
            self._tally.clips += 1
            self._tally.clip_bytes += outcome.clip.bytes
            self._send(ClipReady(outcome.event.id, outcome.clip.metadata))
        elif outcome.problem is not None:
            self._send(Fault(outcome.problem.message, outcome.problem.hint or ""))

    def run(self, camera: Assembly, recorder: Recorder) -> None:
        """Runs the threads, and takes the heartbeat's place in this one."""
        with self._renewing:
            self._camera, renewal = camera, self._renewal
        if renewal is not None:
            self.renew(renewal)
        stopping = Event()
        with ExitStack() as stack:
            # after the modules were closed, which may be when they write
            stack.callback(lambda: self._keep(camera.analysis.crew.states))
            stack.callback(camera.close)
            showing = self._thread("preview", lambda: self._tap.run(stopping))
            making = self._thread("clips", lambda: self._make_clips(recorder))
            looking = self._thread("analysis", lambda: self._analyze(camera, recorder))
            capturing = self._thread("capture", lambda: self._capture(camera))
            self._beat_until(capturing, looking, making)
            stopping.set()
            showing.join()
        if self._failure is not None:
            raise self._failure

    def heartbeat(self) -> Heartbeat:
        return Heartbeat(self._state(), self._progress(), self._source.problem or "")

    def _beat_until(self, *threads: Thread) -> None:
        while any(thread.is_alive() for thread in threads):
            self._send(self.heartbeat())
            for thread in threads:
                thread.join(1.0 / len(threads))
        self._send(self.heartbeat())

    def _capture(self, camera: Assembly) -> None:
        pace = Pace(self._clock)
        try:
            while not self._stop.is_set() and (grab := self._source.read()) is not None:
                self._down = not grab.frames and grab.packet is None
                for tick in camera.pipeline.take(grab):
                    self._hand_over(tick)
                self._follow(grab.frames, pace)
            if not self._stop.is_set():
                self._captured_all = True
                if camera.pipeline.frames == 0:
                    raise UndecodableError("no picture in it could be decoded", where=self._source.name)
                for tick in camera.pipeline.take_last():
                    self._hand_over(tick)
        finally:
            self._ticks.close()

    def _follow(self, frames: tuple[Frame, ...], pace: Pace) -> None:
        """Shows frames to those who look; a recording is played at its own pace, as a camera would."""
        for frame in frames:
            self._tap.offer(frame)
            if not self._source.live:
                self._stop.wait(pace.delay_s(frame.media_us))

    def _hand_over(self, tick: Tick) -> None:
        if not self._ticks.put(tick):
            tick.release()
            self._tally.dropped += 1

    def _analyze(self, camera: Assembly, recorder: Recorder) -> None:
        kept_ns = self._clock.monotonic_ns()
        try:
            while not self._ticks.drained:
                tick = self._ticks.take(TURN_S)
                if self._clock.monotonic_ns() - kept_ns >= KEEP_NS:
                    self._keep(camera.analysis.crew.states)
                    kept_ns = self._clock.monotonic_ns()
                if tick is not None:
                    step = camera.pipeline.digest(tick)
                    self._report(step.changes, recorder)
                    self._tap.settled(step.seen.frame)
        finally:
            self._report(camera.pipeline.finish(), recorder)

    def _make_clips(self, recorder: Recorder) -> None:
        while recorder.work(TURN_S):
            pass

    def _report(self, changes: Sequence[Change], recorder: Recorder) -> None:
        for change in changes:
            event = change.event
            self._tally.events += isinstance(change, Opened)
            closed_utc_ns = recorder.utc_ns(event.closed_us) if event.closed_us is not None else None
            self._send(EventChanged(_phase(change), event, recorder.utc_ns(event.opened_us), closed_utc_ns))

    def _redacted(self, frame: Frame) -> Picture:
        assert self._camera is not None, "frames come from a running camera"
        return self._camera.redactor.redact(frame.id, frame.media_us, frame.picture).picture

    def _show(self, shown: Shown) -> None:
        encoded = shown.encoded
        self._tally.preview_bytes += len(encoded.data)
        self._send(PreviewPacket(encoded.data, encoded.key, encoded.pts_us, shown.width, shown.height))

    def _state(self) -> WorkerState:
        if self._stop.is_set():
            return "stopping"
        if self._camera is None or self._camera.pipeline.frames == 0 or self._down:
            return "connecting"
        return "ended" if self._captured_all else "running"

    def _progress(self) -> Progress:
        camera = self._camera
        if camera is None:
            return Progress()
        counters, crew = self._source.counters, camera.analysis.crew
        return Progress(
            frames=camera.pipeline.frames,
            analysed=camera.analysis.analysed,
            dropped=camera.analysis.dropped + self._tally.dropped + counters.skipped,
            events=self._tally.events,
            clips=self._tally.clips,
            traps=crew.traps,
            reconnects=counters.reconnects,
            egress_bytes=self._tally.clip_bytes + self._tally.preview_bytes,
            preview_dropped=self._tap.lost,
            quarantined=[f"{name}: {reason}" for name, reason in crew.quarantined.items()],
            waiting=[*camera.analysis.plan.waiting, *crew.refusals],
            modules=crew.counts,
        )

    def _fail(self, reason: Exception) -> None:
        """Ends the worker; `run` raises the first reason."""
        if self._failure is None:
            self._failure = reason
        self._stop.set()

    def _thread(self, name: str, work: Callable[[], None]) -> Thread:
        def top() -> None:
            try:
                work()
            except Exception as exc:  # noqa: BLE001  # the top of a thread: kept, and raised again by `run`
                log.error("thread failed name=%s error=%s", name, exc)
                self._fail(exc)

        thread = Thread(target=top, name=name, daemon=True)
        thread.start()
        return thread


def _phase(change: Change) -> EventPhase:
    match change:
        case Opened():
            return "opened"
        case Updated():
            return "updated"
        case Closed():
            return "closed"
