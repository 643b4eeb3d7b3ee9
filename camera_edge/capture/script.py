"""Who is where in the synthetic scene at a given time: walkers, an intruder, a bag that is left.

Pure: the same seed and time give the same answer. Positions are fractions of the picture; (x, y) is where a thing
stands on the ground.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from camera_edge.observation import Box

PERSON, BAG = "person", "bag"
HORIZON = 0.36
_STRIDE = 0.55
_ASPECT = 16 / 9

# (seconds since the act began, x, y); the same place twice is a stop
_INTRUSION = ((-1.2, 1.06, 0.60), (0.0, 0.90, 0.62), (2.6, 0.70, 0.72), (4.6, 0.70, 0.72), (8.6, 0.60, 1.45))
_INTRUSION_FIRST_S, _INTRUSION_EVERY_S = 8.0, 30.0
_LEAVING = ((-4.0, -0.08, 0.70), (-0.6, 0.33, 0.80), (0.6, 0.33, 0.80), (5.0, -0.08, 0.95))
_BAG = (0.375, 0.815)
_BAG_STAYS_S = 20.0
_BAG_FIRST_S, _BAG_EVERY_S = 15.0, 60.0
_LANES = (0.425, 0.452, 0.480)


@dataclass(frozen=True, slots=True)
class Actor:
    """Something in the scene. heading: -1 to the left, 1 to the right. gait: radians of the step, 0 = standing."""

    kind: str
    x: float
    y: float
    height: float
    heading: int = 1
    gait: float = 0.0
    style: int = 0
    carries_bag: bool = False

    @property
    def box(self) -> Box | None:
        """What of it is in the picture, if anything."""
        width = self.height * (0.42 if self.kind == PERSON else 1.15) / _ASPECT
        left, right = max(0.0, self.x - width / 2), min(1.0, self.x + width / 2)
        top, bottom = max(0.0, self.y - self.height), min(1.0, self.y)
        return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


@dataclass(frozen=True, slots=True)
class Truth:
    """What an analyzer should find: a kind, who it is (the same over time), and its box."""

    kind: str
    actor: str
    box: Box


class Script:
    """The acts of a scene. The gate is the zone x 0.55..0.9, y 0.5..1.0: only the intruder comes into it."""

    def __init__(self, seed: int) -> None:
        random = Random(seed)
        self._walkers = [
            (lane, random.uniform(0.045, 0.085), random.uniform(0, 1.6), random.choice((-1, 1)), random.randrange(100))
            for lane in _LANES
        ]
        self._intruder_style = random.randrange(100)
        self._owner_style = random.randrange(100)

    def cast(self, t_s: float) -> list[tuple[str, Actor]]:
        """Everything in or near the picture with its name, from the back to the front."""
        acting = [(f"walker-{number}", self._walker(number, t_s)) for number in range(len(self._walkers))]
        acting += self._intruder(t_s) + self._left_bag(t_s)
        return sorted(acting, key=lambda pair: pair[1].y)

    def truth(self, t_s: float) -> list[Truth]:
        found = ((actor.kind, name, actor.box) for name, actor in self.cast(t_s))
        return [Truth(kind, name, box) for kind, name, box in found if box is not None]

    def _walker(self, number: int, t_s: float) -> Actor:
        lane, speed, phase, heading, style = self._walkers[number]
        way = (phase + t_s * speed) % 1.6
        x = way - 0.3 if heading > 0 else 1.3 - way
        return Actor(PERSON, x, lane, height_at(lane), heading, _gait(way, lane), style)

    def _intruder(self, t_s: float) -> list[tuple[str, Actor]]:
        since_s, turn = _act(t_s, _INTRUSION_FIRST_S, _INTRUSION_EVERY_S)
        return _walk(f"intruder-{turn}", _INTRUSION, since_s, self._intruder_style)

    def _left_bag(self, t_s: float) -> list[tuple[str, Actor]]:
        since_s, turn = _act(t_s, _BAG_FIRST_S, _BAG_EVERY_S)
        acting = []
        for name, began_s, carries in ((f"owner-{turn}", 0.0, since_s < 0), (f"finder-{turn}", _BAG_STAYS_S, None)):
            seconds = since_s - began_s
            walked = _walk(name, _LEAVING, seconds, self._owner_style + int(began_s))
            has_bag = carries if carries is not None else seconds >= 0
            acting += [(who, _with_bag(actor, has_bag)) for who, actor in walked]
        if 0 <= since_s < _BAG_STAYS_S:
            x, y = _BAG
            acting.append((f"bag-{turn}", Actor(BAG, x, y, height_at(y) * 0.2)))
        return acting


def height_at(y: float) -> float:
    """How tall a person who stands at y appears."""
    return 0.10 + 0.42 * (y - HORIZON)


def light_at(t_s: float) -> float:
    """Brightness of the scene: slow drift, and a cloud that comes and goes suddenly."""
    drift = 1.0 + 0.07 * math.sin(2 * math.pi * t_s / 47)
    into_cloud_s = (t_s - 26.0) % 45.0
    depth = min(1.0, into_cloud_s / 0.4, max(0.0, (4.0 - into_cloud_s) / 0.8)) if t_s >= 26.0 else 0.0
    return drift * (1.0 - 0.25 * depth)


def _act(t_s: float, first_s: float, every_s: float) -> tuple[float, int]:
    """Seconds since the act began that is nearest (negative: it is about to begin), and its number."""
    lead_s = 5.0
    turn = max(0, math.floor((t_s - first_s + lead_s) / every_s))
    return t_s - first_s - turn * every_s, turn


def _walk(name: str, path: tuple[tuple[float, float, float], ...], at_s: float, style: int) -> list[tuple[str, Actor]]:
    for (from_s, x0, y0), (to_s, x1, y1) in zip(path, path[1:], strict=False):
        if from_s <= at_s < to_s:
            part = (at_s - from_s) / (to_s - from_s)
            x, y = x0 + (x1 - x0) * part, y0 + (y1 - y0) * part
            moves = (x0, y0) != (x1, y1)
            gait = _gait(math.hypot(x1 - x0, (y1 - y0) * 0.8) * part, y) if moves else 0.0
            return [(name, Actor(PERSON, x, y, height_at(y), 1 if x1 >= x0 else -1, gait, style))]
    return []


def _gait(way: float, y: float) -> float:
    """Radians of the step after a way: a stride is about half of the body's height."""
    return 2 * math.pi * way * _ASPECT / (height_at(y) * 2 * _STRIDE) + 1e-6


def _with_bag(actor: Actor, carries: bool) -> Actor:
    return Actor(actor.kind, actor.x, actor.y, actor.height, actor.heading, actor.gait, actor.style, carries)
