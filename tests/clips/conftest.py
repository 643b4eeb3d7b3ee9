from __future__ import annotations

import hashlib

import pytest

from camera_edge.clips import (
    ClipCounters,
    ClipMetadata,
    FileRecord,
    Fingerprint,
    ModelRecord,
    ModuleRecord,
    RedactionRecord,
    RuntimeRecord,
    event_record,
    frame_span,
)
from camera_edge.event import Event
from camera_edge.observation import Box

CLIP = b"the clip"
SNAPSHOT = b"the snapshot"


@pytest.fixture
def event() -> Event:
    return Event(
        id="0123456789abcdef",
        camera="front",
        rule="person_at_gate",
        kind="person",
        analyzer="objects",
        score=0.875,
        best_frame=130,
        opened_us=4_000_001,
        closed_us=9_999_999,
        zones=("gate", "door"),
        tracks=(3, 5),
        why="person in gate for 1 s, score 0.88",
        box=Box(0.25, 0.5, 0.125, 0.3),
    )


@pytest.fixture
def metadata(event: Event) -> ClipMetadata:
    return ClipMetadata(
        event=event_record(event, opened_utc_ns=1_700_000_000_123_000_000, closed_utc_ns=1_700_000_006_000_000_000),
        source="rtsp://192.0.2.10/stream1",
        frames=frame_span([*range(100, 200), *range(205, 220)]),
        clip=FileRecord(
            name=f"{event.id}.mp4",
            sha256=hashlib.sha256(CLIP).hexdigest(),
            bytes=len(CLIP),
            width=1280,
            height=720,
            duration_s=4.6,
        ),
        snapshot=FileRecord(
            name=f"{event.id}.jpg",
            sha256=hashlib.sha256(SNAPSHOT).hexdigest(),
            bytes=len(SNAPSHOT),
            width=1280,
            height=720,
        ),
        modules=(ModuleRecord(name="motion", version="1.0.0", sha256="ab" * 32),),
        models=(ModelRecord(name="yolox_nano", sha256="cd" * 32),),
        fingerprint=Fingerprint(
            decoder="h264 libavcodec 62.28.102",
            machine="x86_64",
            runtimes=(RuntimeRecord(name="onnxruntime", version="1.32.0"),),
        ),
        redaction=RedactionRecord(mode="pixelate", required=("motion",), pad=0.2, hold_s=1.0, period_s=0.2),
        counters=ClipCounters(hidden_frames=5, missing_frames=5),
    )
