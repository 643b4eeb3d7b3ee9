from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from camera_edge.errors import StoreError
from camera_edge.event import Event
from camera_edge.observation import Box
from camera_edge.store import ClipFile, ClipRow, ClipState, EventRow, EventState, Store
from camera_edge.store.schema import STEPS
from camera_edge.store.store import FILE_NAME

S = 1_000_000_000


def event(number: int = 0, *, camera: str = "front", kind: str = "person", closed_us: int | None = None) -> Event:
    return Event(
        id=f"{camera}-{number}",
        camera=camera,
        rule="any",
        kind=kind,
        analyzer="motion",
        score=0.5,
        best_frame=number,
        opened_us=number * 1_000_000,
        closed_us=closed_us,
        zones=("gate", "yard"),
        tracks=(1, 2),
        why="person in gate for 1 s, score 0.50",
        box=Box(0.25, 0.5, 0.125, 0.3),
    )


def clip(event_id: str, *, snapshot: bool = True) -> ClipRow:
    return ClipRow(
        event_id=event_id,
        metadata=ClipFile(f"clips/front/{event_id}.json", "aa", 10),
        clip=ClipFile(f"clips/front/{event_id}.mp4", "bb", 1000),
        snapshot=ClipFile(f"clips/front/{event_id}.jpg", "cc", 100) if snapshot else None,
        stored_utc_ns=9 * S,
    )


