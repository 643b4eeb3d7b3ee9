from __future__ import annotations

import struct

import msgspec
import pytest

from camera_edge.errors import LinkError
from camera_edge.event import Event
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
    ToWorker,
)
from camera_edge.link.framing import HEADER, MAX_MESSAGE_BYTES, body_length, frame, from_worker, to_worker
from camera_edge.observation import Box
from camera_edge.settings import CameraSettings, ClipSettings, RedactSettings

SETTINGS = CameraSettings(
    source="rtsp://192.0.2.1/1",
    rate=5.0,
    clip=ClipSettings(5.0, 5.0, 60.0),
    redact=RedactSettings("pixelate", 1.0, 0.25),
    privacy_masks=(((0.0, 0.0), (0.2, 0.0), (0.2, 0.3)),),
    zones={},
    analyzers={},
    rules={},
)


EVENT = Event(
    id="a1",
    camera="front",
    rule="motion",
    kind="person",
    analyzer="objects",
    score=0.75,
    best_frame=12,
    opened_us=1_000_000,
    closed_us=None,
    zones=("gate",),
    tracks=(3, 4),
    why="person in gate, score 0.75",
    box=Box(0.25, 0.5, 0.125, 0.25),
)


@pytest.mark.parametrize(
    "message",
    [
        Start(camera="front", settings=SETTINGS, spool="/s", cache="/c", models="/m", modules="/a", resume_number=7),
        Preview(wanted=True),
        KeyFrame(),
        Refresh(),
        Stop(),
    ],
)
def test_orders_survive_the_wire(message: ToWorker) -> None:
    data = frame(message)
    assert body_length(data[: HEADER.size]) == len(data) - HEADER.size
    assert to_worker.parse(data[HEADER.size :]) == message


@pytest.mark.parametrize(
    "message",
    [
        Hello(pid=1, confinement=["no new privileges"], fingerprint="x"),
        Heartbeat(
            state="running", progress=Progress(frames=3, analysed=2, quarantined=["motion: trapped"]), message="m"
        ),
        EventChanged(phase="opened", event=EVENT, opened_utc_ns=5),
        EventChanged(phase="closed", event=EVENT, opened_utc_ns=5, closed_utc_ns=9),
        ClipReady(event_id="a1", json_name="a1.json"),
        PreviewPacket(data=b"\x00\x00\x01", key=True, pts_us=40_000, width=640, height=360),
        Fault(message="refused", hint="check"),
        Goodbye(ended=True),
    ],
)
def test_reports_survive_the_wire_with_their_types(message: FromWorker) -> None:
    parsed = from_worker.parse(frame(message)[HEADER.size :])
    assert parsed == message
    assert type(parsed) is type(message)


def test_an_event_comes_back_as_the_frozen_value_that_rules_made() -> None:
    parsed = from_worker.parse(frame(EventChanged(phase="opened", event=EVENT, opened_utc_ns=5))[HEADER.size :])
    assert isinstance(parsed, EventChanged)
    assert parsed.event == EVENT
    assert isinstance(parsed.event.zones, tuple)


@pytest.mark.parametrize(
    "body",
    [
        b"\xc1",
        b"",
        b"\x80",
        msgspec.msgpack.encode({"type": "hello", "pid": "one", "confinement": [], "fingerprint": ""}),
        msgspec.msgpack.encode({"type": "stop"}),
        msgspec.msgpack.encode(["hello"]),
    ],
)
def test_bytes_that_are_no_report_are_a_link_error(body: bytes) -> None:
    with pytest.raises(LinkError):
        from_worker.parse(body)


@pytest.mark.parametrize("length", [0, MAX_MESSAGE_BYTES + 1, 0xFFFFFFFF])
def test_an_announced_length_out_of_bounds_is_a_link_error(length: int) -> None:
    with pytest.raises(LinkError, match="announced"):
        body_length(struct.pack("<I", length))


def test_a_message_above_the_limit_is_refused_before_it_is_sent() -> None:
    packet = PreviewPacket(data=bytes(MAX_MESSAGE_BYTES), key=True, pts_us=0, width=1, height=1)
    with pytest.raises(LinkError, match="larger"):
        frame(packet)
