from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from camera_edge.errors import SourceError
from camera_edge.hub.addresses import with_literal_host


@pytest.mark.parametrize(
    "source",
    [
        "rtsp://user:pass@192.0.2.10/stream1",
        "rtsp://user:pass@[2001:db8::1]:8554/stream1",
        "http://127.0.0.1:8081/mjpeg",
        "/dev/video0",
        "recordings/front.mp4",
        "synthetic:seed=1",
    ],
)
async def test_a_source_without_a_name_is_left_alone_and_nobody_is_asked(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a name server was asked")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", refuse)
    assert await with_literal_host(source) == source


async def test_a_name_becomes_an_address_and_all_else_stays() -> None:
    found = await with_literal_host("rtsp://user:p%40ss@localhost:8554/stream1?channel=2")
    assert found in {f"rtsp://user:p%40ss@{host}:8554/stream1?channel=2" for host in ("127.0.0.1", "[::1]")}


async def test_a_name_that_nobody_knows_is_told_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    with pytest.raises(SourceError, match="camera.invalid is not found") as caught:
        await with_literal_host("rtsp://user:pass@camera.invalid/stream1")
    assert "pass" not in str(caught.value)
    assert "IP address" in str(caught.value)
