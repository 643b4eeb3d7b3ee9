"""A hub with two cameras and a few events, one layer below the page: fakes with failure knobs, real files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from numpy.typing import NDArray
from pytest_aiohttp.plugin import AiohttpClient

from camera_edge.errors import CameraEdgeError, StoreError
from camera_edge.observation import Box
from camera_edge.preview import Fanout, LivePacket
from camera_edge.web import CameraStatus, ClipPart, Counter, EventRow, HubStatus, WebSettings, Whep, build_app

START_UTC_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
Client = TestClient[web.Request, web.Application]
TOKEN = "a-token-of-this-test"
WIDTH, HEIGHT, FPS = 320, 180, 15


def picture(number: int) -> NDArray[np.uint8]:
    """A grey picture with a white square that moves; uint8 (180, 320, 3) in BGR."""
    pixels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    x = 6 * number % (WIDTH - 60)
    pixels[60:120, x : x + 60] = 255
    return pixels


def write_clip(path: Path, pictures: int = 30) -> None:
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(pictures):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), format="bgr24")))
        container.mux(stream.encode())


def write_snapshot(path: Path) -> None:
    codec = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
    codec.time_base = Fraction(1, FPS)
    frame = av.VideoFrame.from_ndarray(picture(9), format="bgr24").reformat(format="yuvj420p")
    path.write_bytes(b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)]))


@dataclass(frozen=True, slots=True)
class FakeSession:
    id: str
    answer_sdp: str
    etag: str


@dataclass
class FakeWhep:
    """Takes any offer, unless it is told what to fail with."""

    error: CameraEdgeError | None = None
    offers: list[str] = field(default_factory=list)
    open: dict[str, str] = field(default_factory=dict)

    async def answer(self, offer_sdp: str) -> FakeSession:
        if self.error:
            raise self.error
        self.offers.append(offer_sdp)
        session = FakeSession(f"s{len(self.offers)}", "v=0\r\ns=answer\r\n", f"tag{len(self.offers)}")
        self.open[session.id] = session.etag
        return session

    async def close_session(self, session_id: str) -> bool:
        return self.open.pop(session_id, None) is not None

    def etag(self, session_id: str) -> str | None:
        return self.open.get(session_id)


@dataclass
class FakeHub:
    """Answers the page from memory. `store_fails`: the events cannot be read."""

    folder: Path
    previews: dict[str, Whep]
    cameras: list[CameraStatus]
    rows: list[EventRow] = field(default_factory=list)
    store_fails: bool = False

    def events(self, limit: int, kind: str | None = None) -> Sequence[EventRow]:
        if self.store_fails:
            raise StoreError("the database is damaged", hint="run camera-edge doctor")
        return [row for row in self.rows if kind in (None, row.kind)][:limit]

    def clip_path(self, event_id: str, part: ClipPart) -> Path | None:
        suffix = {ClipPart.CLIP: "mp4", ClipPart.SNAPSHOT: "jpg", ClipPart.METADATA: "json"}[part]
        known = any(row.id == event_id for row in self.rows)
        return self.folder / f"{event_id}.{suffix}" if known else None

    def status(self) -> HubStatus:
        return HubStatus("0.1.0", START_UTC_NS, START_UTC_NS + 60_000_000_000, tuple(self.cameras))

    def whep(self, camera: str) -> Whep | None:
        return self.previews.get(camera)

    def set_camera(self, name: str, *, live: bool, state: str, message: str = "") -> None:
        self.cameras = [
            replace(camera, live=live, state=state, message=message) if camera.name == name else camera
            for camera in self.cameras
        ]


class LiveCamera:
    """A camera whose worker encodes while someone looks: the real fan-out over a test encoder."""

    def __init__(self) -> None:
        self.fanout = Fanout("front", self._on_wanted, self._on_key_frame)
        self.encoded = 0
        self.frozen = False
        self._wanted = asyncio.Event()
        self._unwanted = asyncio.Event()
        self._key_frame = False
        self._codec = av.CodecContext.create("libx264", "w")
        self._codec.width, self._codec.height, self._codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        self._codec.time_base = Fraction(1, FPS)
        self._codec.profile = "Baseline"
        self._codec.options = {"tune": "zerolatency", "preset": "ultrafast", "x264-params": "repeat-headers=1"}

    def _on_wanted(self, wanted: bool) -> None:
        if wanted:
            self._wanted.set()
            self._unwanted.clear()
        else:
            self._wanted.clear()
            self._unwanted.set()

    async def until_unwanted(self) -> None:
        async with asyncio.timeout(10):
            await self._unwanted.wait()

    def _on_key_frame(self) -> None:
        self._key_frame = True

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            if not self.frozen:
                self.fanout.publish(self._encode())
            await asyncio.sleep(1 / FPS)  # the rate of this camera, not a wait for something to happen

    def _encode(self) -> LivePacket:
        number, self.encoded = self.encoded, self.encoded + 1
        frame = av.VideoFrame.from_ndarray(picture(number), format="bgr24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, self._codec.time_base
        frame.pict_type = av.video.frame.PictureType.I if self._key_frame else av.video.frame.PictureType.NONE
        self._key_frame = False
        (packet,) = self._codec.encode(frame)
        return LivePacket(bytes(packet), packet.is_keyframe, number * 1_000_000 // FPS)


@pytest.fixture
async def live_camera() -> AsyncIterator[LiveCamera]:
    camera = LiveCamera()
    task = asyncio.create_task(camera.run())
    yield camera
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await camera.fanout.close()


def _camera(name: str) -> CameraStatus:
    counters = (Counter("frames", 1234), Counter("analysed", 246), Counter("dropped", 0))
    confinement = ("no new privileges", "files: Landlock", "TCP ports: not confined, the kernel is older than 6.7")
    return CameraStatus(name, live=True, state="running", counters=counters, confinement=confinement)


@pytest.fixture
def previews() -> dict[str, FakeWhep]:
    return {"front": FakeWhep(), "yard": FakeWhep()}


@pytest.fixture
def hub(tmp_path: Path, previews: dict[str, FakeWhep]) -> Iterator[FakeHub]:
    whep: dict[str, Whep] = dict(previews)
    yield FakeHub(tmp_path, whep, [_camera("front"), _camera("yard")])


def add_event(hub: FakeHub, number: int, *, is_open: bool = False, kind: str = "person") -> EventRow:
    """Append an event that opened `number` times 20 s after the start, with its files once it is closed."""
    opened_utc_ns = START_UTC_NS + number * 20_000_000_000
    row = EventRow(
        id=f"e{number:03}",
        camera="front",
        rule="person_at_gate",
        kind=kind,
        analyzer="objects",
        score=0.87,
        opened_utc_ns=opened_utc_ns,
        closed_utc_ns=None if is_open else opened_utc_ns + 6_500_000_000,
        zones=("gate",),
        has_clip=not is_open,
        has_snapshot=not is_open,
        why="person in gate for 1 s, score 0.87",
        box=Box(0.25, 0.5, 0.125, 0.25),
    )
    if not is_open:
        write_clip(hub.folder / f"{row.id}.mp4")
        write_snapshot(hub.folder / f"{row.id}.jpg")
        (hub.folder / f"{row.id}.json").write_text(json.dumps({"id": row.id}))
    hub.rows.insert(0, row)
    return row


@pytest.fixture
def token() -> str:
    return TOKEN


@pytest.fixture
def new_event(hub: FakeHub) -> Callable[..., EventRow]:
    return partial(add_event, hub)


@pytest.fixture
async def stranger(hub: FakeHub, aiohttp_client: AiohttpClient) -> Client:
    """A client without the token."""
    return await aiohttp_client(build_app(hub, WebSettings(TOKEN)))


@pytest.fixture
async def client(hub: FakeHub, aiohttp_client: AiohttpClient) -> Client:
    """A client that sends the token with every request."""
    return await aiohttp_client(build_app(hub, WebSettings(TOKEN)), headers={"Authorization": f"Bearer {TOKEN}"})
