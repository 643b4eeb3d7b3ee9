"""The tables, as the steps that lead to them.

Invariant: a step that was released never changes; what changes is a new step. `PRAGMA user_version` counts them.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from camera_edge.errors import StoreError

_FIRST: Final = """
CREATE TABLE events (
    id TEXT PRIMARY KEY NOT NULL,
    camera TEXT NOT NULL,
    rule TEXT NOT NULL,
    kind TEXT NOT NULL,
    analyzer TEXT NOT NULL,
    score REAL NOT NULL,
    best_frame INTEGER NOT NULL,
    opened_us INTEGER NOT NULL,
    closed_us INTEGER,
    zones TEXT NOT NULL,
    tracks TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'interrupted')),
    opened_utc_ns INTEGER NOT NULL,
    closed_utc_ns INTEGER
) STRICT;
CREATE INDEX events_by_time ON events (opened_utc_ns DESC);
CREATE INDEX events_by_camera ON events (camera, opened_utc_ns DESC);
CREATE TABLE clips (
    event_id TEXT PRIMARY KEY NOT NULL REFERENCES events (id),
    state TEXT NOT NULL CHECK (state IN ('stored', 'deleted', 'missing')),
    stored_utc_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE clip_files (
    event_id TEXT NOT NULL REFERENCES clips (event_id),
    part TEXT NOT NULL CHECK (part IN ('metadata', 'clip', 'snapshot')),
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    PRIMARY KEY (event_id, part)
) STRICT;
"""

# events from before have no reason and no place
_REASONS: Final = """
ALTER TABLE events ADD COLUMN why TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN box TEXT;
"""

STEPS: Final = (_FIRST, _REASONS)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Brings the tables to the newest version, each step whole or not at all.

    Raises StoreError where a newer camera-edge wrote them.
    """
    version = version_of(connection)
    if version > len(STEPS):
        raise too_new(version, path)
    for number, step in enumerate(STEPS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE;\n{step}\nPRAGMA user_version = {number};\nCOMMIT;")


def version_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def too_new(version: int, path: Path) -> StoreError:
    return StoreError(
        f"the store has version {version}, this camera-edge knows up to {len(STEPS)}",
        where=str(path),
        hint="install the newer camera-edge again, or move the file away: rows are rebuilt from the clips' metadata",
    )
