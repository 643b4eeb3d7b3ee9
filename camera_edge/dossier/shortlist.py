"""Chooses which events are told at length where there are too many.

Invariant: bounded in events and in bytes. A kind of which there are few is not crowded out by one of which there are
many: what goes is the weakest event of the kind that has most, and it is counted.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field

from camera_edge.dossier.findings import EventFound

EVENTS_MAX = 500
PICTURES_MAX_BYTES = 12 << 20


@dataclass(slots=True)
class _Kind:
    """The events of one kind of one source, the weakest first."""

    weakest: list[tuple[float, int]] = field(default_factory=list)


class Shortlist:
    """Of all sources of one run together; sources are told apart by their number."""

    def __init__(self, events_max: int = EVENTS_MAX, pictures_max_bytes: int = PICTURES_MAX_BYTES) -> None:
        self._events_max = events_max
        self._pictures_max_bytes = pictures_max_bytes
        self._found: dict[int, EventFound] = {}
        self._source: dict[int, int] = {}
        self._kinds: dict[tuple[int, str], _Kind] = {}
        self._left_out: dict[int, Counter[str]] = {}
        self._pictures_bytes = 0
        self._number = 0

    def add(self, source: int, found: EventFound) -> None:
        number, self._number = self._number, self._number + 1
        self._found[number], self._source[number] = found, source
        kind = self._kinds.setdefault((source, found.event.kind), _Kind())
        heapq.heappush(kind.weakest, (found.event.score, -number))
        self._pictures_bytes += _bytes(found)
        while len(self._found) > self._events_max or self._pictures_bytes > self._pictures_max_bytes:
            self._leave_one_out()

    def events(self, source: int) -> tuple[EventFound, ...]:
        """Those of the source that are told, in order of opening."""
        told = [found for number, found in self._found.items() if self._source[number] == source]
        return tuple(sorted(told, key=lambda found: found.event.opened_us))

    def left_out(self, source: int) -> Counter[str]:
        """How many of the source are not, by kind."""
        return self._left_out.get(source, Counter())

    def _leave_one_out(self) -> None:
        (source, kind), most = max(self._kinds.items(), key=lambda item: len(item[1].weakest))
        number = -heapq.heappop(most.weakest)[1]
        self._pictures_bytes -= _bytes(self._found.pop(number))
        del self._source[number]
        self._left_out.setdefault(source, Counter())[kind] += 1


def _bytes(found: EventFound) -> int:
    return 0 if found.snapshot is None else len(found.snapshot.data)
