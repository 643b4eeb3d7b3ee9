"""What holds of every rule over tracks, whatever things do: shown on many seeded random scenes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from camera_edge.event import Closed, Opened
from camera_edge.observation import Observation
from camera_edge.rules import (
    MAX_SUBJECTS,
    STILL,
    Crowd,
    Line,
    LineCrossed,
    Loitering,
    ObjectLeft,
    ObjectRemoved,
    Rule,
    RuleEngine,
    Speeding,
    WrongWay,
    ZoneEntered,
    ZoneLeft,
)
from camera_edge.rules.tracks import MAX_LIVES, TrackBook
from tests.rules.scenes import ZONES, Frames, S, beside, rule_of, still, thing, told

EACH = [
    rule_of(LineCrossed("door", Line((0.5, 0.95), (0.5, 0.2)))),
    rule_of(ZoneEntered(), "gate", "low"),
    rule_of(ZoneLeft(), "gate", "low", quiet_s=0.4),
    rule_of(Loitering(2 * S), "gate", quiet_s=1),
    rule_of(WrongWay((0.2, 0.5), (0.8, 0.5)), hold_s=0.4),
    rule_of(Speeding(0.2), "low", hold_s=0.4, quiet_s=1),
    rule_of(ObjectLeft(), hold_s=1, kinds=[STILL]),
    rule_of(ObjectRemoved(), hold_s=1, kinds=[STILL]),
]
RULES = [replace(rule, name=f"rule {number}") for number, rule in enumerate(EACH)]
CROWD = rule_of(Crowd(3), "low", hold_s=1)


def wandering(seed: int, track: int, frames: int = 150, left: float = 0.0, right: float = 1.0) -> Frames:
    """A thing that walks, stops, trembles, is not seen for a while, and at times is `still`, between two columns."""
    chance = random.Random(seed)
    size = 0.04
    x, y = chance.uniform(left + size, right - size), chance.uniform(0.2, 0.98)
    across = down = 0.0
    path: list[list[Observation]] = []
    while len(path) < frames:
        across, down = chance.choice([(0.0, 0.0), (chance.uniform(-0.06, 0.06), chance.uniform(-0.03, 0.03))])
        rests = chance.random() < 0.2
        for _ in range(chance.randint(1, 25)):
            x = min(max(x + across + chance.gauss(0, 0.003), left + size), right - size)
            y = min(max(y + down + chance.gauss(0, 0.003), 0.1), 1.0)
            change = chance.choice(["appeared", "removed"])
            seen = still(x, y, track, change=change, size=size) if rests else thing(x, y, track, size=size)
            path.append([] if chance.random() < 0.15 else [seen])
    return path[:frames]


def summary(rules: Sequence[Rule], frames: Frames, track: int) -> list[tuple[object, ...]]:
    """The events of one thing, without ids, which count all events of a camera."""
    events = [event for event in told(rules, frames).events if event.tracks == (track,)]
    return sorted((event.rule, event.opened_us, event.closed_us, event.zones, event.why) for event in events)


@pytest.mark.parametrize("seed", range(6))
def test_events_open_once_close_once_and_not_before_they_opened(seed: int) -> None:
    frames = beside(*(wandering(100 * seed + track, track) for track in range(6)))
    story = told([*RULES, CROWD], frames)
    open_now: set[str] = set()
    for change in story.changes:
        if isinstance(change, Opened):
            assert change.event.id not in open_now
            open_now.add(change.event.id)
        else:
            assert change.event.id in open_now
        if isinstance(change, Closed):
            open_now.remove(change.event.id)
            assert change.event.closed_us is not None and change.event.closed_us >= change.event.opened_us >= 0
        assert change.event.why and change.event.box is not None
    assert not open_now
    assert len({event.id for event in story.opened}) == len(story.opened)


def test_the_scenes_make_events_of_every_kind() -> None:
    scenes = [beside(*(wandering(100 * seed + track, track) for track in range(6))) for seed in range(3)]
    kinds = {event.kind for frames in scenes for event in told([*RULES, CROWD], frames).opened}
    assert kinds == {rule.watch.event for rule in [*RULES, CROWD] if rule.watch is not None}


@pytest.mark.parametrize("seed", range(2))
def test_the_same_things_make_the_same_events(seed: int) -> None:
    frames = beside(*(wandering(100 * seed + track, track) for track in range(6)))
    assert told([*RULES, CROWD], frames).changes == told([*RULES, CROWD], frames).changes


@pytest.mark.parametrize("seed", range(4))
def test_what_becomes_of_a_thing_does_not_depend_on_others_far_from_it(seed: int) -> None:
    """Each stays in a column of its own: what is taken for the owner of a thing, or for its heir, is beside it."""
    columns = [(0.0, 0.3), (0.35, 0.65), (0.7, 1.0)]
    paths = [wandering(100 * seed + track, track, 150, *column) for track, column in enumerate(columns)]
    rules = [rule for rule in RULES if rule.kinds != frozenset({STILL})]
    together, turned = beside(*paths), beside(*reversed(paths))
    for track, path in enumerate(paths):
        alone = summary(rules, path, track)
        assert summary(rules, together, track) == alone
        assert summary(rules, turned, track) == alone


@pytest.mark.parametrize("seed", range(4))
def test_one_thing_makes_no_storm(seed: int) -> None:
    """Half a minute: no rule tells more of it than it changed what it did, and that is some twelve times."""
    frames = wandering(seed, 1)
    for rule in RULES:
        assert len(told(rule, frames).opened) <= 12, rule.name


def test_memory_is_bounded_whatever_numbers_an_analyzer_gives() -> None:
    engine = RuleEngine("front", RULES, ZONES)
    for number in range(12):
        crowd = [
            thing(0.3 + 0.4 * (number % 2), 0.3 + 0.0005 * each, 100_000 * (number // 6) + each, size=0.0004)
            for each in range(2 * MAX_LIVES)
        ]
        engine.feed(crowd, frame=number, now_us=number * S // 5)
        assert len(engine.going_on) <= len(RULES) * MAX_SUBJECTS * 2
    assert engine.ignored > 0
    book = TrackBook()
    for number in range(10):
        roll = book.see([thing(0.5, 0.5, 1000 * number + each) for each in range(300)], number * S, number)
        assert len(roll.present) <= MAX_LIVES
    assert book.ignored > 0
    assert book.see([], 20 * S, 20).present == []
    assert book.see([], 30 * S, 21).gone == []
