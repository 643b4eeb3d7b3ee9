"""Remembers the encoded packets of the last seconds, so that a clip can begin before its event.

Invariant: what can be read begins with a key frame; packets go by whole groups of pictures, the oldest first.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

MAX_OLD_MARKS = 2_000
"""Pictures whose packets are gone and whose numbers are still known."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One encoded packet, as it came.

    ordinal: its number in decode order, over the whole source. epoch: the stream it belongs to (its decoder settings).
    media_us: media time of its picture where that is known already, else of its arrival.
    """

    ordinal: int
    epoch: int
    key: bool
    media_us: int
    data: bytes


@dataclass(frozen=True, slots=True)
class FrameMark:
    """Which picture a packet carried, and its media time."""

    frame: int
    media_us: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What a reader gets: packets in decode order; `lost` of them were dropped between the last batch and this one."""

    packets: tuple[Kept, ...]
    lost: int


@dataclass(slots=True)
class _Group:
    """A key frame and all packets until the next one."""

    packets: list[Kept]
    bytes: int
    marks: dict[int, FrameMark] = field(default_factory=dict)


class PreRoll:
    """A ring of groups of pictures; one thread keeps, others read.

    Holds the groups that are needed to go back `keep_us`, plus the one that is still growing. When `max_bytes` is
    exceeded the oldest groups go first, whatever their age; when one group alone exceeds it, that group goes too, and
    packets are lost up to the next key frame (`lost` counts packets that went before their time). Readers never hold
    anything back: who reads too slowly is told how many packets it missed.
    """

    def __init__(self, keep_us: int, max_bytes: int) -> None:
        self._keep_us = keep_us
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._groups: deque[_Group] = deque()
        self._old_marks: dict[int, FrameMark] = {}
        self._bytes = 0
        self._waits_for_key = True
        self._lost = 0

    @property
    def lost(self) -> int:
        """Packets that had no place, or went before they were old enough."""
        return self._lost

    @property
    def size_bytes(self) -> int:
        return self._bytes

    def keep(self, packet: Kept) -> None:
        """Take the next packet; those before the first key frame cannot be decoded and are lost."""
        with self._lock:
            if packet.key:
                self._waits_for_key = False
                self._groups.append(_Group([], 0))
            elif self._waits_for_key or self._groups[-1].packets[0].epoch != packet.epoch:
                self._waits_for_key = True
                self._lost += 1
                return
            group = self._groups[-1]
            group.packets.append(packet)
            group.bytes += len(packet.data)
            self._bytes += len(packet.data)
            self._make_room(packet.media_us)

    def note_frame(self, packet_ordinal: int, frame: int, media_us: int) -> None:
        """Tell which picture the packet carried; with B-frames that is known only some packets later."""
        with self._lock:
            group = self._group_of(packet_ordinal)
            if group is not None:
                group.marks[packet_ordinal] = FrameMark(frame, media_us)

    def mark(self, packet_ordinal: int) -> FrameMark | None:
        """The picture of a packet: None while it is not known, and when its packet went long ago."""
        with self._lock:
            group = self._group_of(packet_ordinal)
            marks = self._old_marks if group is None else group.marks
            return marks.get(packet_ordinal)

    def since(self, media_us: int) -> list[Kept]:
        """All packets from the last key frame at or before `media_us`; from the oldest one where none is that old."""
        with self._lock:
            return list(self._from_group(self._first_needed(media_us)))

    def reader(self, media_us: int) -> Reader:
        """A reader that begins where `since(media_us)` does and goes on with what is kept later."""
        with self._lock:
            first = self._first_needed(media_us)
            ordinal = self._groups[first].packets[0].ordinal if self._groups else None
        return Reader(self, ordinal)

    def read(self, ordinal: int | None) -> Batch:
        """What a `Reader` asks for: the packets from `ordinal` (None: from the first key frame that there is)."""
        with self._lock:
            packets = tuple(self._from_ordinal(ordinal))
            lost = packets[0].ordinal - ordinal if packets and ordinal is not None else 0
        return Batch(packets, lost)

    def _make_room(self, now_us: int) -> None:
        while len(self._groups) > 1 and _media_us(self._groups[1]) <= now_us - self._keep_us:
            self._drop_oldest()
        while self._bytes > self._max_bytes and self._groups:
            if len(self._groups) == 1:
                self._waits_for_key = True
            self._lost += len(self._groups[0].packets)
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        group = self._groups.popleft()
        self._bytes -= group.bytes
        # a reader that holds the packets of this group may still be decoding them
        self._old_marks.update(group.marks)
        for ordinal in list(islice(self._old_marks, max(len(self._old_marks) - MAX_OLD_MARKS, 0))):
            del self._old_marks[ordinal]

    def _first_needed(self, media_us: int) -> int:
        first = 0
        for number, group in enumerate(self._groups):
            if _media_us(group) <= media_us:
                first = number
        return first

    def _group_of(self, ordinal: int) -> _Group | None:
        for group in reversed(self._groups):
            if group.packets[0].ordinal <= ordinal:
                return group if ordinal <= group.packets[-1].ordinal else None
        return None

    def _from_group(self, first: int) -> Iterator[Kept]:
        for number, group in enumerate(self._groups):
            if number >= first:
                yield from group.packets

    def _from_ordinal(self, ordinal: int | None) -> Iterator[Kept]:
        for group in self._groups:
            if ordinal is None or group.packets[-1].ordinal >= ordinal:
                yield from (packet for packet in group.packets if ordinal is None or packet.ordinal >= ordinal)


class Reader:
    """Reads what the pre-roll keeps, from one thread, at its own pace."""

    def __init__(self, preroll: PreRoll, first_ordinal: int | None) -> None:
        self._preroll = preroll
        self._next_ordinal = first_ordinal
        self.lost = 0

    def read(self) -> Batch:
        """All packets that were kept since the last call, maybe none; never waits.

        After a loss the batch begins with a key frame.
        """
        batch = self._preroll.read(self._next_ordinal)
        if batch.packets:
            self._next_ordinal = batch.packets[-1].ordinal + 1
        self.lost += batch.lost
        return batch


def _media_us(group: _Group) -> int:
    """When the group's key frame is shown; pictures of an open group before it need the group before."""
    key = group.packets[0]
    mark = group.marks.get(key.ordinal)
    return key.media_us if mark is None else mark.media_us
