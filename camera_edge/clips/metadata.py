"""Describes a clip in the file beside it.

Invariant: enough to rebuild the clip's row in the store, and to say which modules, models and decoder made it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from camera_edge.clock import iso_utc
from camera_edge.errors import StoreError
from camera_edge.event import Event
from camera_edge.observation import Box

SCHEMA = 1


class EventRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The event: `*_s` media seconds, `*_utc` ISO 8601.

    box: left, top, width, height in fractions of the picture. Files from before `why` and `box` have neither.
    """

    id: str
    camera: str
    rule: str
    kind: str
    analyzer: str
    score: float
    best_frame: int
    opened_s: float
    closed_s: float
    opened_utc: str
    closed_utc: str
    zones: tuple[str, ...] = ()
    tracks: tuple[int, ...] = ()
    why: str = ""
    box: tuple[float, float, float, float] | None = None

    def event(self) -> Event:
        """The event as rules made it."""
        return Event(
            id=self.id,
            camera=self.camera,
            rule=self.rule,
            kind=self.kind,
            analyzer=self.analyzer,
            score=self.score,
            best_frame=self.best_frame,
            opened_us=round(self.opened_s * 1e6),
            closed_us=round(self.closed_s * 1e6),
            zones=self.zones,
            tracks=self.tracks,
            why=self.why,
            box=None if self.box is None else Box(*self.box),
        )


class FrameRange(msgspec.Struct, frozen=True):
    """Frames of the source, both ends included."""

    first: int
    last: int


class FrameSpan(msgspec.Struct, frozen=True, kw_only=True):
    """Which frames of the source the clip shows."""

    count: int
    ranges: tuple[FrameRange, ...]


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A file beside the metadata: `name` has no folder in it."""

    name: str
    sha256: str
    bytes: int
    width: int
    height: int
    duration_s: float | None = None


class ModuleRecord(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    version: str
    sha256: str


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    sha256: str


class RuntimeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A library that had a hand in the result, as `onnxruntime` `1.32.0 CPUExecutionProvider`."""

    name: str
    version: str


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """What decoded, resized and inferred: results of these may differ by a rounding from machine to machine."""

    decoder: str
    machine: str
    runtimes: tuple[RuntimeRecord, ...] = ()


class RedactionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How the clip was redacted. `required`: the analyzers without whose fresh answer a frame is wholly hidden."""

    mode: Literal["pixelate", "black"]
    required: tuple[str, ...]
    pad: float
    hold_s: float
    period_s: float
    static_masks: int = 0


class ClipCounters(msgspec.Struct, frozen=True, kw_only=True):
    """What is not as it could be: frames hidden as a whole, packets or pictures missing, a clip that was cut off."""

    hidden_frames: int = 0
    missing_frames: int = 0
    truncated: bool = False


class ClipMetadata(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="camera-edge.clip"):
    """All that is known about one clip. `source`: the source's name, without credentials."""

    schema: int = SCHEMA
    event: EventRecord
    source: str
    frames: FrameSpan
    clip: FileRecord
    snapshot: FileRecord | None
    modules: tuple[ModuleRecord, ...]
    models: tuple[ModelRecord, ...]
    fingerprint: Fingerprint
    redaction: RedactionRecord
    counters: ClipCounters

    def to_bytes(self) -> bytes:
        """JSON, indented for people; the same metadata gives the same bytes."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes, *, where: str | None = None) -> ClipMetadata:
        """StoreError if it is damaged, or was written by a newer version."""
        try:
            schema = msgspec.json.decode(data, type=_Schema).schema
            if schema > SCHEMA:
                raise StoreError(
                    f"metadata of version {schema}, this program reads up to {SCHEMA}",
                    where=where,
                    hint="use the version of camera-edge that wrote it, or a newer one",
                )
            return msgspec.json.decode(data, type=cls)
        except msgspec.MsgspecError as exc:
            raise StoreError(
                f"damaged clip metadata: {exc}", where=where, hint="delete the clip, or restore it"
            ) from exc

    @classmethod
    def from_file(cls, path: Path) -> ClipMetadata:
        """StoreError if it cannot be read, is damaged, or was written by a newer version."""
        try:
            data = path.read_bytes()
        except OSError as exc:
            raise StoreError(f"clip metadata cannot be read: {exc.strerror}", where=str(path)) from exc
        return cls.from_bytes(data, where=str(path))


class _Schema(msgspec.Struct):
    schema: int


def event_record(event: Event, *, opened_utc_ns: int, closed_utc_ns: int) -> EventRecord:
    """ValueError if the event is still open."""
    if event.closed_us is None:
        raise ValueError(f"event {event.id} is still open")
    return EventRecord(
        id=event.id,
        camera=event.camera,
        rule=event.rule,
        kind=event.kind,
        analyzer=event.analyzer,
        score=event.score,
        best_frame=event.best_frame,
        opened_s=event.opened_us / 1e6,
        closed_s=event.closed_us / 1e6,
        opened_utc=iso_utc(opened_utc_ns),
        closed_utc=iso_utc(closed_utc_ns),
        zones=event.zones,
        tracks=event.tracks,
        why=event.why,
        box=None if event.box is None else event.box.sides,
    )


def utc_ns(text: str) -> int:
    """The time that `iso_utc` wrote, to its millisecond."""
    stamp = datetime.fromisoformat(text)
    return round(stamp.timestamp() * 1000) * 1_000_000


def frame_span(frames: Iterable[int]) -> FrameSpan:
    """Frame numbers in rising order, as ranges without gaps."""
    ranges: list[FrameRange] = []
    count = 0
    for frame in frames:
        count += 1
        if ranges and frame == ranges[-1].last + 1:
            ranges[-1] = FrameRange(ranges[-1].first, frame)
        else:
            ranges.append(FrameRange(frame, frame))
    return FrameSpan(count=count, ranges=tuple(ranges))
