from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from camera_edge.clips import (
    ClipCounters,
    ClipFolder,
    ClipMetadata,
    FileRecord,
    Fingerprint,
    RedactionRecord,
    event_record,
    frame_span,
)
from camera_edge.clock import ManualClock
from camera_edge.config import StorageConfig
from camera_edge.errors import LinkError, StoreError
from camera_edge.event import Event
from camera_edge.hub.intake import MAX_REFUSED_FILES, Intake
from camera_edge.hub.storage import Storage
from camera_edge.store import ClipState, EventState, Store

DAY_NS = 86_400 * 1_000_000_000
OPENED_UTC_NS = 20_454 * DAY_NS  # 2026-01-01T00:00:00Z
VIDEO = b"video" * 1000


@dataclass
class House:
    state: Path
    store: Store
    intake: Intake

    def leave_clip(self, number: int = 0, *, camera: str = "front", day: int = 0, snapshot: bytes | None = b"s") -> str:
        """What a worker leaves in its spool; returns the metadata's name."""
        event = Event(f"{number:016x}", camera, "any", "person", "motion", 0.5, 3, 1_000_000, 2_000_000)
        opened_utc_ns = OPENED_UTC_NS + day * DAY_NS
        with ClipFolder(self.intake.spool(camera)).draft(event.id) as draft:
            draft.clip_path.write_bytes(VIDEO)
            sealed = draft.seal(snapshot)
            files = [
                None
                if file is None
                else FileRecord(name=file.name, sha256=file.sha256, bytes=file.bytes, width=8, height=8)
                for file in (sealed.clip, sealed.snapshot)
            ]
            assert files[0] is not None
            return draft.publish(
                ClipMetadata(
                    event=event_record(event, opened_utc_ns=opened_utc_ns, closed_utc_ns=opened_utc_ns + 1_000_000),
                    source="script",
                    frames=frame_span(range(10)),
                    clip=files[0],
                    snapshot=files[1],
                    modules=(),
                    models=(),
                    fingerprint=Fingerprint(decoder="script", machine="script"),
                    redaction=RedactionRecord(mode="pixelate", required=("motion",), pad=0.2, hold_s=1, period_s=0.2),
                    counters=ClipCounters(),
                )
            ).name

    def files(self) -> list[str]:
        return sorted(
            path.relative_to(self.state).as_posix()
            for folder in ("spool", "clips", "refused")
            for path in (self.state / folder).rglob("*")
            if path.is_file()
        )

    def storage(self, *, quota_bytes: int) -> Storage:
        return Storage(self.state, self.store, StorageConfig.model_validate({"quota": quota_bytes, "headroom": 0}))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Store.open(tmp_path) as store:
        yield House(tmp_path, store, Intake(tmp_path, store, ManualClock(utc_ns=5)))


SET = [f"clips/front/2026-01-01/{0:016x}.{suffix}" for suffix in ("jpg", "json", "mp4")]


def test_a_finished_clip_moves_into_the_folder_of_its_day_and_gets_its_row(house: House) -> None:
    row = house.intake.take("front", house.leave_clip())
    assert house.files() == SET
    assert row is not None and row.clip is not None
    assert house.store.event(row.event.id) == row
    assert (row.state, row.opened_utc_ns) == (EventState.CLOSED, OPENED_UTC_NS)
    for file in row.clip.files:
        assert house.intake.path(file).stat().st_size == file.size_bytes


def test_a_clip_without_snapshot_is_taken_too(house: House) -> None:
    row = house.intake.take("front", house.leave_clip(snapshot=None))
    assert row is not None and row.clip is not None
    assert row.clip.snapshot is None


def test_a_clip_that_was_taken_before_is_nothing_new(house: House) -> None:
    name = house.leave_clip()
    assert house.intake.take("front", name) is not None
    assert house.intake.take("front", name) is None
    assert house.files() == SET


@pytest.mark.parametrize("moved", [(), (".mp4",), (".mp4", ".jpg")])
def test_a_crash_between_two_moves_loses_nothing(house: House, moved: tuple[str, ...]) -> None:
    name = house.leave_clip()
    target = house.state / "clips" / "front" / "2026-01-01"
    target.mkdir(parents=True)
    for suffix in moved:
        file = Path(name).with_suffix(suffix)
        (house.intake.spool("front") / file).rename(target / file)
    assert [row.event.id for row in house.intake.take_all("front")] == [Path(name).stem]
    assert house.files() == SET


def test_a_crash_between_move_and_row_is_mended_at_the_next_start(house: House) -> None:
    name = house.leave_clip()
    target = house.state / "clips" / "front" / "2026-01-01"
    target.mkdir(parents=True)
    for path in house.intake.spool("front").glob(f"{Path(name).stem}.*"):
        path.rename(target / path.name)
    house.intake.reconcile()
    row = house.store.event(Path(name).stem)
    assert row is not None and row.clip is not None
    assert row.clip.state is ClipState.STORED


def test_a_start_takes_in_the_spools_of_cameras_that_are_no_longer_configured(house: House) -> None:
    house.leave_clip(camera="old")
    house.intake.reconcile()
    assert [row.event.camera for row in house.store.clips()] == ["old"]


