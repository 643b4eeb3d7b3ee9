from __future__ import annotations

import asyncio
import os
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from camera_edge.errors import LinkError
from camera_edge.link import (
    ClipReady,
    Fault,
    FromWorker,
    Goodbye,
    Heartbeat,
    KeyFrame,
    Preview,
    PreviewPacket,
    Progress,
    Start,
    Stop,
    WorkerLink,
)
from camera_edge.link.hub_end import MAX_BACKLOG_BYTES, HubLink
from camera_edge.settings import CameraSettings, ClipSettings, RedactSettings


def settings(source: str) -> CameraSettings:
    return CameraSettings(
        source=source,
        rate=5.0,
        clip=ClipSettings(5.0, 5.0, 60.0),
        redact=RedactSettings("pixelate", 1.0, 0.25),
        privacy_masks=(((0.0, 0.0), (0.2, 0.0), (0.2, 0.3)),),
        zones={},
        analyzers={},
        rules={},
    )


class Ends:
    def __init__(self) -> None:
        self.hub, theirs = HubLink.pair()
        self.raw = theirs.dup()
        self.worker = WorkerLink.from_fd(theirs.detach())

    async def close(self) -> None:
        self.raw.close()
        await asyncio.to_thread(self.worker.close)
        await self.hub.close()


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    ends = Ends()
    await ends.hub.open()
    yield ends
    await ends.close()


async def test_orders_reach_the_worker_in_order(ends: Ends) -> None:
    start = Start(camera="front", settings=settings("x" * 100_000), spool="/s", cache="/c", models="/m", modules="/a")
    for order in (start, Preview(wanted=True), KeyFrame(), Stop()):
        ends.hub.send(order)
    got = [await asyncio.to_thread(ends.worker.receive) for _ in range(4)]
    assert got == [start, Preview(wanted=True), KeyFrame(), Stop()]


async def test_reports_sent_before_and_after_start_reach_the_hub(ends: Ends) -> None:
    ends.worker.send(Fault(message="before"))
    ends.worker.start()
    assert await ends.hub.receive() == Fault(message="before")
    ends.worker.send(Heartbeat(state="running", progress=Progress(frames=1)))
    assert await ends.hub.receive() == Heartbeat(state="running", progress=Progress(frames=1))


async def test_close_sends_what_must_not_be_lost(ends: Ends) -> None:
    ends.worker.send(ClipReady(event_id="e", json_name="e.json"))
    ends.worker.send(Goodbye())
    await asyncio.to_thread(ends.worker.close)
    ends.raw.close()
    got: list[FromWorker | None] = [await ends.hub.receive() for _ in range(3)]
    assert got == [ClipReady(event_id="e", json_name="e.json"), Goodbye(), None]


async def test_a_worker_sees_that_the_hub_is_gone(ends: Ends) -> None:
    await ends.hub.close()
    assert await asyncio.to_thread(ends.worker.receive) is None


async def test_close_wakes_a_worker_that_waits_for_orders(ends: Ends) -> None:
    waiting = asyncio.create_task(asyncio.to_thread(ends.worker.receive))
    await asyncio.to_thread(ends.worker.close)
    assert await waiting is None


async def test_a_hub_that_reads_nothing_holds_up_no_preview(ends: Ends) -> None:
    ends.worker.start()
    for number in range(2000):
        ends.worker.send(PreviewPacket(data=bytes(10_000), key=number % 10 == 0, pts_us=number, width=1, height=1))
    ends.worker.send(Fault(message="still here"))
    pts_us: list[int] = []
    while not isinstance(message := await ends.hub.receive(), Fault):
        assert isinstance(message, PreviewPacket)
        pts_us.append(message.pts_us)
    assert pts_us == sorted(pts_us)
    assert ends.worker.preview_dropped > 0


async def test_a_worker_that_dies_within_a_message_ends_the_stream(ends: Ends) -> None:
    ends.raw.sendall(struct.pack("<I", 100) + b"half")
    ends.raw.shutdown(socket.SHUT_RDWR)
    assert await ends.hub.receive() is None


@pytest.mark.parametrize("data", [struct.pack("<I", 0xFFFFFFFF), struct.pack("<I", 3) + b"\xc1\xc1\xc1"])
async def test_bytes_that_are_no_message_are_a_link_error(ends: Ends, data: bytes) -> None:
    ends.raw.sendall(data)
    with pytest.raises(LinkError):
        await ends.hub.receive()


async def test_a_worker_that_reads_nothing_is_a_link_error_not_a_growing_buffer(ends: Ends) -> None:
    order = Start(camera="front", settings=settings("x" * MAX_BACKLOG_BYTES), spool="", cache="", models="", modules="")
    with pytest.raises(LinkError, match="does not read"):
        for _ in range(4):
            ends.hub.send(order)


def test_a_descriptor_that_is_no_link_is_refused_with_the_next_step(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(LinkError, match="camera-edge run"):
            WorkerLink.from_fd(fd)
    finally:
        os.close(fd)
    with pytest.raises(LinkError, match="no link"):
        WorkerLink.from_fd(987)


async def test_the_worker_knows_who_made_the_pair(ends: Ends) -> None:
    assert ends.worker.hub_pid == os.getpid()


def test_the_link_brings_in_neither_numpy_nor_a_native_library_nor_asyncio() -> None:
    program = "import sys, camera_edge.link; print([m for m in ('numpy', 'cv2', 'av', 'asyncio') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
