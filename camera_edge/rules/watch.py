"""What a rule over tracks is: it looks at the things of each frame and says which of them are what it waits for.

Invariant: pure. A watch keeps values of the things it follows and forgets them with the thing.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from camera_edge.observation import Box, Observation
from camera_edge.rules.machine import Match
from camera_edge.rules.polygon import Polygon
from camera_edge.rules.tracks import Life

SETTLED_US = 1_000_000
"""What stands so long on the other side of an edge has gone there, however close to it it stands."""
MARGIN = 0.1
"""Of its size a thing must be across an edge to count as there at once: what trembles on the edge does not."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A thing that the rule looks at, seen in this frame, and the zones it stands in."""

    life: Life
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """One frame as one rule sees it.

    gone: things that were followed and are over. everything: all observations, of whatever kind.
    height: of the picture, in its widths.
    """

    now_us: int
    sights: Sequence[Sight]
    gone: Sequence[Life] = ()
    everything: Sequence[Observation] = ()
    height: float = 1.0


@dataclass(frozen=True, slots=True)
class Find:
    """What a rule waits for has happened, or goes on. Finds of one `subject` and analyzer make one event."""

    analyzer: str
    subject: Hashable
    match: Match


class Watch(Protocol):
    """One rule over tracks at work."""

    def look(self, look: Look) -> list[Find]:
        """What it found in this frame. Every analysed frame is shown, in order."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What every rule has: its zones (none: everywhere), and how long it waits before and after."""

    zones: Mapping[str, Polygon]
    hold_us: int
    quiet_us: int


class WatchPlan(Protocol):
    """A rule over tracks as it was configured. `event`: the kind of event that it opens."""

    @property
    def event(self) -> str: ...

    @property
    def holds_itself(self) -> bool:
        """The watch waits for the hold time itself; else the event does."""

    def start(self, setting: Setting) -> Watch: ...


class Presence:
    """On which of two sides a thing is; a side counts once it is clearly reached, or held for `SETTLED_US`.

    Held counts once, until a side is clearly reached again: what trembles on an edge holds one now and then.
    """

    __slots__ = ("_may_settle", "_other_since_us", "inside", "since_us")

    def __init__(self, inside: bool, now_us: int) -> None:
        self.inside = inside
        self.since_us = now_us
        self._other_since_us: int | None = None
        self._may_settle = True

    def see(self, inside: bool, clearly: bool, now_us: int) -> bool:
        """Whether the side changed with this frame; `since_us` then is when the thing was first seen on the new one."""
        self._may_settle = self._may_settle or clearly
        if inside is self.inside:
            self._other_since_us = None
            return False
        if self._other_since_us is None:
            self._other_since_us = now_us
        if not clearly and not (self._may_settle and now_us - self._other_since_us >= SETTLED_US):
            return False
        self._may_settle = clearly
        self.inside, self.since_us, self._other_since_us = inside, self._other_since_us, None
        return True


class Lasting:
    """Whether something has gone on for `hold_us` without a break; then it may break off for less than `quiet_us`.

    began_us: when it began, in the frame in which the hold time is over; else None.
    """

    __slots__ = ("_held", "_hold_us", "_last_us", "_quiet_us", "_since_us", "began_us")

    def __init__(self, hold_us: int, quiet_us: int) -> None:
        self._hold_us = hold_us
        self._quiet_us = quiet_us
        self._held = False
        self._last_us: int | None = None
        self._since_us = 0
        self.began_us: int | None = None

    def see(self, goes_on: bool, now_us: int) -> bool:
        self.began_us = None
        if self._last_us is not None and self._held and now_us - self._last_us >= self._quiet_us:
            self._held, self._last_us = False, None
        if not goes_on:
            if not self._held:
                self._last_us = None
            return False
        if self._last_us is None:
            self._since_us = now_us
        self._last_us = now_us
        if not self._held and now_us - self._since_us >= self._hold_us:
            self._held, self.began_us = True, self._since_us
        return self._held


def stands_inside(zones: Mapping[str, Polygon], life: Life) -> tuple[bool, bool]:
    """Whether a thing stands in one of the zones (none: everywhere), and whether clearly so."""
    if not zones:
        return True, True
    x, y = life.standing
    margin_x, margin_y = max(MARGIN * life.seen.box.w, 1e-6), max(MARGIN * life.seen.box.h, 1e-6)
    inside = [zone for zone in zones.values() if zone.contains(x, y)]
    clear = [zone.edge_is_far(x, y, margin_x, margin_y) for zone in inside or zones.values()]
    return (True, any(clear)) if inside else (False, all(clear))


def found(life: Life, zones: tuple[str, ...], why: str, since_us: int | None = None) -> Match:
    """That thing as it was seen last, and why it was waited for."""
    seen = life.seen
    text = f"track {seen.track}, {life.kind}, {why}"
    return Match(seen.score, seen.track, zones, seen.box, text, since_us, life.last_frame)


def where(zones: Mapping[str, Polygon], stood_in: Sequence[str]) -> str:
    """Those of a rule's zones that a thing stood in, as ` in gate, yard`; "" of a rule without zones."""
    return f" in {', '.join(zone for zone in zones if zone in stood_in)}" if zones else ""


def touches_border(box: Box) -> bool:
    """Whether the thing reaches the edge of the picture: what is lost there has gone out of it."""
    near = 0.01
    return box.x <= near or box.y <= near or box.x + box.w >= 1 - near or box.y + box.h >= 1 - near
