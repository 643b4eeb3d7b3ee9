"""Hand-made things that move before a camera, and the events that rules make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from camera_edge.event import Change, Closed, Event, Opened
from camera_edge.observation import AttributeValue, Box, Observation
from camera_edge.rules import Polygon, Rule, RuleEngine, Scene, Verdict, WatchPlan

S = 1_000_000
GATE = Polygon(((0.4, 0.4), (0.8, 0.4), (0.8, 0.9), (0.4, 0.9)))
LOW = Polygon(((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)))
ZONES = {"gate": GATE, "low": LOW}

Frames = Sequence[Sequence[Observation]]


def thing(x: float, y: float, track: int = 1, *, kind: str = "person", size: float = 0.1) -> Observation:
    """A thing as wide as it is high that stands at (x, y); `motion` says what is no person."""
    by = "objects" if kind == "person" else "motion"
    return Observation(by, kind, 0.8, Box(x - size / 2, y - size, size, size), track)


def still(x: float, y: float, track: int = 9, *, change: str = "appeared", size: float = 0.04) -> Observation:
    """What `motion` says of a thing that came to rest, or of a place that one went from."""
    attributes: dict[str, AttributeValue] = {"change": change, "still_s": 1.0, "area": size * size, "age_s": 2.0}
    return Observation("motion", "still", 0.9, Box(x - size / 2, y - size, size, size), track, attributes)


def walk(xs: Iterable[float], y: float = 0.6, track: int = 1, **settings: str | float) -> list[list[Observation]]:
    return [[thing(x, y, track, **settings)] for x in xs]  # type: ignore[arg-type]


def steps(first: float, last: float, count: int) -> list[float]:
    return [first + (last - first) * number / (count - 1) for number in range(count)]


def beside(*paths: Frames) -> list[list[Observation]]:
    """Several paths at the same time; each is over when its frames are."""
    longest = max(len(path) for path in paths)
    return [[seen for path in paths if number < len(path) for seen in path[number]] for number in range(longest)]


def pause(frames: int) -> list[list[Observation]]:
    return [[] for _ in range(frames)]


def rule_of(
    watch: WatchPlan, *zones: str, hold_s: float = 0.0, quiet_s: float = 3.0, kinds: Sequence[str] = ("person",)
) -> Rule:
    hold_us, quiet_us = round(hold_s * S), round(quiet_s * S)
    return Rule("r", kinds=frozenset(kinds), zones=zones, hold_us=hold_us, quiet_us=quiet_us, watch=watch)


@dataclass
class Story:
    """What became of it: every change, in order, and every event that opened, as it closed."""

    changes: list[Change]

    @property
    def opened(self) -> list[Event]:
        return [change.event for change in self.changes if isinstance(change, Opened)]

    @property
    def events(self) -> list[Event]:
        closed = {change.event.id: change.event for change in self.changes if isinstance(change, Closed)}
        return [closed[event.id] for event in self.opened]

    @property
    def whys(self) -> list[str]:
        return [event.why for event in self.opened]


def told(rules: Rule | Sequence[Rule], frames: Frames, *, hz: float = 5.0, height: float = 1.0) -> Story:
    """The frames at that rate, and the end of the source after the last one."""
    return told_at(rules, [(round(number * S / hz), seen) for number, seen in enumerate(frames)], height=height)


def told_at(
    rules: Rule | Sequence[Rule],
    frames: Sequence[tuple[int, Sequence[Observation]]],
    *,
    height: float = 1.0,
    utc_ns: Callable[[int], int] | None = None,
) -> Story:
    """Frames at media times of their own."""
    engine = RuleEngine("front", [rules] if isinstance(rules, Rule) else rules, ZONES)
    changes: list[Change] = []
    now_us = 0
    for number, (now_us, seen) in enumerate(frames):
        scene = Scene(None if utc_ns is None else utc_ns(now_us), height)
        engine.propose(seen, frame=number, now_us=now_us, scene=scene)
        changes += engine.settle(Verdict(), frame=number, now_us=now_us)
    changes += engine.close_all(now_us)
    return Story(changes)