def closed_row(number: int, opened_utc_ns: int) -> EventRow:
    return EventRow(
        event(number, closed_us=number * 1_000_000 + 5), EventState.CLOSED, opened_utc_ns, opened_utc_ns + S
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as store:
        yield store


def test_an_event_comes_back_as_it_was_put(store: Store) -> None:
    store.event_changed(event(), opened_utc_ns=5 * S, closed_utc_ns=None)
    assert store.event("front-0") == EventRow(event(), EventState.OPEN, 5 * S)


def test_updates_and_closing_change_the_row_and_a_repeat_changes_nothing(store: Store) -> None:
    better = replace(event(), score=0.9, best_frame=7, tracks=(1, 2, 3))
    over = replace(better, closed_us=4_000_000)
    for state, closed_utc_ns in ((event(), None), (better, None), (over, 9 * S), (over, 9 * S)):
        store.event_changed(state, opened_utc_ns=5 * S, closed_utc_ns=closed_utc_ns)
    assert store.events() == [EventRow(over, EventState.CLOSED, 5 * S, 9 * S)]


def test_a_late_update_does_not_open_a_closed_event_again(store: Store) -> None:
    over = event(closed_us=4_000_000)
    store.event_changed(over, opened_utc_ns=5 * S, closed_utc_ns=9 * S)
    store.event_changed(event(), opened_utc_ns=5 * S, closed_utc_ns=None)
    assert store.event("front-0") == EventRow(over, EventState.CLOSED, 5 * S, 9 * S)


def test_events_of_a_dead_worker_are_interrupted_and_a_clip_that_arrives_closes_them(store: Store) -> None:
    store.event_changed(event(1), opened_utc_ns=1 * S, closed_utc_ns=None)
    store.event_changed(event(2, camera="back"), opened_utc_ns=2 * S, closed_utc_ns=None)
    assert store.interrupt_open("front", 3 * S) == 1
    row = store.event("front-1")
    assert row is not None
    assert (row.state, row.closed_utc_ns) == (EventState.INTERRUPTED, 3 * S)
    assert [row.state for row in store.events(camera="back")] == [EventState.OPEN]
    store.clip_stored(clip("front-1"), closed_row(1, 1 * S))
    row = store.event("front-1")
    assert row is not None
    assert row.state is EventState.CLOSED


def test_a_clip_brings_its_event_with_it(store: Store) -> None:
    store.clip_stored(clip("front-3"), closed_row(3, 3 * S))
    assert store.event("front-3") == replace(closed_row(3, 3 * S), clip=clip("front-3"))


def test_a_repeated_clip_changes_nothing(store: Store) -> None:
    for _ in range(2):
        store.clip_stored(clip("front-3", snapshot=False), closed_row(3, 3 * S))
    assert [row.clip for row in store.clips()] == [clip("front-3", snapshot=False)]


def test_clips_come_oldest_event_first_and_only_those_that_are_there(store: Store) -> None:
    for number in (3, 1, 2):
        store.clip_stored(clip(f"front-{number}"), closed_row(number, number * S))
    store.clip_gone("front-2", ClipState.DELETED)
    assert [row.event.id for row in store.clips()] == ["front-1", "front-3"]
    assert store.stored_bytes() == 2 * clip("").size_bytes
    row = store.event("front-2")
    assert row is not None and row.clip is not None
    assert row.clip.state is ClipState.DELETED


def test_events_are_filtered_and_the_newest_come_first(store: Store) -> None:
    for number, camera, kind in ((1, "front", "person"), (2, "back", "person"), (3, "front", "vehicle")):
        store.event_changed(event(number, camera=camera, kind=kind), opened_utc_ns=number * S, closed_utc_ns=None)
    assert [row.event.id for row in store.events()] == ["front-3", "back-2", "front-1"]
    assert [row.event.id for row in store.events(limit=1)] == ["front-3"]
    assert [row.event.id for row in store.events(camera="front", kind="person")] == ["front-1"]
    assert [row.event.id for row in store.events(since_utc_ns=2 * S)] == ["front-3", "back-2"]
    assert store.event("nothing") is None


def test_numbers_go_on_where_the_last_worker_stopped(store: Store) -> None:
    assert store.next_number("front") == 0
    for number in range(3):
        store.event_changed(event(number), opened_utc_ns=number, closed_utc_ns=None)
    assert (store.next_number("front"), store.next_number("back")) == (3, 0)


def test_what_was_put_is_there_after_opening_again(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.clip_stored(clip("front-3"), closed_row(3, 3 * S))
    with Store.open(tmp_path) as store:
        assert store.clips() == [replace(closed_row(3, 3 * S), clip=clip("front-3"))]


def test_commits_are_durable_when_a_call_returns(store: Store, tmp_path: Path) -> None:
    store.event_changed(event(), opened_utc_ns=0, closed_utc_ns=None)
    connection = store._connection
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert (tmp_path / f"{FILE_NAME}-wal").stat().st_size > 0


def test_a_reader_sees_what_is_written_and_writes_nothing(store: Store, tmp_path: Path) -> None:
    with Store.open_to_read(tmp_path) as reader:
        store.event_changed(event(), opened_utc_ns=0, closed_utc_ns=None)
        assert [row.event.id for row in reader.events()] == ["front-0"]
        with pytest.raises(StoreError, match="readonly"):
            reader.event_changed(event(1), opened_utc_ns=0, closed_utc_ns=None)


def test_a_missing_store_is_an_error_not_an_empty_list(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        Store.open_to_read(tmp_path)


def test_a_file_that_is_no_store_names_itself_and_the_next_step(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is no database at all, only text" * 100)
    for opening in (Store.open, Store.open_to_read):
        with pytest.raises(StoreError, match="rebuilt from the clips") as caught:
            opening(tmp_path)
        assert caught.value.where == str(tmp_path / FILE_NAME)


def test_a_store_with_a_torn_page_is_damaged_not_empty(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        for number in range(300):
            store.event_changed(event(number), opened_utc_ns=number, closed_utc_ns=None)
    path = tmp_path / FILE_NAME
    data = bytearray(path.read_bytes())
    data[8192:12288] = b"\xff" * 4096
    path.write_bytes(data)
    with pytest.raises(StoreError, match="damaged"):
        Store.open(tmp_path)


def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    connection.close()
    for opening in (Store.open, Store.open_to_read):
        with pytest.raises(StoreError, match="install the newer"):
            opening(tmp_path)


def test_an_older_store_is_brought_up_to_date_by_the_writer_only(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / FILE_NAME).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("PRAGMA user_version = 0")
        connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    with pytest.raises(StoreError, match="brings it up to date"):
        Store.open_to_read(tmp_path)
    with Store.open(tmp_path) as store:
        assert store.events() == []
    with Store.open_to_read(tmp_path) as reader:
        assert reader.events() == []


def test_events_of_a_store_from_before_they_had_a_reason_and_a_place_are_kept(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.executescript(STEPS[0])
        connection.execute(
            "INSERT INTO events VALUES ('old', 'front', 'any', 'person', 'motion', 0.5, 7, 1000000, 2000000, "
            """'["gate"]', '[3]', 'closed', 5000000000, 6000000000)"""
        )
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    with Store.open(tmp_path) as store:
        old = store.event("old")
        assert old is not None
        assert (old.event.zones, old.event.tracks, old.event.why, old.event.box) == (("gate",), (3,), "", None)
        store.event_changed(event(), opened_utc_ns=7 * S, closed_utc_ns=None)
        assert [row.event for row in store.events()] == [event(), old.event]


def test_an_event_that_gets_another_kind_and_place_is_stored_so(store: Store) -> None:
    store.event_changed(event(), opened_utc_ns=5 * S, closed_utc_ns=None)
    other = replace(event(), kind="guard", box=Box(0.5, 0.5, 0.25, 0.25))
    store.event_changed(other, opened_utc_ns=5 * S, closed_utc_ns=None)
    assert [row.event for row in store.events()] == [other]
