"""Feeds the observations of one camera to one event machine per rule, analyzer and kind.

Invariant: a frame that was analysed is fed, also when nothing was seen in it: silence is what closes events.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from camera_edge.errors import ConfigError
from camera_edge.event import Change, Closed, Event, Opened, Updated
from camera_edge.observation import Box, Observation
from camera_edge.rules.machine import NO_FRAME, EventMachine, Match
from camera_edge.rules.polygon import Polygon
from camera_edge.rules.reason import told
from camera_edge.rules.schedule import Schedule
from camera_edge.rules.tracks import CHANGE, REMOVED, STILL, Life, TrackBook
from camera_edge.rules.watch import Look, Setting, Sight, WatchPlan

MAX_KINDS = 32
"""Kinds that may be going on at once for one rule and analyzer, so that no analyzer fills the memory with names."""
MAX_SUBJECTS = 64
"""Events that may be going on at once for one rule over tracks and analyzer."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What an operator wants to be told about. Empty `kinds`, `zones`, `analyzers`: any kind, anywhere, any analyzer.

    hold_us: how long it must have gone on before it is an event. quiet_us: how long nothing may be seen before the
    event is over. watch: what it makes of things that are followed; None: that something is seen is the event.
    schedule: when it applies; None: always.
    """

    name: str
    kinds: frozenset[str] = frozenset()
    zones: tuple[str, ...] = ()
    min_score: float = 0.0
    hold_us: int = 0
    quiet_us: int = 5_000_000
    analyzers: frozenset[str] = frozenset()
    raised: bool = False
    """For what a rule module raises: it is fed by `settle`, and sees nothing else."""
    unasked: frozenset[str] = frozenset()
    """Kinds that it leaves out where it asks for any."""
    watch: WatchPlan | None = None
    schedule: Schedule | None = None

    def wants(self, observation: Observation, stands_in: tuple[str, ...]) -> bool:
        """Whether the observation, which stands in these zones, is what the rule asks for."""
        return (
            self._admits(observation)
            and (observation.kind in self.kinds if self.kinds else observation.kind not in self.unasked)
            and (not self.zones or any(zone in stands_in for zone in self.zones))
        )

    def follows(self, life: Life) -> bool:
        """Whether a thing, wherever it stands, is one that the rule looks at: also while it rests."""
        seen = life.seen
        rests = seen.kind == STILL and STILL not in self.kinds and seen.attributes.get(CHANGE) != REMOVED
        kind = life.kind if rests else seen.kind
        return self._admits(seen) and kind != "" and (not self.kinds or kind in self.kinds)

    def applies(self, scene: Scene) -> bool:
        """Whether it applies at that time of day; where that is not known it does."""
        return self.schedule is None or scene.utc_ns is None or self.schedule.holds(scene.utc_ns)

    def _admits(self, observation: Observation) -> bool:
        return observation.score >= self.min_score and (not self.analyzers or observation.analyzer in self.analyzers)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known of a frame beside what was seen in it. height: of the picture, in its widths."""

    utc_ns: int | None = None
    height: float = 1.0


@dataclass(frozen=True, slots=True)
class Standing:
    """An event at this frame, before anybody had a say: `change` is what is new about it, None: it goes on."""

    event: Event
    change: Change | None


@dataclass(frozen=True, slots=True)
class Amendment:
    """Another kind for a standing event, and another score (None: as it was)."""

    kind: str
    score: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What rule modules decided; events are numbers in the list that `propose` gave. Empty: all stands."""

    vetoed: frozenset[int] = frozenset()
    amended: Mapping[int, Amendment] = field(default_factory=dict)
    raised: Sequence[Observation] = ()


@dataclass(frozen=True, slots=True)
class _Key:
    rule: int
    analyzer: str
    kind: str
    subject: Hashable = None
    """What the event is about, of a rule over tracks that makes an event for each."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a standing event comes from."""

    key: _Key
    standing: Standing


UNKNOWN = Scene()


