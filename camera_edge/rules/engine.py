"""Feeds the observations of one camera to one event machine per rule, analyzer and kind.

Invariant: a frame that was analysed is fed, also when nothing was seen in it: silence is what closes events.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from camera_edge.errors import ConfigError
from camera_edge.event import Change, Event
from camera_edge.observation import Box, Observation
from camera_edge.rules.machine import NO_FRAME, EventMachine, Match
from camera_edge.rules.polygon import Polygon

MAX_KINDS = 32
"""Kinds that may be going on at once for one rule and analyzer, so that no analyzer fills the memory with names."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What an operator wants to be told about. Empty `kinds`, `zones`, `analyzers`: any kind, anywhere, any analyzer.

    hold_us: how long it must have gone on before it is an event. quiet_us: how long nothing may be seen before the
    event is over.
    """

    name: str
    kinds: frozenset[str] = frozenset()
    zones: tuple[str, ...] = ()
    min_score: float = 0.0
    hold_us: int = 0
    quiet_us: int = 5_000_000
    analyzers: frozenset[str] = frozenset()

    def wants(self, observation: Observation, stands_in: tuple[str, ...]) -> bool:
        """Whether the observation, which stands in these zones, is what the rule asks for."""
        return (
            observation.score >= self.min_score
            and (not self.kinds or observation.kind in self.kinds)
            and (not self.analyzers or observation.analyzer in self.analyzers)
            and (not self.zones or any(zone in stands_in for zone in self.zones))
        )


@dataclass(frozen=True, slots=True)
class _Key:
    rule: int
    analyzer: str
    kind: str


class RuleEngine:
    """All rules of one camera.

    Events are numbered as they open; `first_number` is the number of the first, so that a worker that is started again
    goes on where it stopped and no two events of a camera have the same id. Machines that have gone idle are dropped;
    of one rule and analyzer at most `MAX_KINDS` kinds go on at once, a further kind is not followed (`ignored` counts
    its frames).
    """

    def __init__(
        self, camera: str, rules: Sequence[Rule], zones: Mapping[str, Polygon], *, first_number: int = 0
    ) -> None:
        for rule in rules:
            for zone in rule.zones:
                if zone not in zones:
                    raise ConfigError(
                        f"rule {rule.name} names the zone {zone}, which camera {camera} does not have",
                        hint=f"zones: {', '.join(zones) or 'none'}",
                    )
        self._camera = camera
        self._rules = tuple(rules)
        self._zones = dict(zones)
        self._machines: dict[_Key, EventMachine] = {}
        self._next_number = first_number
        self.ignored = 0

    def feed(self, observations: Sequence[Observation], *, frame: int, now_us: int) -> list[Change]:
        """Take all observations of one analysed frame, at its media time in microseconds.

        Returns what changed: closings first within one machine; machines in the order in which they began.
        """
        matches = self._matches(observations)
        for key in matches:
            if key not in self._machines:
                self._add(key)
        changes: list[Change] = []
        for key, machine in list(self._machines.items()):
            changes += machine.feed(matches.get(key, ()), frame=frame, now_us=now_us)
            if machine.idle:
                del self._machines[key]
        return changes

    @property
    def going_on(self) -> list[Event]:
        """The open events as they are now; `feed` tells only what is news about them."""
        return [event for event in (machine.open_event for machine in self._machines.values()) if event is not None]

    def close_all(self, now_us: int) -> list[Change]:
        """The source has ended at `now_us`: every open event closes, at its last match.

        An event that had been quiet for long enough would have closed at that same time.
        """
        changes = self.feed((), frame=NO_FRAME, now_us=now_us)
        for machine in self._machines.values():
            changes += machine.close()
        self._machines.clear()
        return changes

    def _matches(self, observations: Sequence[Observation]) -> dict[_Key, list[Match]]:
        matches: dict[_Key, list[Match]] = {}
        for seen in observations:
            stands_in = self._zones_under(seen.box)
            for number, rule in enumerate(self._rules):
                if rule.wants(seen, stands_in):
                    key = _Key(number, seen.analyzer, seen.kind)
                    matches.setdefault(key, []).append(Match(seen.score, seen.track, stands_in))
        return matches

    def _zones_under(self, box: Box) -> tuple[str, ...]:
        # 32-bit numbers of a guest add up to a hair more than 1
        x, y = (min(max(value, 0.0), 1.0) for value in box.bottom_centre)
        return tuple(name for name, polygon in self._zones.items() if polygon.contains(x, y))

    def _add(self, key: _Key) -> None:
        same = sum(other.rule == key.rule and other.analyzer == key.analyzer for other in self._machines)
        if same >= MAX_KINDS:
            self.ignored += 1
            return
        rule = self._rules[key.rule]
        blank = Event(
            id="",
            camera=self._camera,
            rule=rule.name,
            kind=key.kind,
            analyzer=key.analyzer,
            score=0.0,
            best_frame=NO_FRAME,
            opened_us=0,
        )
        self._machines[key] = EventMachine(rule.hold_us, rule.quiet_us, blank, partial(self._next_id, key.kind))

    def _next_id(self, kind: str, opened_us: int) -> str:
        number = self._next_number
        self._next_number += 1
        return event_id(self._camera, kind, opened_us, number)


def event_id(camera: str, kind: str, opened_us: int, number: int) -> str:
    """16 hex digits that a second run over the same frames gives again."""
    text = "\0".join((camera, kind, str(opened_us), str(number)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
