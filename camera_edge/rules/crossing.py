"""Finds things that cross a line, come into a zone, or leave it.

Invariant: a thing that trembles on an edge crosses it once at most; one that is first seen beyond an edge has not
crossed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from camera_edge.rules.line import Line
from camera_edge.rules.polygon import Point, Polygon
from camera_edge.rules.tracks import Life
from camera_edge.rules.watch import (
    MARGIN,
    Find,
    Look,
    Presence,
    Setting,
    Watch,
    found,
    stands_inside,
    touches_border,
)

Direction = Literal["any", "left_to_right", "right_to_left"]


@dataclass(frozen=True, slots=True)
class LineCrossed:
    """Opens an event for each crossing of the line `name` by the point where a thing stands."""

    name: str
    line: Line
    direction: Direction = "any"
    event: str = field(default="line_crossed", init=False)
    holds_itself: bool = field(default=True, init=False)

    def start(self, setting: Setting) -> Watch:
        return _LineWatch(self)


@dataclass(frozen=True, slots=True)
class ZoneEntered:
    """Opens an event for each thing that comes into one of the rule's zones from outside of it."""

    event: str = field(default="zone_entered", init=False)
    holds_itself: bool = field(default=True, init=False)

    def start(self, setting: Setting) -> Watch:
        return _ZoneWatch(setting.zones, entered=True)


@dataclass(frozen=True, slots=True)
class ZoneLeft:
    """Opens an event for each thing that goes out of one of the rule's zones, or with it out of the picture."""

    event: str = field(default="zone_left", init=False)
    holds_itself: bool = field(default=True, init=False)

    def start(self, setting: Setting) -> Watch:
        return _ZoneWatch(setting.zones, entered=False)


@dataclass(slots=True)
class _Crosser:
    """A thing near the line. right: the side on which it counts. met_us: when its way last led through the line."""

    point: Point
    right: bool
    met_us: int | None = None


class _LineWatch:
    """The side of a thing changes once it is across by a part of its size; it crossed when its way met the line."""

    def __init__(self, plan: LineCrossed) -> None:
        self._plan = plan
        self._crossers: dict[int, _Crosser] = {}

    def look(self, look: Look) -> list[Find]:
        for life in look.gone:
            self._crossers.pop(life.number, None)
        return [find for sight in look.sights if (find := self._seen(sight.life, sight.zones, look.now_us))]

    def _seen(self, life: Life, zones: tuple[str, ...], now_us: int) -> Find | None:
        line, point = self._plan.line, life.standing
        side = line.side(point)
        crosser = self._crossers.get(life.number)
        if crosser is None:
            self._crossers[life.number] = _Crosser(point, side > 0)
            return None
        before = line.side(crosser.point)
        if (side > 0) != (before > 0):
            crosser.met_us = now_us if line.is_met(crosser.point, point) else None
        crosser.point = point
        if (side > 0) is crosser.right or abs(side) < MARGIN * line.extent(life.seen.box):
            return None
        crosser.right, met_us, crosser.met_us = side > 0, crosser.met_us, None
        direction = "left_to_right" if side > 0 else "right_to_left"
        if met_us is None or self._plan.direction not in ("any", direction):
            return None
        why = f"crossed {self._plan.name} {direction.replace('_', ' ')}"
        return Find(life.seen.analyzer, (life.number, direction), found(life, zones, why, met_us))


class _ZoneWatch:
    def __init__(self, zones: Mapping[str, Polygon], *, entered: bool) -> None:
        self._zones = {name: {name: polygon} for name, polygon in zones.items()}
        self._entered = entered
        self._stays: dict[int, dict[str, Presence]] = {}

    def look(self, look: Look) -> list[Find]:
        finds = [find for life in look.gone for find in self._over(life)]
        for sight in look.sights:
            finds += self._seen(sight.life, look.now_us)
        return finds

    def _seen(self, life: Life, now_us: int) -> list[Find]:
        stays = self._stays.setdefault(life.number, {})
        finds = []
        for name, zone in self._zones.items():
            inside, clearly = stands_inside(zone, life)
            if name not in stays:
                stays[name] = Presence(inside, now_us)
            elif stays[name].see(inside, clearly, now_us) and inside is self._entered:
                word = "entered" if inside else "left"
                finds.append(self._find(life, name, f"{word} {name}", stays[name].since_us))
        return finds

    def _over(self, life: Life) -> list[Find]:
        stays = self._stays.pop(life.number, {})
        if self._entered or not touches_border(life.seen.box):
            return []
        return [
            self._find(life, name, f"left {name} and the picture", life.last_us)
            for name, stay in stays.items()
            if stay.inside
        ]

    def _find(self, life: Life, zone: str, why: str, since_us: int) -> Find:
        return Find(life.seen.analyzer, (life.number, zone), found(life, (zone,), why, since_us))