def test_a_store_that_fails_leaves_the_clip_whole(house: House) -> None:
    name = house.leave_clip()
    house.store.close()
    with pytest.raises(StoreError):
        house.intake.take("front", name)
    assert house.files() == SET


@pytest.mark.parametrize("victim", [".mp4", ".jpg"])
def test_files_that_are_not_what_their_metadata_says_are_put_aside(house: House, victim: str) -> None:
    name = house.leave_clip()
    path = house.intake.spool("front") / Path(name).with_suffix(victim)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert house.intake.take("front", name) is None
    assert [Path(file).parts[0] for file in house.files()] == ["refused"] * 3
    assert house.store.events() == []


def test_a_set_without_its_video_is_put_aside(house: House) -> None:
    name = house.leave_clip()
    (house.intake.spool("front") / Path(name).with_suffix(".mp4")).unlink()
    assert house.intake.take("front", name) is None
    assert house.store.events() == []


@pytest.mark.parametrize("text", ["", "{}", "no json", '{"type": "camera-edge.clip", "schema": 99}'])
def test_metadata_that_is_none_is_put_aside(house: House, text: str) -> None:
    (house.intake.spool("front") / "ab.json").write_text(text)
    assert house.intake.take_all("front") == []
    assert house.files() == ["refused/front/ab.json"]


def test_a_clip_of_another_camera_is_put_aside(house: House) -> None:
    name = house.leave_clip(camera="back")
    for path in list(house.intake.spool("back").iterdir()):
        path.rename(house.intake.spool("front") / path.name)
    assert house.intake.take("front", name) is None
    assert house.store.events() == []


def test_a_link_in_the_spool_is_not_followed(house: House) -> None:
    secret = house.state / "secret"
    secret.write_bytes(VIDEO)
    name = house.leave_clip()
    path = house.intake.spool("front") / Path(name).with_suffix(".mp4")
    path.unlink()
    path.symlink_to(secret)
    assert house.intake.take("front", name) is None
    assert secret.read_bytes() == VIDEO
    assert house.store.events() == []


def test_a_pipe_in_the_spool_holds_nobody_up(house: House) -> None:
    os.mkfifo(house.intake.spool("front") / "ab.json")
    assert house.intake.take_all("front") == []


@pytest.mark.parametrize("field", ["clip", "snapshot"])
def test_metadata_that_names_files_elsewhere_is_put_aside(house: House, field: str) -> None:
    name = house.leave_clip()
    path = house.intake.spool("front") / name
    metadata = json.loads(path.read_text())
    metadata[field]["name"] = "../../camera-edge.db"
    path.write_text(json.dumps(metadata))
    assert house.intake.take("front", name) is None
    assert (house.state / "camera-edge.db").exists()


@pytest.mark.parametrize("name", ["../ab.json", "/etc/passwd", "a/b.json", "ab.mp4", "", ".."])
def test_a_name_that_is_no_metadata_file_is_an_error_of_the_worker(house: House, name: str) -> None:
    with pytest.raises(LinkError):
        house.intake.take("front", name)


def test_what_is_put_aside_is_bounded(house: House) -> None:
    for number in range(MAX_REFUSED_FILES + 20):
        (house.intake.spool("front") / f"{number:04d}.json").write_text("{}")
    house.intake.take_all("front")
    assert len(house.files()) == MAX_REFUSED_FILES


def test_a_clip_that_somebody_took_is_known_to_be_missing(house: House) -> None:
    row = house.intake.take("front", house.leave_clip())
    assert row is not None and row.clip is not None and row.clip.clip is not None
    house.intake.path(row.clip.clip).unlink()
    house.intake.reconcile()
    found = house.store.event(row.event.id)
    assert found is not None and found.clip is not None
    assert found.clip.state is ClipState.MISSING


def test_the_quota_takes_the_oldest_and_keeps_their_events(house: House) -> None:
    for number in range(3):
        house.intake.take("front", house.leave_clip(number, day=number))
    one_bytes = house.store.stored_bytes() // 3
    assert house.storage(quota_bytes=2 * one_bytes).keep_quota() == [f"{0:016x}"]
    assert [row.event.id for row in house.store.clips()] == [f"{1:016x}", f"{2:016x}"]
    assert len(house.store.events()) == 3
    assert len(house.files()) == 6
    assert not (house.state / "clips" / "front" / "2026-01-01").exists()


def test_within_the_quota_nothing_goes(house: House) -> None:
    house.intake.take("front", house.leave_clip())
    assert house.storage(quota_bytes=house.store.stored_bytes()).keep_quota() == []
    assert house.files() == SET


def test_a_crash_in_the_middle_of_a_deletion_is_finished_not_undone(house: House) -> None:
    row = house.intake.take("front", house.leave_clip())
    assert row is not None
    house.store.clip_gone(row.event.id, ClipState.DELETED)
    house.intake.reconcile()
    assert house.files() == []
    found = house.store.event(row.event.id)
    assert found is not None and found.clip is not None
    assert found.clip.state is ClipState.DELETED
