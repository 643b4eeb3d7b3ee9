"""Finds things that were left behind, and things that were taken away.

Invariant: one event for one thing, and none while its owner is near: whoever moves beside it, or stands there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from camera_edge.observation import Box, Observation
from camera_edge.rules.machine import Match
from camera_edge.rules.polygon import Polygon
from camera_edge.rules.reason import seconds
from camera_edge.rules.tracks import APPEARED, CHANGE, REMOVED, STILL, Life
from camera_edge.rules.watch import Find, Lasting, Look, Setting, Sight, Watch

OWNERS = frozenset({"motion", "person"})
# who is closer than half of the thing's longer side, or half of the own width, is beside it
NEAR = 0.5


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


class _ThingWatch:
    """Of what analyzers report as `still`. The event goes on, whoever comes near, until that is over."""

    def __init__(self, change: str, setting: Setting) -> None:
        self._change = change
        self._zones: Mapping[str, Polygon] = setting.zones
        self._setting = setting
        self._alone: dict[int, Lasting] = {}
        self._reported: set[int] = set()

    def look(self, look: Look) -> list[Find]:
        for life in look.gone:
            self._forget(life)
        owners = [each for each in look.everything if each.kind in OWNERS]
        return [find for sight in look.sights if (find := self._seen(sight, owners, look.now_us))]

    def _seen(self, sight: Sight, owners: Sequence[Observation], now_us: int) -> Find | None:
        life = sight.life
        there = life.seen.kind == STILL and life.seen.attributes.get(CHANGE) == self._change
        if not there or (self._zones and not any(zone in self._zones for zone in sight.zones)):
            self._forget(life)
            return None
        alone = self._alone.setdefault(life.number, Lasting(self._setting.hold_us, self._setting.quiet_us))
        began_us = None
        if life.number not in self._reported:
            if not alone.see(not any(is_near(life.seen.box, owner.box) for owner in owners), now_us):
                return None
            self._reported.add(life.number)
            began_us = alone.began_us
        seen = life.seen
        match = Match(seen.score, seen.track, sight.zones, seen.box, self._why(life, now_us, began_us), began_us)
        return Find(seen.analyzer, life.number, match)

    def _why(self, life: Life, now_us: int, began_us: int | None) -> str:
        word = "came to rest" if self._change == APPEARED else "was taken away"
        alone = "" if began_us is None else f" for {seconds(now_us - began_us)}"
        return f"track {life.seen.track}, something {word}, nobody near it{alone}"

    def _forget(self, life: Life) -> None:
        self._alone.pop(life.number, None)
        self._reported.discard(life.number)


def is_near(thing: Box, other: Box) -> bool:
    """Whether somebody in `other` is beside the thing."""
    reach = NEAR * max(thing.w, thing.h, other.w)
    return (
        other.x <= thing.x + thing.w + reach
        and thing.x <= other.x + other.w + reach
        and other.y <= thing.y + thing.h + reach
        and thing.y <= other.y + other.h + reach
    )
