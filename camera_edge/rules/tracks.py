"""Follows each thing that an analyzer gives a number, for the rules that ask how it moved.

Invariant: bounded. A thing that was not seen for `FORGET_US` is forgotten, and at most `MAX_LIVES` are known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from camera_edge.observation import NO_TRACK, Box, Observation

STILL = "still"
"""The kind by which `motion` reports what has come to rest, and places from which a thing has gone."""
CHANGE = "change"
STILL_S = "still_s"
APPEARED, REMOVED = "appeared", "removed"

FORGET_US = 2_000_000
STALL_US = 10_000_000
"""Between two frames that are so far apart no number means the same thing."""
MAX_LIVES = 256
PATH_MAX = 64
VELOCITY_US = 1_000_000
# a number that is used again: the picture is crossed, or the thing has another size altogether, from frame to frame
JUMP_MAX = 0.6
GROWTH_MAX = 8.0
# the outline took something in or lost a part: from there on it moves as another thing would
REGROUPED = 2.0
SUCCESSOR_US = 1_000_000
SUCCESSOR_IOU = 0.3


@dataclass(frozen=True, slots=True)
class Place:
    """Where the middle of a thing was, and when."""

    at_us: int
    x: float
    y: float


@dataclass(slots=True, eq=False)
class Life:
    """One thing for as long as it is followed, also where its number changes on the way.

    number: of this life; no two lives of an engine have the same. kind: what it was last seen as, when it was not
    still. path: the newest `PATH_MAX` places since its outline changed in a leap.
    """

    number: int
    seen: Observation
    kind: str
    last_us: int
    last_frame: int
    path: deque[Place] = field(default_factory=lambda: deque(maxlen=PATH_MAX))

    @property
    def standing(self) -> tuple[float, float]:
        """Where it stands: the point that zones and lines are tested with."""
        x, y = self.seen.box.bottom_centre
        return min(x, 1.0), min(y, 1.0)

    def velocity(self) -> tuple[float, float] | None:
        """Fractions of the picture a second over the last second, by least squares; None: not long enough in sight."""
        newest = self.path[-1].at_us
        recent = [place for place in self.path if newest - place.at_us <= VELOCITY_US]
        places = recent if len(recent) > 1 else list(self.path)[-2:]
        if len(places) < 2 or newest - places[0].at_us < 0.4 * VELOCITY_US:
            return None
        times = [(place.at_us - newest) / 1e6 for place in places]
        middle = sum(times) / len(times)
        spread = sum((time - middle) ** 2 for time in times)
        return (
            sum((time - middle) * place.x for time, place in zip(times, places, strict=True)) / spread,
            sum((time - middle) * place.y for time, place in zip(times, places, strict=True)) / spread,
        )

    def go_on(self, seen: Observation, now_us: int, frame: int) -> None:
        grown = area(seen.box) / max(area(self.seen.box), 1e-9)
        if not 1 / REGROUPED <= grown <= REGROUPED:
            self.path.clear()
        self.seen, self.last_us, self.last_frame = seen, now_us, frame
        if seen.kind != STILL:
            self.kind = seen.kind
        self.path.append(Place(now_us, seen.box.x + seen.box.w / 2, seen.box.y + seen.box.h / 2))


@dataclass(frozen=True, slots=True)
class Roll:
    """The lives of one frame: those that were seen in it, in the order of the observations, and those that are over."""

    present: Sequence[Life]
    gone: Sequence[Life]


@dataclass(frozen=True, slots=True)
class _Name:
    analyzer: str
    track: int


class TrackBook:
    """All lives of one camera. Things beyond `MAX_LIVES` are not followed (`ignored` counts their sightings).

    A new number where another one was lost less than a second ago, in much the same place, is the same life.
    """

    def __init__(self) -> None:
        self._lives: dict[_Name, Life] = {}
        self._next = 0
        self._now_us: int | None = None
        self.ignored = 0

    def see(self, observations: Sequence[Observation], now_us: int, frame: int) -> Roll:
        """Take all observations of a frame; those without a number are left out, and of one number the first counts."""
        stalled = self._now_us is not None and now_us - self._now_us > STALL_US
        before_us, self._now_us = self._now_us, now_us
        named: dict[_Name, Observation] = {}
        for each in observations:
            if each.track != NO_TRACK:
                named.setdefault(_Name(each.analyzer, each.track), each)
        gone = [
            self._lives.pop(name)
            for name, life in list(self._lives.items())
            if stalled or _is_over(life, named.get(name), now_us, before_us)
        ]
        present = []
        for name, seen in named.items():
            life = self._lives.get(name) or self._inherited(name, seen, now_us, named) or self._new(seen, now_us)
            if life is None:
                self.ignored += 1
                continue
            self._lives[name] = life
            life.go_on(seen, now_us, frame)
            present.append(life)
        return Roll(present, gone)

    def _new(self, seen: Observation, now_us: int) -> Life | None:
        if len(self._lives) >= MAX_LIVES:
            return None
        life = Life(self._next, seen, "", now_us, 0)
        self._next += 1
        return life

    def _inherited(self, name: _Name, seen: Observation, now_us: int, named: dict[_Name, Observation]) -> Life | None:
        lost = [
            (overlap(life.seen.box, seen.box), other)
            for other, life in self._lives.items()
            if other.analyzer == name.analyzer and other not in named and now_us - life.last_us <= SUCCESSOR_US
        ]
        best, heir_of = max(lost, key=lambda one: (one[0], -one[1].track), default=(0.0, None))
        return self._lives.pop(heir_of) if heir_of is not None and best >= SUCCESSOR_IOU else None


def _is_over(life: Life, seen: Observation | None, now_us: int, before_us: int | None) -> bool:
    missed = before_us is not None and life.last_us < before_us
    if now_us - life.last_us > FORGET_US and (missed or seen is None):
        return True
    if seen is None:
        return False
    before, box = life.seen.box, seen.box
    jumped = max(abs(before.x + before.w / 2 - box.x - box.w / 2), abs(before.y + before.h / 2 - box.y - box.h / 2))
    grown = max(area(box), 1e-9) / max(area(before), 1e-9)
    return jumped > JUMP_MAX or not 1 / GROWTH_MAX <= grown <= GROWTH_MAX


def area(box: Box) -> float:
    return box.w * box.h


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    both = shared(one, other)
    return both / (area(one) + area(other) - both) if both > 0 else 0.0


def shared(one: Box, other: Box) -> float:
    """The area that lies in both."""
    wide = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    high = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    return max(wide, 0.0) * max(high, 0.0)


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all of them, one at least."""
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.x + box.w for box in boxes), max(box.y + box.h for box in boxes)
    return Box(left, top, right - left, bottom - top)
