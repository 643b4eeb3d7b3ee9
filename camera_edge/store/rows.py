"""The rows of the store as values. Paths are relative to the state folder, with `/`; times of day are UTC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from camera_edge.event import Event


class EventState(Enum):
    OPEN = "open"
    CLOSED = "closed"
    INTERRUPTED = "interrupted"
    """Its worker died while it was open; `closed_utc_ns` is when that was noticed."""


class ClipState(Enum):
    STORED = "stored"
    DELETED = "deleted"
    """The quota took it."""
    MISSING = "missing"
    """Somebody else took it."""


@dataclass(frozen=True, slots=True)
class ClipFile:
    """One file of a clip. sha256: 64 hexadecimal digits."""

    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ClipRow:
    """The files of one event. `clip` or `snapshot` is None where there was nothing to show."""

    event_id: str
    metadata: ClipFile
    clip: ClipFile | None
    snapshot: ClipFile | None
    stored_utc_ns: int
    state: ClipState = ClipState.STORED

    @property
    def files(self) -> tuple[ClipFile, ...]:
        return tuple(file for file in (self.clip, self.snapshot, self.metadata) if file is not None)

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event and what is kept of it."""

    event: Event
    state: EventState
    opened_utc_ns: int
    closed_utc_ns: int | None = None
    clip: ClipRow | None = None
