"""One camera as the hub sees it: keeps its worker running and passes on what the worker says.

Invariant: whatever a worker does (dies, hangs, floods, talks nonsense) ends in this module; no other camera notices.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from camera_edge.clock import Clock
from camera_edge.config import CameraConfig
from camera_edge.errors import CameraEdgeError, LinkError, OutputError, StoreError
from camera_edge.hub.addresses import with_literal_host
from camera_edge.hub.budget import MessageBudget
from camera_edge.hub.child import WorkerProcess, WorkerProgram
from camera_edge.hub.modules import ModuleFolders
from camera_edge.hub.news import CameraNews
from camera_edge.hub.records import Records
from camera_edge.hub.supervisor import Phase, SupervisionPolicy, Supervisor
from camera_edge.link import (
    ClipReady,
    EventChanged,
    Fault,
    FromWorker,
    Goodbye,
    Heartbeat,
    Hello,
    KeyFrame,
    Preview,
    PreviewPacket,
    Progress,
    Refresh,
    Start,
    Stop,
)
from camera_edge.preview import Fanout, LivePacket, PreviewPolicy

log = logging.getLogger(__name__)

REAP_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all cameras of a hub share."""

    state: Path
    models: Path
    modules: ModuleFolders
    program: WorkerProgram
    records: Records
    policy: SupervisionPolicy
    preview: PreviewPolicy
    clock: Clock
    on_news: Callable[[CameraNews], None]


@dataclass(slots=True)
class WorkerReport:
    """The last that was heard of a camera."""

    state: str = "starting"
    message: str = ""
    fingerprint: str = ""
    confinement: tuple[str, ...] = ()
    progress: Progress = Progress()


