"""What the web page asks of the rest of the appliance, as values and protocols; the hub answers.

Invariant: no source address and no credential is in any of these; what stands here may be shown to whoever has the
token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

from camera_edge.observation import Box


class ClipPart(Enum):
    """The files of one event."""

    CLIP = "clip"
    SNAPSHOT = "snapshot"
    METADATA = "metadata"


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as it is listed. `closed_utc_ns` is None while it is open; the files exist when it is stored.

    why: one short sentence, why it opened, or "". box: where, in fractions of the snapshot.
    """

    id: str
    camera: str
    rule: str
    kind: str
    analyzer: str
    score: float
    opened_utc_ns: int
    closed_utc_ns: int | None
    zones: tuple[str, ...] = ()
    has_clip: bool = False
    has_snapshot: bool = False
    why: str = ""
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Counter:
    name: str
    value: int


@dataclass(frozen=True, slots=True)
class ModuleStatus:
    """One module of a camera now. asleep: it has no instance and no memory until its waker sees something.

    metrics: the newest value of each that it gives.
    """

    name: str
    version: str
    asleep: bool
    counters: tuple[Counter, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """One camera now.

    live: frames come in and are analysed; without it the preview is refused.
    healthy: it does what it should, so `/healthz` does not fail: it is live, or was a recording that is over.
    state: a word for people (connecting, running, stalled, restarting ...); message: why, and the next step, or "".
    confinement: what holds the worker back on this machine, and what the kernel lacks, in plain words.
    """

    name: str
    live: bool
    state: str
    message: str = ""
    counters: tuple[Counter, ...] = ()
    confinement: tuple[str, ...] = ()
    modules: tuple[ModuleStatus, ...] = ()

    @property
    def healthy(self) -> bool:
        return self.live or self.state == "ended"


@dataclass(frozen=True, slots=True)
class HubStatus:
    """The appliance now."""

    version: str
    started_utc_ns: int
    now_utc_ns: int
    cameras: tuple[CameraStatus, ...]


class WhepSession(Protocol):
    """One viewer's session; `etag` without quotes."""

    @property
    def id(self) -> str: ...

    @property
    def answer_sdp(self) -> str: ...

    @property
    def etag(self) -> str: ...


class Whep(Protocol):
    """One camera's preview.

    `answer` raises UsageError when the offer is at fault, another CameraEdgeError when no viewer can be taken now.
    """

    async def answer(self, offer_sdp: str) -> WhepSession: ...

    async def close_session(self, session_id: str) -> bool:
        """False: there is no such session."""

    def etag(self, session_id: str) -> str | None:
        """None: there is no such session."""


class WebServices(Protocol):
    """Everything the page needs. A failure is raised as a CameraEdgeError and shown; it is never an empty answer."""

    def events(self, limit: int, kind: str | None = None) -> Sequence[EventRow]:
        """The newest events (of this kind), newest first."""

    def clip_path(self, event_id: str, part: ClipPart) -> Path | None:
        """Where a file of an event lies; None when the event is unknown or has no such file."""

    def status(self) -> HubStatus: ...

    def whep(self, camera: str) -> Whep | None:
        """The camera's preview; None when there is no such camera."""
