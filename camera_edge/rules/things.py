"""Finds things that were left behind, and things that were taken away.

Invariant: one event for one thing, and none while its owner is near: whoever moves beside it, or stands there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from camera_edge.observation import AttributeValue, Box, Observation
from camera_edge.rules.machine import Match
from camera_edge.rules.polygon import Polygon
from camera_edge.rules.reason import seconds
from camera_edge.rules.tracks import APPEARED, CHANGE, REMOVED, STILL, STILL_S, Life, area, shared
from camera_edge.rules.watch import Find, Look, Setting, Sight, Watch

OWNERS = frozenset({"motion", "person"})
# who is closer than half of the thing's longer side, or half of the own width, is beside it
NEAR = 0.5
WITHIN = 0.8
OPPOSITES = {APPEARED: REMOVED, REMOVED: APPEARED}
SAME = 0.5
LOOK_BACK_US = 3_000_000
LOOK_BACK_FRAMES = 256


@dataclass(frozen=True, slots=True)
class ObjectLeft:
    """Opens an event for a thing that came to rest and has been alone for the hold time."""

    event: str = field(default="object_left", init=False)
    holds_itself: bool = field(default=True, init=False)

    def start(self, setting: Setting) -> Watch:
        return _ThingWatch(APPEARED, setting)


@dataclass(frozen=True, slots=True)
class ObjectRemoved:
    """Opens an event for a place from which a thing has gone, with nobody there for the hold time."""

    event: str = field(default="object_removed", init=False)
    holds_itself: bool = field(default=True, init=False)

    def start(self, setting: Setting) -> Watch:
        return _ThingWatch(REMOVED, setting)


@dataclass(frozen=True, slots=True)
class _Moment:
    """Who was where."""

    at_us: int
    owners: Sequence[Observation]


@dataclass(frozen=True, slots=True)
class _Alone:
    """since_us: since when nobody has been near a thing. told_us: since when it has been reported so."""

    since_us: int
    told_us: int


class _ThingWatch:
    """Of what analyzers report as `still`. The event goes on, whoever comes near, until that is over.

    A thing is reported when it has been at rest for a while. So that its owner's leaving is not waited for twice, who
    was near it is looked up as far back as `LOOK_BACK_US`; half of the hold time it must be reported all the same,
    since a person who stands for a moment is reported for a moment.
    """

    def __init__(self, change: str, setting: Setting) -> None:
        self._change = change
        self._zones: Mapping[str, Polygon] = setting.zones
        self._setting = setting
        self._past: deque[_Moment] = deque(maxlen=LOOK_BACK_FRAMES)
        self._alone: dict[int, _Alone] = {}
        self._subjects: dict[int, int] = {}

    def look(self, look: Look) -> list[Find]:
        for life in look.gone:
            self._forget(life)
        self._past.append(_Moment(look.now_us, [each for each in look.everything if each.kind in OWNERS]))
        while look.now_us - self._past[0].at_us > LOOK_BACK_US:
            self._past.popleft()
        opposite = [each.life for each in look.sights if _change_of(each.life) == OPPOSITES[self._change]]
        return [find for sight in look.sights if (find := self._seen(sight, opposite, look.now_us))]

    def _seen(self, sight: Sight, opposite: Sequence[Life], now_us: int) -> Find | None:
        life = sight.life
        asked = not self._zones or any(zone in self._zones for zone in sight.zones)
        if not asked or _change_of(life) != self._change or _is_undone(life, opposite):
            self._forget(life)
            return None
        began_us = None
        if life.number not in self._subjects:
            began_us = self._left_alone(life, now_us)
            if began_us is None:
                return None
            self._subjects[life.number] = _thing_of(life, opposite)
        seen = life.seen
        match = Match(seen.score, seen.track, sight.zones, seen.box, self._why(life, now_us, began_us), began_us)
        return Find(seen.analyzer, self._subjects[life.number], match)

    def _left_alone(self, life: Life, now_us: int) -> int | None:
        """Since when nobody has been near it, once that is the hold time."""
        if any(is_near(life.seen.box, owner) for owner in self._past[-1].owners):
            self._alone.pop(life.number, None)
            return None
        alone = self._alone.get(life.number)
        if alone is None:
            alone = self._alone[life.number] = _Alone(self._alone_since_us(life, now_us), now_us)
        hold_us = self._setting.hold_us
        long_enough = now_us - alone.since_us >= hold_us and now_us - alone.told_us >= hold_us // 2
        return alone.since_us if long_enough else None

    def _alone_since_us(self, life: Life, now_us: int) -> int:
        """The earliest moment since when it has been at rest, and nobody near it."""
        still_s = life.seen.attributes.get(STILL_S)
        rests_since_us = now_us - round(still_s * 1e6) if isinstance(still_s, int | float) else now_us
        since_us = now_us
        for moment in reversed(self._past):
            if moment.at_us < rests_since_us or any(is_near(life.seen.box, owner) for owner in moment.owners):
                break
            since_us = moment.at_us
        return since_us

    def _why(self, life: Life, now_us: int, began_us: int | None) -> str:
        word = "came to rest" if self._change == APPEARED else "was taken away"
        alone = "" if began_us is None else f" for {seconds(now_us - began_us)}"
        return f"track {life.seen.track}, something {word}, nobody near it{alone}"

    def _forget(self, life: Life) -> None:
        self._alone.pop(life.number, None)
        self._subjects.pop(life.number, None)


def _change_of(life: Life) -> AttributeValue:
    return life.seen.attributes.get(CHANGE, "") if life.seen.kind == STILL else ""


def _is_undone(life: Life, opposite: Sequence[Life]) -> bool:
    """Whether the thing was taken that had been left, or there is something again where one was taken."""
    box = life.seen.box
    return any(
        other.number > life.number and shared(box, other.seen.box) >= SAME * min(area(box), area(other.seen.box))
        for other in opposite
    )


def _thing_of(life: Life, opposite: Sequence[Life]) -> int:
    """The number of the thing. What comes back in parts where one thing was is that thing; so is what goes in parts."""
    box = life.seen.box
    outlines = [
        other.number
        for other in opposite
        if other.number < life.number and shared(box, other.seen.box) >= SAME * area(box)
    ]
    return min(outlines, default=life.number)


def is_near(thing: Box, owner: Observation) -> bool:
    """Whether somebody is beside the thing. What moves within its own outline is the thing itself."""
    other = owner.box
    if owner.kind == "motion" and shared(thing, other) >= WITHIN * area(other):
        return False
    reach = NEAR * max(thing.w, thing.h, other.w)
    return (
        other.x <= thing.x + thing.w + reach
        and thing.x <= other.x + other.w + reach
        and other.y <= thing.y + thing.h + reach
        and thing.y <= other.y + other.h + reach
    )
