"""Finds things that go the wrong way, or too fast.

Invariant: a thing whose outline leaps, because it came apart or took another in, has no speed until it was seen anew
for a while.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from camera_edge.rules.polygon import Point, Polygon
from camera_edge.rules.tracks import Life
from camera_edge.rules.watch import Find, Lasting, Look, Presence, Setting, Watch, found, stands_inside, where

# 120 degrees and more apart from the way
AGAINST = -0.5
# what covers less than half of its own size in a second stands, and trembles
MOVES_SIZES_PER_S = 0.5


@dataclass(frozen=True, slots=True)
class WrongWay:
    """Opens an event for a thing that moves against the arrow `way`, by more than 120 degrees, for the hold time."""

    start_point: Point
    end_point: Point
    event: str = field(default="wrong_way", init=False)
    holds_itself: bool = field(default=True, init=False)

    def start(self, setting: Setting) -> Watch:
        return _MotionWatch(self, setting)

    def why(self, life: Life, velocity: tuple[float, float], height: float) -> str:
        """Why that velocity is what is waited for, "" where it is not. Widths of the picture a second."""
        across, down = velocity
        way_x = self.end_point[0] - self.start_point[0]
        way_y = (self.end_point[1] - self.start_point[1]) * height
        speed = math.hypot(across, down)
        size = min(life.seen.box.w, life.seen.box.h * height)
        if speed < MOVES_SIZES_PER_S * size or speed == 0:
            return ""
        cosine = (across * way_x + down * way_y) / (speed * math.hypot(way_x, way_y))
        if cosine > AGAINST:
            return ""
        return f"went against the way by {math.degrees(math.acos(max(cosine, -1.0))):.0f} degrees"


@dataclass(frozen=True, slots=True)
class Speeding:
    """Opens an event for a thing that is faster than `speed`, in widths of the picture a second, for the hold time."""

    speed: float
    event: str = field(default="speeding", init=False)
    holds_itself: bool = field(default=True, init=False)

    def start(self, setting: Setting) -> Watch:
        return _MotionWatch(self, setting)

    def why(self, life: Life, velocity: tuple[float, float], height: float) -> str:
        speed = math.hypot(*velocity)
        if speed <= self.speed:
            return ""
        return f"{speed:.2f} picture widths a second, over {self.speed:g}"


class _Wanted(Protocol):
    def why(self, life: Life, velocity: tuple[float, float], height: float) -> str: ...


@dataclass(slots=True)
class _Mover:
    stay: Presence
    lasting: Lasting


class _MotionWatch:
    """Of things in the rule's zones, by their velocity over the last second."""

    def __init__(self, wanted: _Wanted, setting: Setting) -> None:
        self._wanted = wanted
        self._zones: Mapping[str, Polygon] = setting.zones
        self._hold_us = setting.hold_us
        self._quiet_us = setting.quiet_us
        self._movers: dict[int, _Mover] = {}

    def look(self, look: Look) -> list[Find]:
        for life in look.gone:
            self._movers.pop(life.number, None)
        finds = []
        for sight in look.sights:
            life = sight.life
            inside, clearly = stands_inside(self._zones, life)
            mover = self._movers.get(life.number)
            if mover is None:
                lasting = Lasting(self._hold_us, self._quiet_us)
                mover = self._movers[life.number] = _Mover(Presence(inside, look.now_us), lasting)
            mover.stay.see(inside, clearly, look.now_us)
            why = self._why(life, look.height) if mover.stay.inside else ""
            if mover.lasting.see(bool(why), look.now_us):
                told = found(life, sight.zones, why + where(self._zones, sight.zones), mover.lasting.began_us)
                finds.append(Find(life.seen.analyzer, life.number, told))
        return finds

    def _why(self, life: Life, height: float) -> str:
        velocity = life.velocity()
        if velocity is None:
            return ""
        return self._wanted.why(life, (velocity[0], velocity[1] * height), height)
