"""The hub with scripted workers: real processes, real store, real page."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import aiohttp
import pytest

from camera_edge.config import AnalyzerConfig, Config
from camera_edge.errors import ModuleError, OutputError, StateLockedError
from camera_edge.hub import CameraNews, ClipNews, EventNews, Hub, HubOptions, Listening, News, SupervisionPolicy
from camera_edge.store import ClipState, EventState, Store

SCRIPT = Path(__file__).parent / "scripted_worker.py"
PATIENCE_S = 20.0
QUICK = SupervisionPolicy(
    start_s=PATIENCE_S, silent_s=0.5, stuck_s=0.5, first_delay_s=0.05, longest_delay_s=0.2, stop_s=PATIENCE_S
)

N = TypeVar("N", bound=News)


class RunningHub:
    """The hub, and its news as they come."""

    def __init__(self, config: Config, options: HubOptions) -> None:
        self.news: list[News] = []
        self._more = asyncio.Event()
        self.until = asyncio.Event()
        self.hub = Hub(config, on_news=self._heard, options=options)
        self.task: asyncio.Task[None] | None = None

    def _heard(self, news: News) -> None:
        self.news.append(news)
        self._more.set()

    async def wait_for(self, kind: type[N], matches: Callable[[N], bool] = lambda _: True, *, count: int = 1) -> N:
        """The `count`th news of this kind that matches. Fails where the hub ends first, or after 20 s."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = [news for news in self.news if isinstance(news, kind) and matches(news)]
                if len(found) >= count:
                    return found[count - 1]
                assert self.task is not None
                if self.task.done():
                    await self.task
                    raise AssertionError(f"the hub ended; it told {self.news}")
                self._more.clear()
                waiting = asyncio.create_task(self._more.wait())
                await asyncio.wait({waiting, self.task}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()

    async def state(self, camera: str, state: str, *, count: int = 1) -> CameraNews:
        return await self.wait_for(CameraNews, lambda n: (n.camera, n.state) == (camera, state), count=count)

    async def said(self, camera: str, words: str) -> CameraNews:
        return await self.wait_for(CameraNews, lambda n: n.camera == camera and words in n.message)

    async def event(self, phase: str, camera: str = "front") -> EventNews:
        return await self.wait_for(EventNews, lambda n: (n.event.camera, n.phase) == (camera, phase))

    async def clip(self, camera: str = "front") -> ClipNews:
        return await self.wait_for(ClipNews, lambda n: n.event.camera == camera)

    async def address(self) -> str:
        return (await self.wait_for(Listening)).address


class Appliance:
    """Makes hubs over one state folder. Cameras are given as NAME=BEHAVIOUR (or a whole source)."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.policy = QUICK

    def config(self, **cameras: str) -> Config:
        return Config.model_validate(
            {
                "version": 1,
                "state": str(self.state),
                "web": {"listen": "127.0.0.1:0", "token": "a-token-for-tests"},
                "storage": {"headroom": 0},
                "cameras": {
                    name: {"source": source if ":" in source else f"script:{source}"}
                    for name, source in cameras.items()
                },
            }
        )

    @asynccontextmanager
    async def run(self, **cameras: str) -> AsyncIterator[RunningHub]:
        """Runs a hub while the block runs; afterwards it is told to stop and has ended."""
        options = HubOptions(
            worker=(sys.executable, "-I", str(SCRIPT)), compiler=None, supervision=self.policy, look_after_s=0.05
        )
        running = RunningHub(self.config(**cameras), options)
        running.task = asyncio.create_task(running.hub.run(running.until))
        try:
            yield running
        finally:
            running.until.set()
            async with asyncio.timeout(PATIENCE_S * 2):
                await running.task


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    return Appliance(tmp_path / "state")


def rows(state: Path) -> list[tuple[str, EventState, ClipState | None]]:
    with Store.open_to_read(state) as store:
        return [(row.event.camera, row.state, row.clip.state if row.clip else None) for row in store.events()]


async def test_a_worker_runs_until_the_hub_is_stopped(appliance: Appliance) -> None:
    async with appliance.run(front="steady") as running:
        await running.state("front", "running")
    assert running.news[-1] == CameraNews("front", "stopped", "")


async def test_a_worker_that_dies_is_started_again_and_others_run_on(appliance: Appliance) -> None:
    async with appliance.run(front="dies", back="steady") as running:
        await running.state("back", "running")
        await running.wait_for(CameraNews, lambda n: n.camera == "front" and "signal SIGSEGV" in n.message, count=3)
    assert [news.state for news in running.news if isinstance(news, CameraNews) and news.camera == "back"] == [
        "running",
        "stopped",
    ]


@pytest.mark.parametrize(("behaviour", "reason"), [("silent", "is silent"), ("stuck", "makes no progress")])
async def test_a_worker_that_hangs_is_killed_and_started_again(
    appliance: Appliance, behaviour: str, reason: str
) -> None:
    appliance.policy = replace(QUICK, stop_s=0.1)
    async with appliance.run(front=behaviour) as running:
        await running.said("front", reason)
        await running.state("front", "running", count=2)


async def test_a_stalled_source_is_no_hang(appliance: Appliance) -> None:
    appliance.policy = replace(QUICK, stop_s=0.5)
    async with appliance.run(front="stalled", back="stuck") as running:
        await running.state("front", "stalled")
        await running.wait_for(CameraNews, lambda n: n.camera == "back" and "no progress" in n.message, count=2)
    assert not [n for n in running.news if isinstance(n, CameraNews) and (n.camera, n.state) == ("front", "restarting")]


async def test_a_worker_that_talks_nonsense_is_killed_and_others_run_on(appliance: Appliance) -> None:
    appliance.policy = replace(QUICK, stop_s=0.5)
    async with appliance.run(front="nonsense", back="steady") as running:
        await running.said("front", "not a message")
        await running.state("front", "restarting", count=2)
        await running.state("back", "running")


async def test_a_worker_that_floods_leaves_the_others_their_share(appliance: Appliance) -> None:
    async with appliance.run(front="flood", back="records") as running:
        await running.state("front", "running")
        await running.clip("back")
        health = (await running.address()).partition("?")[0] + "healthz"
        async with aiohttp.ClientSession() as session, session.get(health) as answer:
            assert answer.status == 200


async def test_events_and_clips_are_kept_and_told(appliance: Appliance) -> None:
    async with appliance.run(front="records") as running:
        opened = await running.event("opened")
        closed = await running.event("closed")
        news = await running.clip()
    assert (opened.event.closed_us, closed.event.closed_us) == (None, 2_000_000)
    assert news.clip is not None and news.snapshot is not None
    assert news.clip.parent == appliance.state / "clips" / "front" / "2026-01-01"
    assert (news.clip.read_bytes(), news.snapshot.read_bytes()) == (b"video" * 2000, b"snapshot")
    assert json.loads(news.metadata.read_text())["event"]["kind"] == "person"
    assert rows(appliance.state) == [("front", EventState.CLOSED, ClipState.STORED)]
    assert list((appliance.state / "spool" / "front").iterdir()) == []


async def test_repeated_messages_change_nothing(appliance: Appliance) -> None:
    async with appliance.run(front="repeats") as running:
        await running.said("front", "all said")
    assert rows(appliance.state) == [("front", EventState.CLOSED, ClipState.STORED)]


async def test_stopping_lets_a_worker_finish_its_clip(appliance: Appliance) -> None:
    async with appliance.run(front="finishes_clip") as running:
        await running.event("opened")
    assert await running.clip()
    assert rows(appliance.state) == [("front", EventState.CLOSED, ClipState.STORED)]


async def test_a_worker_that_does_not_stop_is_killed_and_its_events_are_interrupted(appliance: Appliance) -> None:
    appliance.policy = replace(QUICK, stop_s=0.1)
    async with appliance.run(front="stubborn") as running:
        await running.event("opened")
    assert rows(appliance.state) == [("front", EventState.INTERRUPTED, None)]


async def test_what_a_crashed_worker_left_is_taken_in_and_ids_go_on(appliance: Appliance) -> None:
    async with appliance.run(front="crashes_with_clip") as running:
        await running.clip()
        await running.state("front", "running")
    assert rows(appliance.state) == [("front", EventState.CLOSED, ClipState.STORED)]
    assert await running.said("front", "exit code 9")


@pytest.mark.parametrize(("behaviour", "words"), [("climbs", "secret.json"), ("impersonates", "event of other")])
async def test_a_worker_that_reaches_beyond_its_camera_is_killed(
    appliance: Appliance, behaviour: str, words: str
) -> None:
    async with appliance.run(front=behaviour) as running:
        await running.said("front", words)
        await running.state("front", "restarting")
    assert rows(appliance.state) == []


async def test_a_source_that_is_over_is_not_started_again(appliance: Appliance) -> None:
    async with appliance.run(front="ends", back="steady") as running:
        await running.state("front", "ended")
        await running.state("back", "running")
    assert not [n for n in running.news if isinstance(n, CameraNews) and n.state == "restarting"]


async def test_a_worker_gets_no_credentials_but_by_its_link(appliance: Appliance) -> None:
    source = "rtsp://topsecretuser:topsecretpass@127.0.0.1:8554/cam:inventory"
    os.environ["CAMERA_EDGE_TEST_SECRET"] = "topsecretpass"
    try:
        async with appliance.run(front=source) as running:
            await running.said("front", "written")
    finally:
        del os.environ["CAMERA_EDGE_TEST_SECRET"]
    facts = json.loads((appliance.state / "spool" / "front" / "inventory").read_text())
    assert facts["source"] == source
    assert "topsecret" not in json.dumps([facts["argv"], facts["environ"]])
    assert facts["environ"]["ORT_DISABLE_TELEMETRY"] == "1"
    assert facts["environ"]["HOME"] == str(appliance.state / "home")
    assert (facts["home"], facts["cwd"], facts["own_group"]) == ([], "/", True)
    # standard streams, the link, its copy in the script, and the folder that is being listed
    assert len(facts["descriptors"]) == 6


async def test_what_a_worker_prints_is_logged_without_credentials(
    appliance: Appliance, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with appliance.run(front="rtsp://topsecretuser:topsecretpass@127.0.0.1:8554/cam:babbles") as running:
            await running.said("front", "said")
    assert "cannot open rtsp://***@127.0.0.1:8554/cam" in caplog.text
    assert "topsecret" not in caplog.text
    assert "topsecret" not in str(running.news)


async def test_a_second_hub_on_the_same_state_folder_is_refused(appliance: Appliance) -> None:
    async with appliance.run(front="steady") as running:
        await running.state("front", "running")
        with pytest.raises(StateLockedError, match="stop it"):
            await Hub(appliance.config(front="steady")).run(asyncio.Event())
        await running.address()


async def test_a_port_that_is_taken_stops_the_start_with_the_next_step(appliance: Appliance, tmp_path: Path) -> None:
    async with appliance.run(front="steady") as running:
        port = (await running.address()).partition("/?")[0].rpartition(":")[2]
        config = appliance.config(front="steady").model_copy(
            update={
                "state": tmp_path / "other",
                "web": appliance.config(front="x").web.model_copy(update={"listen": f"127.0.0.1:{port}"}),
            }
        )
        with pytest.raises(OutputError, match="another port"):
            await Hub(config, options=HubOptions(compiler=None)).run(asyncio.Event())


async def test_modules_that_do_not_compile_stop_the_start(appliance: Appliance) -> None:
    compiler = ("/bin/sh", "-c", "echo the module is broken >&2; exit 70")
    with pytest.raises(ModuleError, match="the module is broken"):
        await Hub(appliance.config(front="steady"), options=HubOptions(compiler=compiler)).run(asyncio.Event())


async def test_an_installed_module_that_does_not_compile_holds_up_only_its_cameras(
    appliance: Appliance, caplog: pytest.LogCaptureFixture
) -> None:
    (appliance.state / "analyzers" / "modules" / "swollen").mkdir(parents=True)
    compiler = ("/bin/sh", "-c", 'for name; do [ "$name" != swollen ] || { echo too much >&2; exit 70; }; done')
    config = appliance.config(front="steady")
    cameras = {"front": config.cameras["front"].model_copy(update={"analyzers": {"swollen": AnalyzerConfig()}})}
    options = HubOptions(worker=(sys.executable, "-I", str(SCRIPT)), compiler=compiler, supervision=QUICK)
    running = RunningHub(config.model_copy(update={"cameras": cameras}), options)
    running.task = asyncio.create_task(running.hub.run(running.until))
    await running.state("front", "running")
    running.until.set()
    await running.task
    assert "module is not ready name=swollen" in caplog.text and "too much" in caplog.text


async def test_a_lost_store_is_rebuilt_from_the_clips(appliance: Appliance) -> None:
    async with appliance.run(front="records") as running:
        await running.clip()
    for path in appliance.state.glob("camera-edge.db*"):
        path.unlink()
    async with appliance.run(front="steady") as running:
        await running.state("front", "running")
    assert rows(appliance.state) == [("front", EventState.CLOSED, ClipState.STORED)]


async def test_the_page_tells_states_events_and_clips(appliance: Appliance) -> None:
    async with appliance.run(front="records", back="dies") as running:
        news: EventNews = await running.event("closed")
        await running.clip()
        await running.state("front", "running")
        await running.state("back", "restarting")
        base = (await running.address()).partition("/?")[0]
        bearer = {"Authorization": f"Bearer {running.hub.token}"}
        async with aiohttp.ClientSession(headers=bearer) as session:
            async with session.get(f"{base}/api/events") as answer:
                events = (await answer.json())["events"]
            async with session.get(f"{base}/events/{news.event.id}/clip.mp4") as answer:
                assert await answer.read() == b"video" * 2000
            async with session.get(f"{base}/api/status") as answer:
                cameras = {camera["name"]: camera for camera in (await answer.json())["cameras"]}
            async with session.get(f"{base}/healthz") as answer:
                assert answer.status == 503
                assert "back" in await answer.text()
    assert [(event["id"], event["kind"]) for event in events] == [(news.event.id, "person")]
    assert cameras["front"]["live"] is True
    assert cameras["front"]["confinement"] == ["scripted"]
    assert cameras["back"]["live"] is False
    assert cameras["back"]["counters"]["restarts"] >= 1


async def test_systemd_hears_that_the_hub_is_ready_alive_and_stopping(
    appliance: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "60000000")
        async with appliance.run(front="steady") as running:
            await running.state("front", "running")
            heard = [await asyncio.get_running_loop().sock_recv(systemd, 100) for _ in range(3)]
        assert heard == [b"READY=1\nSTATUS=1 cameras", b"WATCHDOG=1", b"WATCHDOG=1"]
        while (message := systemd.recv(100)) == b"WATCHDOG=1":
            pass
        assert message == b"STOPPING=1"


async def test_preview_packets_are_asked_for_while_somebody_looks(appliance: Appliance) -> None:
    async with appliance.run(front="shows") as running:
        await running.state("front", "running")
        camera = running.hub._cameras["front"]
        assert camera.fanout.counters.packets_published == 0
        camera._preview_wanted(True)
        camera._key_frame_wanted()
        async with asyncio.timeout(20):
            while camera.fanout.counters.packets_published < 3:
                await asyncio.sleep(0)
        camera._preview_wanted(False)


async def test_a_store_that_fails_is_shown_and_clips_stay_in_the_spool(appliance: Appliance) -> None:
    async with appliance.run(front="steady") as running:
        await running.state("front", "running")
    # a table that takes nothing stands for a disk that takes nothing
    with sqlite3.connect(appliance.state / "camera-edge.db") as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON clips BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    connection.close()
    async with appliance.run(front="records") as running:
        await running.said("front", "disk full")
        await running.event("closed")
    with sqlite3.connect(appliance.state / "camera-edge.db") as connection:
        connection.execute("DROP TRIGGER full")
    connection.close()
    async with appliance.run(front="steady") as running:
        await running.state("front", "running")
    assert rows(appliance.state) == [("front", EventState.CLOSED, ClipState.STORED)]
