"""The appliance's centre: one process that starts the workers, keeps what they find and shows it. It sees no pixel.

Invariant: what is opened is closed in the opposite order: viewers leave, workers finish their clips, the last clips
are taken in, the page closes, the store closes, the lock goes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from camera_edge.clock import Clock, SystemClock
from camera_edge.config import Config
from camera_edge.errors import ModuleError, OutputError
from camera_edge.hub.camera import CameraRun, Surroundings
from camera_edge.hub.child import WorkerProgram
from camera_edge.hub.intake import Intake
from camera_edge.hub.modules import ModuleFolders, make_ready, module_names
from camera_edge.hub.news import Listening, News
from camera_edge.hub.notify import ServiceNotifier
from camera_edge.hub.program import COMPILER, WORKER, empty_home
from camera_edge.hub.records import Records
from camera_edge.hub.services import HubServices
from camera_edge.hub.storage import Storage
from camera_edge.hub.supervisor import SupervisionPolicy
from camera_edge.preview import PreviewPolicy
from camera_edge.store import StateLock, Store
from camera_edge.web import WebSettings, build_app, listening

log = logging.getLogger(__name__)


def _say_nothing(_news: News) -> None:
    pass


@dataclass(frozen=True, slots=True)
class HubOptions:
    """What a test or a developer may set. compiler None: nothing is compiled before the workers start."""

    worker: Sequence[str] = WORKER
    compiler: Sequence[str] | None = COMPILER
    supervision: SupervisionPolicy = SupervisionPolicy()
    look_after_s: float = 1.0


class Hub:
    """Runs a configuration. `on_news` is called in the event loop's thread and must not block.

    Raises StateLockedError, StoreError, OutputError (the port is taken, the folder cannot be written) and ModuleError
    from `run`; what goes wrong with one camera is told and survived.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock | None = None,
        on_news: Callable[[News], None] = _say_nothing,
        options: HubOptions | None = None,
    ) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._on_news = on_news
        self._options = options or HubOptions()
        self._cameras: dict[str, CameraRun] = {}
        self._modules = ModuleFolders.of(config.state)
        self._generation = ""
        self._notifier = ServiceNotifier(os.environ)
        token = config.web.token
        self.token = token.get_secret_value() if token is not None else secrets.token_urlsafe(32)

    async def run(self, until: asyncio.Event) -> None:
        """Runs until `until` is set and everything is finished and kept."""
        config = self._config
        async with AsyncExitStack() as stack:
            stack.enter_context(StateLock(config.state))
            store = stack.enter_context(Store.open(config.state))
            reader = stack.enter_context(Store.open_to_read(config.state))
            records = self._records(store)
            stack.push_async_callback(records.close)
            await records.reconcile()
            self._modules.prepare()
            # before anything is read: what changes from now on is followed
            self._generation = self._modules.generation
            await self._make_modules_ready()
            self._cameras = self._make_cameras(records)
            services = HubServices(config.state, reader, self._cameras, self._clock)
            app = build_app(services, WebSettings(self.token, _host_names(config.web.host)))
            port = await stack.enter_async_context(listening(app, config.web.host, config.web.port))
            self._on_news(Listening(f"http://{_shown(config.web.host)}:{port}/?token={self.token}"))
            await self._run_cameras(until)

    def _records(self, store: Store) -> Records:
        state = self._config.state
        intake = Intake(state, store, self._clock)
        return Records(store, intake, Storage(state, store, self._config.storage), self._clock, self._on_news)

    async def _make_modules_ready(self) -> None:
        """Raises ModuleError where a shipped one is not; an installed one holds up only the cameras that name it."""
        if self._options.compiler is None:
            return
        names, home = module_names(self._config), empty_home(self._config.state)
        installed = [name for name in names if self._modules.is_installed(name)]
        await make_ready(self._options.compiler, self._modules, sorted({*names} - {*installed}), home)
        for name in installed:
            try:
                await make_ready(self._options.compiler, self._modules, [name], home)
            except ModuleError as exc:
                # its cameras say that it is not compiled, or what is wrong with it
                log.error("module is not ready name=%s reason=%s", name, exc)

    async def _follow_modules(self) -> None:
        """Has workers take what was installed, removed or revoked while they run."""
        while True:
            await asyncio.sleep(self._options.look_after_s)
            present = self._modules.generation
            if present == self._generation:
                continue
            self._generation = present
            # at once, for what may not run any more; and again for what is compiled by then
            self._refresh()
            try:
                await self._make_modules_ready()
            except (ModuleError, OutputError) as exc:
                log.error("new modules are not ready reason=%s", exc)
            self._refresh()

    def _refresh(self) -> None:
        for camera in self._cameras.values():
            camera.refresh()

    def _make_cameras(self, records: Records) -> dict[str, CameraRun]:
        state = self._config.state
        around = Surroundings(
            state=state,
            models=state / "models",
            modules=self._modules,
            program=WorkerProgram(self._options.worker, empty_home(state)),
            records=records,
            policy=self._options.supervision,
            preview=PreviewPolicy(ice_addresses=tuple(self._config.web.ice)),
            clock=self._clock,
            on_news=self._on_news,
        )
        enabled = {name: camera for name, camera in self._config.cameras.items() if camera.enabled}
        return {name: CameraRun(name, camera, around) for name, camera in enabled.items()}

    async def _run_cameras(self, until: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            for camera in self._cameras.values():
                tasks.create_task(camera.run(), name=f"camera-{camera.name}")
            watch = tasks.create_task(self._look_after(), name="look-after")
            follow = tasks.create_task(self._follow_modules(), name="follow-modules")
            self._notifier.ready(f"{len(self._cameras)} cameras")
            await until.wait()
            self._notifier.stopping()
            await self._stop_cameras()
            watch.cancel()
            follow.cancel()

    async def _stop_cameras(self) -> None:
        """Viewers leave, workers finish their clips for at most `stop_s`, the rest is killed."""
        await asyncio.gather(*(camera.fanout.close() for camera in self._cameras.values()))
        await asyncio.gather(*(camera.finish() for camera in self._cameras.values()))

    async def _look_after(self) -> None:
        while True:
            for camera in self._cameras.values():
                camera.look_after()
            if all(camera.is_attended() for camera in self._cameras.values()):
                self._notifier.alive()
            await asyncio.sleep(self._options.look_after_s)


async def run_until_signal(hub: Hub, for_s: float | None = None) -> None:
    """Runs the hub until SIGTERM or SIGINT, or for so many seconds; then everything is finished and kept."""
    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, until.set)
    timer = None if for_s is None else loop.call_later(for_s, until.set)
    try:
        await hub.run(until)
    finally:
        if timer is not None:
            timer.cancel()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _host_names(host: str) -> tuple[str, ...]:
    """Names that a browser may ask for; addresses are always allowed."""
    return ("localhost",) if host == "localhost" else ("localhost", host)


def _shown(host: str) -> str:
    """How a person on this machine reaches what listens at `host`."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{here}]" if ":" in here else here
