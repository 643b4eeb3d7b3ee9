"""What a hub tells whoever started it, as it happens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from camera_edge.event import Event
from camera_edge.link import EventPhase


@dataclass(frozen=True, slots=True)
class Listening:
    """The page can be opened; `address` carries the token."""

    address: str


@dataclass(frozen=True, slots=True)
class EventNews:
    """An event opened, got better or closed, and its row is stored."""

    phase: EventPhase
    event: Event
    opened_utc_ns: int
    closed_utc_ns: int | None


@dataclass(frozen=True, slots=True)
class ClipNews:
    """The files of an event lie in the state folder and are listed."""

    event: Event
    clip: Path | None
    snapshot: Path | None
    metadata: Path


@dataclass(frozen=True, slots=True)
class CameraNews:
    """A camera's state has changed; `message` says why and what to do, or is empty."""

    camera: str
    state: str
    message: str = ""


News = Listening | EventNews | ClipNews | CameraNews
