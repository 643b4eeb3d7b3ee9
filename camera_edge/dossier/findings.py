"""What an analysis found, as the page tells it: values, made by whoever ran it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from camera_edge.dossier.trace import Trace
from camera_edge.event import Event
from camera_edge.link import ModuleProgress
from camera_edge.worker.provenance import Provenance
from camera_edge.worker.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class Span:
    """When an event went on, in microseconds of media time."""

    kind: str
    analyzer: str
    opened_us: int
    closed_us: int
    event_id: str


@dataclass(frozen=True, slots=True)
class EventFound:
    """One closed event. `clip`: the name of its clip, where one was made."""

    event: Event
    snapshot: Snapshot | None = None
    clip: str | None = None


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """One module that ran. `state_sha256`: of what it had learned before, empty where that was nothing."""

    name: str
    version: str
    sha256: str
    capabilities: tuple[str, ...]
    params: tuple[str, ...]
    reported: bool
    state_sha256: str = ""


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """What a rule asked for, in words."""

    name: str
    asks: str


@dataclass(frozen=True, slots=True)
class Setting:
    """What a source was to be analysed by. `rate_hz` None: every frame."""

    rate_hz: float | None
    modules: tuple[ModuleFacts, ...]
    rules: tuple[RuleFacts, ...]
    zones: tuple[str, ...]
    made_of: Provenance


@dataclass(frozen=True, slots=True)
class Figures:
    """How a run over one source went. `seconds`: how long it took."""

    frames: int
    analysed: int
    seconds: float
    cpu_s: float
    traps: int
    dropped: int
    egress_bytes: int


@dataclass(frozen=True, slots=True)
class SourceFindings:
    """One source. `figures` None: it did not come to its end.

    spans: every event. events: those that are told at length, in order of opening; `left_out` counts the others by
    kind. length_us: media time of the last analysed frame. faults: what went wrong; warnings: what was survived.
    progress: what each module did.
    """

    source: str
    camera: str
    setting: Setting
    figures: Figures | None
    length_us: int
    spans: tuple[Span, ...] = ()
    events: tuple[EventFound, ...] = ()
    left_out: Counter[str] = field(default_factory=Counter)
    traces: tuple[Trace, ...] = ()
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    progress: tuple[ModuleProgress, ...] = ()


@dataclass(frozen=True, slots=True)
class Dossier:
    """One run of `analyze`. `made_utc` ISO 8601; `broke_off`: why it ended before its end, empty where it did not."""

    made_utc: str
    version: str
    sources: tuple[SourceFindings, ...]
    broke_off: str = ""