class RuleEngine:
    """All rules of one camera.

    Events are numbered as they open; `first_number` is the number of the first, so that a worker that is started again
    goes on where it stopped and no two events of a camera have the same id. Machines that have gone idle are dropped;
    of one rule and analyzer at most `MAX_KINDS` kinds (of a rule over tracks `MAX_SUBJECTS` events) go on at once, a
    further one is not followed (`ignored` counts its frames).
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
        self._book = TrackBook()
        self._watches = {
            number: rule.watch.start(self._setting(rule)) for number, rule in enumerate(rules) if rule.watch is not None
        }
        self._machines: dict[_Key, EventMachine] = {}
        self._places: list[_Place] = []
        self._next_number = first_number
        self.ignored = 0

    def feed(
        self, observations: Sequence[Observation], *, frame: int, now_us: int, scene: Scene = UNKNOWN
    ) -> list[Change]:
        """`propose` and `settle` in one, where nobody has a say."""
        self.propose(observations, frame=frame, now_us=now_us, scene=scene)
        return self.settle(Verdict(), frame=frame, now_us=now_us)

    def propose(
        self, observations: Sequence[Observation], *, frame: int, now_us: int, scene: Scene = UNKNOWN
    ) -> list[Standing]:
        """Take all observations of one analysed frame, at its media time in microseconds.

        Returns every event that is open, opens or closes with this frame: closings first within one machine, machines
        in the order in which they began. `settle` must follow.
        """
        self._places = []
        matches = self._matches(observations, raised=False, scene=scene)
        if self._watches:
            matches |= self._found(observations, now_us, frame, scene)
        for key, changes in self._fed(matches, frame, now_us, raised=False):
            self._places += self._standing(key, changes)
        self._places += [
            _Place(key, Standing(event, None))
            for key, machine in self._machines.items()
            if self._rules[key.rule].raised and (event := machine.open_event) is not None
        ]
        return [place.standing for place in self._places]

    def settle(self, verdict: Verdict, *, frame: int, now_us: int) -> list[Change]:
        """What changed, after `verdict` on what was proposed for this frame and with what was raised in it."""
        changes: list[Change] = []
        for number, place in enumerate(self._places):
            changes += self._decided(place, number in verdict.vetoed, verdict.amended.get(number), now_us)
        self._places = []
        matches = self._matches(verdict.raised, raised=True, scene=UNKNOWN)
        for key, raised in self._fed(matches, frame, now_us, raised=True):
            changes += [self._open(key) if isinstance(change, Opened) else change for change in raised]
        for key in [key for key, machine in self._machines.items() if machine.idle]:
            del self._machines[key]
        return changes

    @property
    def going_on(self) -> list[Event]:
        """The open events as they are now; `feed` tells only what is news about them."""
        return [event for event in (machine.open_event for machine in self._machines.values()) if event is not None]

    @property
    def best_frames(self) -> frozenset[int]:
        """The best frames of the open events, and of what may become one: whoever shows events keeps these."""
        return frozenset(machine.best_frame for machine in self._machines.values()) - {NO_FRAME}

    def close_all(self, now_us: int) -> list[Change]:
        """The source has ended at `now_us`: every open event closes, at its last match.

        An event that had been quiet for long enough would have closed at that same time.
        """
        self._watches.clear()
        changes = self.feed((), frame=NO_FRAME, now_us=now_us)
        for machine in self._machines.values():
            changes += machine.close()
        self._machines.clear()
        return changes

    def zones_under(self, box: Box) -> tuple[str, ...]:
        """The zones that a thing stands in."""
        # 32-bit numbers of a guest add up to a hair more than 1
        x, y = (min(max(value, 0.0), 1.0) for value in box.bottom_centre)
        return tuple(name for name, polygon in self._zones.items() if polygon.contains(x, y))

    def _fed(
        self, matches: Mapping[_Key, Sequence[Match]], frame: int, now_us: int, *, raised: bool
    ) -> Iterator[tuple[_Key, list[Change]]]:
        for key in matches:
            if key not in self._machines:
                self._add(key)
        for key, machine in self._machines.items():
            if self._rules[key.rule].raised is raised:
                yield key, machine.feed(matches.get(key, ()), frame=frame, now_us=now_us)

    def _standing(self, key: _Key, changes: Sequence[Change]) -> list[_Place]:
        places = [_Place(key, Standing(change.event, change)) for change in changes]
        event = self._machines[key].open_event
        if event is not None and not any(isinstance(change, Updated) for change in changes):
            places.append(_Place(key, Standing(event, None)))
        return places

    def _decided(self, place: _Place, vetoed: bool, amendment: Amendment | None, now_us: int) -> list[Change]:
        machine, change = self._machines[place.key], place.standing.change
        if isinstance(change, Closed):
            return [change if amendment is None else Closed(_amended(change.event, amendment))]
        if vetoed:
            return machine.veto(now_us)
        if amendment is not None:
            machine.relabel(amendment.kind, amendment.score)
        if isinstance(change, Opened):
            return [self._open(place.key)]
        event = machine.open_event
        if amendment is not None and event is not None and event != place.standing.event:
            return [Updated(event)]
        return [] if change is None else [change]

    def _open(self, key: _Key) -> Opened:
        machine = self._machines[key]
        event = machine.proposed
        number = self._next_number
        self._next_number += 1
        return machine.open(event_id(self._camera, event.kind, event.opened_us, number))

    def _setting(self, rule: Rule) -> Setting:
        return Setting({name: self._zones[name] for name in rule.zones}, rule.hold_us, rule.quiet_us)

    def _found(
        self, observations: Sequence[Observation], now_us: int, frame: int, scene: Scene
    ) -> dict[_Key, list[Match]]:
        """What rules over tracks find. They follow things at all hours, and say so while they apply."""
        roll = self._book.see(observations, now_us, frame)
        stands_in = [self.zones_under(life.seen.box) for life in roll.present]
        matches: dict[_Key, list[Match]] = {}
        for number, watch in self._watches.items():
            rule = self._rules[number]
            assert rule.watch is not None, "only such rules are watched"
            sights = [
                Sight(life, zones) for life, zones in zip(roll.present, stands_in, strict=True) if rule.follows(life)
            ]
            finds = watch.look(Look(now_us, sights, roll.gone, observations, scene.height))
            for find in finds if rule.applies(scene) else ():
                key = _Key(number, find.analyzer, rule.watch.event, find.subject)
                matches.setdefault(key, []).append(find.match)
        return matches

    def _matches(self, observations: Sequence[Observation], *, raised: bool, scene: Scene) -> dict[_Key, list[Match]]:
        matches: dict[_Key, list[Match]] = {}
        seeing = [
            (number, rule)
            for number, rule in enumerate(self._rules)
            if rule.watch is None and rule.raised is raised and rule.applies(scene)
        ]
        for seen in observations:
            stands_in = self.zones_under(seen.box)
            for number, rule in seeing:
                if rule.wants(seen, stands_in):
                    key = _Key(number, seen.analyzer, seen.kind)
                    matches.setdefault(key, []).append(
                        Match(seen.score, seen.track, stands_in, seen.box, told(seen.attributes))
                    )
        return matches

    def _add(self, key: _Key) -> None:
        same = sum(other.rule == key.rule and other.analyzer == key.analyzer for other in self._machines)
        rule = self._rules[key.rule]
        if same >= (MAX_KINDS if rule.watch is None else MAX_SUBJECTS):
            self.ignored += 1
            return
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
        hold_us = 0 if rule.watch is not None and rule.watch.holds_itself else rule.hold_us
        self._machines[key] = EventMachine(hold_us, rule.quiet_us, blank)


def _amended(event: Event, amendment: Amendment) -> Event:
    score = event.score if amendment.score is None else amendment.score
    return replace(event, kind=amendment.kind, score=score)


def event_id(camera: str, kind: str, opened_us: int, number: int) -> str:
    """16 hex digits that a second run over the same frames gives again."""
    text = "\0".join((camera, kind, str(opened_us), str(number)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
