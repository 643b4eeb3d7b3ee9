"""The contract between the hub and one worker: every message that may cross, with its fields and units.

Invariant: no message carries a raw pixel (`PreviewPacket` holds redacted, encoded video), and none that a worker sends
carries a credential. Each is harmless when it comes twice.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from camera_edge.event import Event
from camera_edge.settings import CameraSettings

WorkerState = Literal["starting", "connecting", "running", "stalled", "refused", "stopping", "ended"]
EventPhase = Literal["opened", "updated", "closed"]


class Start(msgspec.Struct, frozen=True, tag="start"):
    """The first message a worker gets: all it needs, so that nothing secret stands in argv or environment.

    settings: the camera's configuration, its source resolved (literal address, with credentials).
    spool, cache, models, modules: folders, absolute. The spool is the only one the worker writes to.
    resume_number: number of the next event of this camera, so that an id never comes twice.
    """

    camera: str
    settings: CameraSettings
    spool: str
    cache: str
    models: str
    modules: str
    resume_number: int = 0


class Preview(msgspec.Struct, frozen=True, tag="preview"):
    """Somebody looks (or nobody does): nothing is encoded for the preview while `wanted` is false."""

    wanted: bool


class KeyFrame(msgspec.Struct, frozen=True, tag="key_frame"):
    """The next preview packet is to be a key frame."""


class Refresh(msgspec.Struct, frozen=True, tag="refresh"):
    """Installed modules, trusted keys or revoked digests have changed: take what should run now, between two frames."""


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Close open events, finish their clips, say goodbye, exit."""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The worker has confined itself and read its configuration.

    confinement: what is in force and what the kernel lacks, in plain language, one line each.
    fingerprint: versions of decoder and runtimes.
    """

    pid: int
    confinement: list[str]
    fingerprint: str


class ModuleProgress(msgspec.Struct, frozen=True):
    """What one module has done since the worker started. Counters only grow.

    faults: frames without an answer. skipped: frames that came while it was in quarantine. copied: frames that could
    not be mapped. refused: outputs over its limits. spent_ns: processor time from question to
    answer; models_ns: the part of that which granted models took.
    """

    name: str
    version: str
    calls: int = 0
    answers: int = 0
    faults: int = 0
    restarts: int = 0
    wakes: int = 0
    skipped: int = 0
    copied: int = 0
    refused: int = 0
    fuel: int = 0
    spent_ns: int = 0
    models_ns: int = 0
    asleep: bool = False
    metrics: dict[str, float] = {}
    """The newest value of each metric that it gives; 64 names at most."""


class Progress(msgspec.Struct, frozen=True):
    """What a worker has done since it started. Counters only grow."""

    frames: int = 0
    analysed: int = 0
    dropped: int = 0
    events: int = 0
    clips: int = 0
    traps: int = 0
    reconnects: int = 0
    egress_bytes: int = 0
    preview_dropped: int = 0
    quarantined: list[str] = []
    """Analyzers that no longer run, each with its reason."""
    waiting: list[str] = []
    """Newer versions that are installed and do not run, each with its reason."""
    modules: list[ModuleProgress] = []


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """Sent about once a second. In state `running` both `frames` and `analysed` must grow, or the worker hangs."""

    state: WorkerState
    progress: Progress
    message: str = ""


class EventChanged(msgspec.Struct, frozen=True, tag="event"):
    """An event opened, got better, or closed; `event` is its whole present state, times of day beside it."""

    phase: EventPhase
    event: Event
    opened_utc_ns: int
    closed_utc_ns: int | None = None


class ClipReady(msgspec.Struct, frozen=True, tag="clip"):
    """Clip, snapshot and metadata of an event are durable in the spool; `json_name` is the metadata's file name."""

    event_id: str
    json_name: str


class PreviewPacket(msgspec.Struct, frozen=True, tag="packet"):
    """One access unit of redacted H.264 (Annex B)."""

    data: bytes
    key: bool
    pts_us: int
    width: int
    height: int


class Fault(msgspec.Struct, frozen=True, tag="fault"):
    """Something a person should know: what went wrong and the next step, without credentials."""

    message: str
    hint: str = ""


class Goodbye(msgspec.Struct, frozen=True, tag="goodbye"):
    """The last message. `ended`: the source is over and nothing is left to do (a file), so do not start again."""

    ended: bool = False


ToWorker = Start | Preview | KeyFrame | Refresh | Stop
FromWorker = Hello | Heartbeat | EventChanged | ClipReady | PreviewPacket | Fault | Goodbye
