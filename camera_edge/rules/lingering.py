"""Finds things that stay, and places where too many are at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from camera_edge.rules.machine import Match
from camera_edge.rules.polygon import Polygon
from camera_edge.rules.reason import seconds
from camera_edge.rules.tracks import around
from camera_edge.rules.watch import Find, Look, Presence, Setting, Sight, Watch, found, stands_inside, where


@dataclass(frozen=True, slots=True)
class Loitering:
    """Opens an event once a thing has stayed in the rule's zones (none: in sight) for `dwell_us`."""

    dwell_us: int
    event: str = field(default="loitering", init=False)
    holds_itself: bool = field(default=True, init=False)

    def start(self, setting: Setting) -> Watch:
        return _LoiterWatch(self.dwell_us, setting.zones)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Opens an event when `count` things or more were in the rule's zones at once for the hold time."""

    count: int
    event: str = field(default="crowd", init=False)
    holds_itself: bool = field(default=False, init=False)

    def start(self, setting: Setting) -> Watch:
        return _CrowdWatch(self.count, setting.zones)


class _LoiterWatch:
    """Who is first seen inside stays from then on; who goes out, or is forgotten, begins anew."""

    def __init__(self, dwell_us: int, zones: Mapping[str, Polygon]) -> None:
        self._dwell_us = dwell_us
        self._zones = zones
        self._stays: dict[int, Presence] = {}

    def look(self, look: Look) -> list[Find]:
        for life in look.gone:
            self._stays.pop(life.number, None)
        return [find for sight in look.sights if (find := self._seen(sight, look.now_us))]

    def _seen(self, sight: Sight, now_us: int) -> Find | None:
        life = sight.life
        inside, clearly = stands_inside(self._zones, life)
        stay = self._stays.setdefault(life.number, Presence(inside, now_us))
        stay.see(inside, clearly, now_us)
        stayed_us = now_us - stay.since_us
        if not stay.inside or stayed_us < self._dwell_us:
            return None
        place = where(self._zones, sight.zones or tuple(self._zones)) or " in sight"
        return Find(
            life.seen.analyzer, life.number, found(life, sight.zones, f"{place.strip()} for {seconds(stayed_us)}")
        )


class _CrowdWatch:
    def __init__(self, count: int, zones: Mapping[str, Polygon]) -> None:
        self._count = count
        self._zones = zones

    def look(self, look: Look) -> list[Find]:
        members: dict[str, list[Sight]] = {}
        for sight in look.sights:
            if not self._zones or any(zone in self._zones for zone in sight.zones):
                members.setdefault(sight.life.seen.analyzer, []).append(sight)
        return [
            find
            for analyzer, sights in members.items()
            if len(sights) >= self._count
            for find in self._crowd(analyzer, sights)
        ]

    def _crowd(self, analyzer: str, sights: list[Sight]) -> list[Find]:
        box = around([sight.life.seen.box for sight in sights])
        kinds = ", ".join(dict.fromkeys(sight.life.kind for sight in sights))
        why = f"{len(sights)} at once{where(self._zones, tuple(self._zones))} ({kinds}), {self._count} are a crowd"
        return [
            Find(analyzer, (), Match(sight.life.seen.score, sight.life.seen.track, sight.zones, box, why))
            for sight in sights
        ]
