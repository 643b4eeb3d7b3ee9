"""Collects what a rule module says to one batch, and checks each word of it.

Invariant: whatever leaves here is of a kind the manifest names, finite, and about an event that the batch held.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from camera_edge.observation import Observation
from camera_edge.sandbox.answer import LogLine, Metric, Record, check_kind, check_record, inside, read_attributes
from camera_edge.sandbox.manifest import Manifest
from camera_edge.sandbox.status import RefusedError, Status


@dataclass(frozen=True, slots=True)
class Relabel:
    """Another kind for the event of this number in the batch, and another score (None: as it was)."""

    event: int
    kind: str
    score: float | None


@dataclass(frozen=True, slots=True)
class Ruling:
    """All that one rule module said to one batch; events are numbers in it. `refused` counts what was over a limit."""

    raised: tuple[Observation, ...] = ()
    vetoed: frozenset[int] = frozenset()
    relabelled: tuple[Relabel, ...] = ()
    logs: tuple[LogLine, ...] = ()
    metrics: tuple[Metric, ...] = ()
    fuel: int = 0
    refused: int = 0


@dataclass(slots=True)
class RulingDraft:
    """The ruling while it is being given; `events`: how many the batch holds. Its methods raise RefusedError."""

    manifest: Manifest
    events: int = 0
    raised: list[Observation] = field(default_factory=list)
    vetoed: set[int] = field(default_factory=set)
    relabelled: dict[int, Relabel] = field(default_factory=dict)
    refused: int = 0
    spoiled: str | None = None

    def raise_event(self, record: Record, kind: bytes, attributes: bytes) -> None:
        if len(self.raised) >= self.manifest.limits.observations:
            raise RefusedError(Status.TOO_MANY)
        name = self._kind(kind)
        check_record(record, name, self.manifest)
        box = inside(record.x, record.y, record.w, record.h)
        known = read_attributes(attributes)
        self.raised.append(Observation(self.manifest.name, name, record.score, box, record.track, known))

    def veto(self, event: int) -> None:
        self._check(event)
        self.vetoed.add(event)

    def relabel(self, event: int, kind: bytes, score: float) -> None:
        """The last one of several holds. A negative score keeps what the event has."""
        self._check(event)
        if not math.isfinite(score) or score > 1:
            raise RefusedError(Status.BAD_VALUE)
        self.relabelled[event] = Relabel(event, self._kind(kind), score if score >= 0 else None)

    def _check(self, event: int) -> None:
        if not 0 <= event < self.events:
            raise RefusedError(Status.NOT_FOUND)

    def _kind(self, data: bytes) -> str:
        try:
            name = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RefusedError(Status.BAD_VALUE) from error
        check_kind(name, self.manifest)
        return name
