from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from camera_edge.clips import ClipMetadata, FrameRange, event_record, frame_span, utc_ns
from camera_edge.errors import StoreError
from camera_edge.event import Event


def test_metadata_survives_the_way_through_its_file(tmp_path: Path, metadata: ClipMetadata) -> None:
    (tmp_path / "a.json").write_bytes(metadata.to_bytes())
    assert ClipMetadata.from_file(tmp_path / "a.json") == metadata


def test_metadata_gives_its_event_back(metadata: ClipMetadata, event: Event) -> None:
    assert ClipMetadata.from_bytes(metadata.to_bytes()).event.event() == event


def test_metadata_from_before_events_had_a_reason_and_a_place_is_read(metadata: ClipMetadata, event: Event) -> None:
    old = json.loads(metadata.to_bytes())
    del old["event"]["why"], old["event"]["box"]
    read = ClipMetadata.from_bytes(json.dumps(old).encode())
    assert read.event.event() == replace(event, why="", box=None)


def test_metadata_gives_its_wall_clock_times_back_to_the_millisecond(metadata: ClipMetadata) -> None:
    assert metadata.event.opened_utc == "2023-11-14T22:13:20.123Z"
    assert utc_ns(metadata.event.opened_utc) == 1_700_000_000_123_000_000


def test_the_same_metadata_gives_the_same_bytes(metadata: ClipMetadata) -> None:
    assert metadata.to_bytes() == ClipMetadata.from_bytes(metadata.to_bytes()).to_bytes()


def test_the_file_names_its_type_and_schema(metadata: ClipMetadata) -> None:
    read = json.loads(metadata.to_bytes())
    assert (read["type"], read["schema"]) == ("camera-edge.clip", 1)
    assert read["frames"] == {"count": 115, "ranges": [{"first": 100, "last": 199}, {"first": 205, "last": 219}]}


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"{}", b'{"type":"other","schema":1}', b"\xff\xfe", b'{"schema":"1"}']
)
def test_damaged_metadata_is_refused_with_its_path(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(StoreError, match="damaged") as refused:
        ClipMetadata.from_file(tmp_path / "a.json")
    assert refused.value.where == str(tmp_path / "a.json")


def test_every_cut_off_file_is_refused(metadata: ClipMetadata) -> None:
    whole = metadata.to_bytes().rstrip()
    for length in range(0, len(whole), 37):
        with pytest.raises(StoreError):
            ClipMetadata.from_bytes(whole[:length])


def test_metadata_of_a_newer_version_is_refused_as_such(metadata: ClipMetadata) -> None:
    newer = metadata.to_bytes().replace(b'"schema": 1', b'"schema": 2')
    with pytest.raises(StoreError, match="version 2") as refused:
        ClipMetadata.from_bytes(newer)
    assert "newer" in (refused.value.hint or "")


def test_missing_metadata_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        ClipMetadata.from_file(tmp_path / "a.json")


def test_an_open_event_has_no_record(event: Event) -> None:
    with pytest.raises(ValueError, match="still open"):
        event_record(replace(event, closed_us=None), opened_utc_ns=0, closed_utc_ns=0)


def test_frames_are_told_as_ranges() -> None:
    assert frame_span([]).ranges == ()
    assert frame_span([3]).ranges == (FrameRange(3, 3),)
    assert frame_span([1, 2, 3, 7, 8, 10]).ranges == (FrameRange(1, 3), FrameRange(7, 8), FrameRange(10, 10))