class CameraRun:
    """One camera's worker over its restarts, its preview and its figures."""

    def __init__(self, name: str, config: CameraConfig, around: Surroundings) -> None:
        self.name = name
        self.report = WorkerReport()
        self._config = config
        self._around = around
        self.supervisor = Supervisor(around.policy, random.random)
        self.fanout = Fanout(name, self._preview_wanted, self._key_frame_wanted, around.preview)
        self._worker: WorkerProcess | None = None
        self._wanted = False
        self._stopping = asyncio.Event()
        self._done = asyncio.Event()
        self._handling_since_ns: int | None = None
        self._hung: str | None = None
        self._goodbye: Goodbye | None = None

    @property
    def is_live(self) -> bool:
        return self._worker is not None and self.report.state == "running"

    async def run(self) -> None:
        """Starts the worker again and again until `finish`, or until it says that nothing is left to do."""
        try:
            while not self._stopping.is_set() and self.supervisor.phase is not Phase.FINISHED:
                try:
                    await self._run_once()
                except CameraEdgeError as exc:
                    self._failed(str(exc))
                await self._pause()
            self._tell("stopped" if self._stopping.is_set() else "ended", self.report.message)
        finally:
            self._done.set()

    async def finish(self) -> None:
        """Has the worker finish its clips and exit; kills it where that takes longer than `stop_s`."""
        self._stopping.set()
        if self._worker is not None:
            self._worker.send(Stop())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._around.policy.stop_s):
                await self._done.wait()
        if self._worker is not None:
            log.error("worker did not stop camera=%s pid=%d", self.name, self._worker.pid)
            self._worker.kill()
        await self._done.wait()

    def refresh(self) -> None:
        """Has the worker take the modules that should run now."""
        if self._worker is not None:
            self._worker.send(Refresh())

    def look_after(self) -> None:
        """Kills a worker that hangs; called about once a second."""
        now_ns = self._around.clock.monotonic_ns()
        # while we are busy with one of its messages, its silence is ours; `finish` has a limit of its own
        if self._worker is None or self._hung or self._stopping.is_set() or self._handling_since_ns is not None:
            return
        self._hung = self.supervisor.hang(now_ns)
        if self._hung:
            log.error("worker hangs camera=%s pid=%d reason=%s", self.name, self._worker.pid, self._hung)
            self._worker.kill()

    def is_attended(self) -> bool:
        """False where this camera has been left alone for so long that the hub itself must be stuck."""
        return self.supervisor.is_attended(self._around.clock.monotonic_ns())

    async def _run_once(self) -> None:
        around = self._around
        self._hung, self._goodbye = None, None
        await around.records.take_in(self.name)
        source = await with_literal_host(self._config.source.get_secret_value())
        order = Start(
            camera=self.name,
            settings=self._config.settings(source),
            spool=str(around.records.spool(self.name)),
            cache=str(around.modules.cache),
            models=str(around.models),
            modules=str(around.modules.shelf),
            resume_number=await around.records.next_number(self.name),
        )
        self.supervisor.started(around.clock.monotonic_ns())
        worker = await WorkerProcess.start(around.program, order, source)
        self._worker = worker
        try:
            self._tell("starting")
            if self._wanted:
                worker.send(Preview(wanted=True))
            if self._stopping.is_set():
                worker.send(Stop())
            await self._serve(worker)
        finally:
            self._worker = None
            code = await self._reap(worker)
        await self._gone(code)

    async def _serve(self, worker: WorkerProcess) -> None:
        budget = MessageBudget()
        clock = self._around.clock
        try:
            while (message := await worker.receive()) is not None:
                self._handling_since_ns = clock.monotonic_ns()
                self.supervisor.heard(self._handling_since_ns)
                await self._handle(message)
                self._handling_since_ns = None
                wait_s = budget.take(clock.monotonic_ns())
                # a worker that was told to stop is only drained
                await asyncio.sleep(0 if self._stopping.is_set() else wait_s)
        except LinkError as exc:
            log.error("worker talks nonsense camera=%s reason=%s", self.name, exc)
            self._tell(self.report.state, str(exc))
            worker.kill()
        finally:
            self._handling_since_ns = None

    async def _handle(self, message: FromWorker) -> None:
        match message:
            case PreviewPacket():
                self.fanout.publish(LivePacket(message.data, message.key, message.pts_us))
            case Heartbeat():
                self._heartbeat(message)
            case EventChanged() | ClipReady():
                await self._record(message)
            case Hello():
                self.report.confinement = tuple(message.confinement)
                self.report.fingerprint = message.fingerprint
                log.info("worker confined camera=%s rules=%s", self.name, "; ".join(message.confinement))
            case Fault():
                text = f"{message.message} ({message.hint})" if message.hint else message.message
                self._tell(self.report.state, text)
            case Goodbye():
                self._goodbye = message

    def _heartbeat(self, message: Heartbeat) -> None:
        self.supervisor.beat(self._around.clock.monotonic_ns(), message.state, message.progress)
        self._log_modules(self.report.progress, message.progress)
        self.report.progress = message.progress
        # what went wrong stays readable until it runs again
        keep = self.report.message if message.state != "running" else ""
        self._tell(message.state, message.message or keep)

    def _log_modules(self, before: Progress, now: Progress) -> None:
        """One line for each change: another version, what is left alone, what waits."""
        known = {each.name: each.version for each in before.modules}
        for each in now.modules:
            if known.get(each.name, each.version) != each.version:
                log.warning("module swapped camera=%s name=%s version=%s", self.name, each.name, each.version)
        for text in now.quarantined:
            if text not in before.quarantined:
                log.warning("module left alone camera=%s reason=%s", self.name, text)
        for text in now.waiting:
            if text not in before.waiting:
                log.warning("module waits camera=%s reason=%s", self.name, text)

    async def _record(self, message: EventChanged | ClipReady) -> None:
        """A full disk or a damaged store is shown; the clip's files stay in the spool and are taken in later."""
        try:
            if isinstance(message, EventChanged):
                await self._around.records.event_changed(self.name, message)
            else:
                await self._around.records.clip_ready(self.name, message)
        except (StoreError, OutputError) as exc:
            log.error("record failed camera=%s reason=%s", self.name, exc)
            self._tell(self.report.state, str(exc))

    async def _reap(self, worker: WorkerProcess) -> int:
        """A worker that closed its link has a moment to exit by itself."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REAP_S):
                await worker.wait()
        return await worker.close()

    async def _gone(self, code: int) -> None:
        await self._around.records.worker_gone(self.name)
        finished = code == 0 and self._goodbye is not None and self._goodbye.ended
        if self._stopping.is_set() or finished:
            self.supervisor.ended(self._around.clock.monotonic_ns(), finished=True)
            return
        reason = f"it {self._hung}" if self._hung else _how_it_ended(code)
        self._failed(f"the worker was ended: {reason}" if self._hung else f"the worker ended: {reason}")

    def _failed(self, reason: str) -> None:
        now_ns = self._around.clock.monotonic_ns()
        delay_s = self.supervisor.ended(now_ns, finished=False, hung=self._hung is not None)
        self._tell("restarting", f"{reason}; next try in {delay_s:.1f} s")

    async def _pause(self) -> None:
        """Until the next start is due, or until we are told to stop."""
        wait_s = self.supervisor.wait_s(self._around.clock.monotonic_ns())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._stopping.wait()

    def _tell(self, state: str, message: str = "") -> None:
        """Notes the state, and logs and reports it where it is new."""
        if (state, message) == (self.report.state, self.report.message):
            return
        self.report.state, self.report.message = state, message
        log.info("camera state camera=%s state=%s message=%s", self.name, state, message)
        self._around.on_news(CameraNews(self.name, state, message))

    def _preview_wanted(self, wanted: bool) -> None:
        self._wanted = wanted
        if self._worker is not None:
            self._worker.send(Preview(wanted=wanted))

    def _key_frame_wanted(self) -> None:
        if self._worker is not None:
            self._worker.send(KeyFrame())


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
