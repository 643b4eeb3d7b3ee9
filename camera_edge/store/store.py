"""Events and clips in SQLite.

Invariant: a commit is durable when the call returns (WAL, synchronous=FULL); what has closed does not open again.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from camera_edge.errors import StoreError
from camera_edge.event import Event
from camera_edge.observation import Box
from camera_edge.store.rows import ClipFile, ClipRow, ClipState, EventRow, EventState
from camera_edge.store.schema import STEPS, migrate, too_new, version_of

FILE_NAME: Final = "camera-edge.db"
_BUSY_MS: Final = 5000

_PUT_EVENT: Final = """
INSERT INTO events VALUES (:id, :camera, :rule, :kind, :analyzer, :score, :best_frame, :opened_us, :closed_us,
    :zones, :tracks, :state, :opened_utc_ns, :closed_utc_ns, :why, :box)
ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, score = excluded.score, best_frame = excluded.best_frame,
    closed_us = excluded.closed_us, zones = excluded.zones, tracks = excluded.tracks, state = excluded.state,
    closed_utc_ns = excluded.closed_utc_ns, why = excluded.why, box = excluded.box
WHERE events.state = 'open' OR excluded.state = 'closed'
"""
_EVENTS: Final = """
SELECT e.*, c.state AS clip_state, c.stored_utc_ns FROM events e LEFT JOIN clips c ON c.event_id = e.id
"""


class Store:
    """One connection, for one thread at a time. Any number of readers may look while one process writes."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    @classmethod
    def open(cls, state: Path) -> Self:
        """Opens or makes the store of a state folder. Raises StoreError where it is damaged or too new."""
        path = state / FILE_NAME
        with _explained(path):
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            connection = _connect(path, "rwc")
            with _closing_on_error(connection):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
                _check(connection)
                migrate(connection, path)
        return cls(connection, path)

    @classmethod
    def open_to_read(cls, state: Path) -> Self:
        """Opens an existing store, for queries only; also while another process writes it."""
        path = state / FILE_NAME
        if not path.is_file():
            raise StoreError("there is no store", where=str(path), hint="`camera-edge run` makes it at its first start")
        with _explained(path):
            connection = _connect(path, "rw")
            with _closing_on_error(connection):
                connection.execute("PRAGMA query_only = ON")
                version = version_of(connection)
                if version > len(STEPS):
                    raise too_new(version, path)
                if version < len(STEPS):
                    raise StoreError(
                        f"the store has version {version}, {len(STEPS)} is needed",
                        where=str(path),
                        hint="`camera-edge run` brings it up to date",
                    )
        return cls(connection, path)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def event_changed(self, event: Event, *, opened_utc_ns: int, closed_utc_ns: int | None) -> None:
        """Takes the present state of an event; one without `closed_us` counts as open."""
        with self._write():
            self._put_event(event, opened_utc_ns, closed_utc_ns)

    def interrupt_open(self, camera: str | None, utc_ns: int) -> int:
        """Ends the open events of a camera whose worker is gone (None: of all); returns how many there were."""
        with self._write():
            cursor = self._connection.execute(
                "UPDATE events SET state = 'interrupted', closed_utc_ns = :now "
                "WHERE (:camera IS NULL OR camera = :camera) AND state = 'open'",
                {"now": utc_ns, "camera": camera},
            )
        return cursor.rowcount

    def next_number(self, camera: str) -> int:
        """The number of the camera's next event, so that no id comes twice over restarts."""
        with self._read():
            row = self._connection.execute("SELECT count(*) FROM events WHERE camera = ?", (camera,)).fetchone()
        return int(row[0])

    def clip_stored(self, clip: ClipRow, event: EventRow) -> None:
        """Takes a clip whose files are durable, together with its event: this rebuilds a row that was lost."""
        with self._write():
            self._put_event(event.event, event.opened_utc_ns, event.closed_utc_ns)
            self._connection.execute(
                "INSERT INTO clips VALUES (?, ?, ?) ON CONFLICT (event_id) DO UPDATE SET state = excluded.state",
                (clip.event_id, clip.state.value, clip.stored_utc_ns),
            )
            self._connection.executemany(
                "INSERT OR REPLACE INTO clip_files VALUES (?, ?, ?, ?, ?)",
                [
                    (clip.event_id, part, file.path, file.sha256, file.size_bytes)
                    for part, file in (("metadata", clip.metadata), ("clip", clip.clip), ("snapshot", clip.snapshot))
                    if file is not None
                ],
            )

    def clip_gone(self, event_id: str, state: ClipState) -> None:
        """Remembers that the files of an event are no longer there, and why."""
        with self._write():
            self._connection.execute("UPDATE clips SET state = ? WHERE event_id = ?", (state.value, event_id))

    def clips(self) -> list[EventRow]:
        """The events whose clips are stored, oldest first."""
        with self._read():
            rows = self._connection.execute(
                f"{_EVENTS} WHERE c.state = 'stored' ORDER BY e.opened_utc_ns, c.stored_utc_ns, e.id"
            ).fetchall()
            return [self._event(row) for row in rows]

    def stored_bytes(self) -> int:
        """What the stored clips take, with snapshots and metadata."""
        with self._read():
            row = self._connection.execute(
                "SELECT coalesce(sum(f.size_bytes), 0) FROM clip_files f JOIN clips c ON c.event_id = f.event_id "
                "WHERE c.state = 'stored'"
            ).fetchone()
        return int(row[0])

    def events(
        self, *, limit: int = 100, camera: str | None = None, kind: str | None = None, since_utc_ns: int = 0
    ) -> list[EventRow]:
        """The newest events first, those that opened at `since_utc_ns` or later."""
        with self._read():
            rows = self._connection.execute(
                f"{_EVENTS} WHERE e.opened_utc_ns >= :since AND (:camera IS NULL OR e.camera = :camera) "
                "AND (:kind IS NULL OR e.kind = :kind) ORDER BY e.opened_utc_ns DESC, e.id LIMIT :limit",
                {"since": since_utc_ns, "camera": camera, "kind": kind, "limit": limit},
            ).fetchall()
            return [self._event(row) for row in rows]

    def event(self, event_id: str) -> EventRow | None:
        with self._read():
            row = self._connection.execute(f"{_EVENTS} WHERE e.id = ?", (event_id,)).fetchone()
            return None if row is None else self._event(row)

    def _put_event(self, event: Event, opened_utc_ns: int, closed_utc_ns: int | None) -> None:
        values = {
            "id": event.id,
            "camera": event.camera,
            "rule": event.rule,
            "kind": event.kind,
            "analyzer": event.analyzer,
            "score": event.score,
            "best_frame": event.best_frame,
            "opened_us": event.opened_us,
            "closed_us": event.closed_us,
            "zones": json.dumps(event.zones),
            "tracks": json.dumps(event.tracks),
            "state": "open" if event.closed_us is None else "closed",
            "opened_utc_ns": opened_utc_ns,
            "closed_utc_ns": closed_utc_ns,
            "why": event.why,
            "box": None if event.box is None else json.dumps(event.box.sides),
        }
        self._connection.execute(_PUT_EVENT, values)

    def _event(self, row: sqlite3.Row) -> EventRow:
        event = Event(
            id=row["id"],
            camera=row["camera"],
            rule=row["rule"],
            kind=row["kind"],
            analyzer=row["analyzer"],
            score=row["score"],
            best_frame=row["best_frame"],
            opened_us=row["opened_us"],
            closed_us=row["closed_us"],
            zones=tuple(json.loads(row["zones"])),
            tracks=tuple(json.loads(row["tracks"])),
            why=row["why"],
            box=None if row["box"] is None else Box(*json.loads(row["box"])),
        )
        clip = None if row["clip_state"] is None else self._clip(event.id, row)
        return EventRow(event, EventState(row["state"]), row["opened_utc_ns"], row["closed_utc_ns"], clip)

    def _clip(self, event_id: str, row: sqlite3.Row) -> ClipRow:
        found = self._connection.execute(
            "SELECT part, path, sha256, size_bytes FROM clip_files WHERE event_id = ?", (event_id,)
        )
        files = {file["part"]: ClipFile(file["path"], file["sha256"], file["size_bytes"]) for file in found}
        return ClipRow(
            event_id=event_id,
            metadata=files["metadata"],
            clip=files.get("clip"),
            snapshot=files.get("snapshot"),
            stored_utc_ns=row["stored_utc_ns"],
            state=ClipState(row["clip_state"]),
        )

    @contextlib.contextmanager
    def _write(self) -> Iterator[None]:
        with _explained(self._path), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield

    @contextlib.contextmanager
    def _read(self) -> Iterator[None]:
        with _explained(self._path):
            yield


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    return connection


def _check(connection: sqlite3.Connection) -> None:
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


@contextlib.contextmanager
def _closing_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turns what SQLite and the file system say into a StoreError with the next step."""
    try:
        yield
    except sqlite3.OperationalError as exc:
        raise StoreError(
            f"the store cannot be used: {exc}", where=str(path), hint="look at free space and permissions"
        ) from exc
    except sqlite3.Error as exc:
        raise StoreError(
            f"the store is damaged: {exc}",
            where=str(path),
            hint="move the file away and start again: rows are rebuilt from the clips' metadata",
        ) from exc
    except OSError as exc:
        raise StoreError(
            f"the store cannot be used: {exc.strerror}", where=str(path), hint="look at free space and permissions"
        ) from exc
