"""What a rule module is told about one frame: what others saw in it, and the events of its camera.

Invariant: bounded: what does not fit into the inbox is left out and counted in the batch. No analyzer can push out what
another one saw: they lose in turns, each its last.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import zip_longest
from typing import TypeVar

import msgspec

from camera_edge.event import Event
from camera_edge.observation import Observation
from camera_edge.sandbox.status import ABI_VERSION

INBOX_BYTES = 1 << 20
HEADER = struct.Struct("<IIQqqiIIII12x")
SIGHTING = struct.Struct("<IIIIfiffffIII12x")
EVENT = struct.Struct("<IIIIIIIIIfqqI20x")
ZONES_MAX = 32
_OPEN = -1
_EVENTS_FIELD = 7

T = TypeVar("T")


class Phase(IntEnum):
    """Where an event is at this frame; the numbers are those of `wasm_analyzers/ABI.md`."""

    GOES_ON = 0
    OPENS = 1
    CHANGED = 2
    CLOSES = 3


@dataclass(frozen=True, slots=True)
class Sighting:
    """An observation and the names of the zones it stands in."""

    observation: Observation
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventNow:
    """An event as it is at this frame. One that opens has no id yet: nobody has heard of it."""

    phase: Phase
    event: Event


@dataclass(frozen=True, slots=True)
class Batch:
    """One frame. `zones`: the names of the camera's zones, in the order of their bits.

    utc_us: the time of day of the frame. week_minute: the local minute of the week, Monday 00:00 is 0; -1: unknown.
    """

    sequence: int
    media_us: int
    utc_us: int
    week_minute: int
    zones: tuple[str, ...] = ()
    sightings: Sequence[Sighting] = ()
    events: Sequence[EventNow] = ()

    def encode(self, address: int, room_bytes: int = INBOX_BYTES) -> bytes:
        """The batch as it is to lie at `address` of the guest's memory, at most `room_bytes` long."""
        room = room_bytes - HEADER.size
        events, room = _fitting(self.events, EVENT.size, _event_texts, room)
        sightings, _ = _fitting(self.sightings, SIGHTING.size, _sighting_texts, room)
        if len(sightings) < len(self.sightings):
            sightings, _ = _fitting(_in_turns(self.sightings), SIGHTING.size, _sighting_texts, room)
        at_events = HEADER.size + len(sightings) * SIGHTING.size
        texts = _Texts(address + at_events + len(events) * EVENT.size)
        header = HEADER.pack(
            ABI_VERSION,
            len(sightings),
            self.sequence,
            self.media_us,
            self.utc_us,
            self.week_minute,
            HEADER.size,
            len(events),
            at_events,
            len(self.events) + len(self.sightings) - len(events) - len(sightings),
        )
        records = [self._sighting(each, texts) for each in sightings]
        records += [self._event(each, texts) for each in events]
        return b"".join((header, *records, texts.data))

    def _sighting(self, sighting: Sighting, texts: _Texts) -> bytes:
        seen = sighting.observation
        analyzer, kind, attributes = map(texts.put, _sighting_texts(sighting))
        box = (seen.box.x, seen.box.y, seen.box.w, seen.box.h)
        return SIGHTING.pack(*analyzer, *kind, seen.score, seen.track, *box, self._bits(sighting.zones), *attributes)

    def _event(self, now: EventNow, texts: _Texts) -> bytes:
        event = now.event
        names = [number for text in _event_texts(now) for number in texts.put(text)]
        closed_us = _OPEN if event.closed_us is None else event.closed_us
        return EVENT.pack(now.phase, *names, event.score, event.opened_us, closed_us, self._bits(event.zones))

    def _bits(self, names: tuple[str, ...]) -> int:
        return sum(1 << bit for bit, name in enumerate(self.zones[:ZONES_MAX]) if name in names)


def events_told(encoded: bytes) -> int:
    """How many events an encoded batch holds: fewer than there are, where some found no room."""
    events: int = HEADER.unpack_from(encoded)[_EVENTS_FIELD]
    return events


class _Texts:
    """The texts behind the records; `put` gives where one lies, as pointer and length."""

    def __init__(self, address: int) -> None:
        self._address = address
        self.data = bytearray()

    def put(self, text: bytes) -> tuple[int, int]:
        at = self._address + len(self.data)
        self.data += text
        return at, len(text)


def _fitting(
    items: Sequence[T], record_bytes: int, texts_of: Callable[[T], tuple[bytes, ...]], room: int
) -> tuple[list[T], int]:
    """The first items that fit into `room` bytes, and what is left of it."""
    fitting: list[T] = []
    for item in items:
        room -= record_bytes + sum(map(len, texts_of(item)))
        if room < 0:
            return fitting, 0
        fitting.append(item)
    return fitting, room


def _in_turns(sightings: Sequence[Sighting]) -> list[Sighting]:
    """The first of each analyzer, then the second of each, and so on."""
    of_analyzer: dict[str, list[Sighting]] = {}
    for each in sightings:
        of_analyzer.setdefault(each.observation.analyzer, []).append(each)
    rounds = zip_longest(*of_analyzer.values())
    return [each for turn in rounds for each in turn if each is not None]


def _sighting_texts(sighting: Sighting) -> tuple[bytes, ...]:
    seen = sighting.observation
    attributes = msgspec.json.encode(seen.attributes) if seen.attributes else b""
    return seen.analyzer.encode(), seen.kind.encode(), attributes


def _event_texts(now: EventNow) -> tuple[bytes, ...]:
    event = now.event
    return event.id.encode(), event.rule.encode(), event.kind.encode(), event.analyzer.encode()
