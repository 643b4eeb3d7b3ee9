from __future__ import annotations

import pytest

from camera_edge.observation import Box, Observation
from camera_edge.rules import STILL, ObjectLeft, ObjectRemoved, WatchPlan
from tests.rules.scenes import Frames, S, beside, pause, rule_of, steps, still, thing, told, walk

KINDS = (STILL,)
LEFT = rule_of(ObjectLeft(), hold_s=1, kinds=KINDS)
REMOVED = rule_of(ObjectRemoved(), hold_s=1, kinds=KINDS)


def owner(first: float, last: float, frames: int, kind: str = "motion") -> Frames:
    return walk(steps(first, last, frames), track=1, kind=kind, size=0.2)


def test_a_thing_whose_owner_has_gone_is_left() -> None:
    bag: Frames = pause(10) + [[still(0.3, 0.6)]] * 60
    [event] = told(LEFT, beside(owner(0.3, 0.9, 31), bag)).events
    assert (event.kind, event.tracks, event.analyzer) == ("object_left", (9,), "motion")
    # 0.02 a frame; beside it until 0.1 (half of both) and 0.1 (half of the owner's width) are between them
    assert 3 * S // 5 * 2 < event.opened_us < 4 * S
    assert event.closed_us == 69 * S // 5
    assert event.why == "track 9, something came to rest, nobody near it for 1 s"
    assert event.box == still(0.3, 0.6).box
    assert told(REMOVED, beside(owner(0.3, 0.9, 31), bag)).opened == []


@pytest.mark.parametrize("kind", ["motion", "person"])
def test_a_thing_beside_its_owner_is_not_left(kind: str) -> None:
    bag: Frames = [[still(0.3, 0.6)]] * 60
    assert told(LEFT, beside(owner(0.35, 0.35, 60, kind), bag)).opened == []
    assert len(told(LEFT, beside(owner(0.8, 0.8, 60, kind), bag)).opened) == 1


def test_who_comes_back_does_not_end_the_event_and_makes_no_other() -> None:
    bag: Frames = [[still(0.3, 0.6)]] * 60
    story = told(LEFT, beside(pause(20) + list(owner(0.9, 0.3, 20)), bag))
    assert [(event.opened_us, event.closed_us) for event in story.events] == [(0, 59 * S // 5)]


def test_the_owner_must_be_gone_for_the_hold_time_without_a_break() -> None:
    bag: Frames = [[still(0.3, 0.6)]] * 60
    comes_and_goes: Frames = [[thing(0.3, 0.6, 1, kind="motion")] if number % 4 == 0 else [] for number in range(60)]
    assert told(LEFT, beside(comes_and_goes, bag)).opened == []


def test_what_was_taken_away_is_told_until_the_place_is_as_before() -> None:
    gap: Frames = [[still(0.3, 0.6, change="removed")]] * 40
    [event] = told(REMOVED, [*gap, *pause(30)]).events
    assert (event.kind, event.why) == ("object_removed", "track 9, something was taken away, nobody near it for 1 s")
    assert (event.opened_us, event.closed_us) == (0, 39 * S // 5)


@pytest.mark.parametrize("watch", [ObjectLeft(), ObjectRemoved()])
def test_a_change_that_is_not_clear_is_neither(watch: WatchPlan) -> None:
    unclear: Frames = [[still(0.3, 0.6, change="unclear")]] * 40
    assert told(rule_of(watch, hold_s=1, kinds=KINDS), unclear).opened == []


def test_what_rests_for_a_moment_only_is_not_left() -> None:
    assert told(LEFT, [[still(0.3, 0.6)]] * 4 + pause(20)).opened == []


def test_who_was_near_is_looked_up_in_the_time_before_the_thing_was_told() -> None:
    """It is told when it has been at rest for a second; its owner has gone meanwhile."""
    told_late: Frames = [*pause(10), *[[still(0.3, 0.6)]] * 4, *pause(20)]
    for gone_at in (5, 8):
        [event] = told(LEFT, beside(owner(0.3, 0.3, gone_at), told_late)).events
        assert (event.opened_us, event.closed_us) == (gone_at * S // 5, 13 * S // 5)
    assert told(LEFT, beside(owner(0.3, 0.3, 9), told_late)).opened == []


def test_a_person_who_stands_for_a_moment_and_is_told_once_is_no_thing() -> None:
    once: Frames = [*pause(10), [still(0.3, 0.6)], *pause(20)]
    assert told(LEFT, beside(owner(0.3, 0.3, 5), once)).opened == []


def test_a_thing_that_is_put_where_one_was_taken_ends_the_other_event_and_makes_its_own() -> None:
    gap: Frames = [[still(0.3, 0.6, 5, change="removed")]] * 60
    back: Frames = [*pause(20), *[[still(0.305, 0.6, 6)]] * 40]
    beyond: Frames = [*pause(20), *[[still(0.5, 0.6, 6)]] * 40]
    left, removed = told([LEFT, REMOVED], beside(gap, back)).events[::-1]
    assert (removed.kind, removed.closed_us) == ("object_removed", 19 * S // 5)
    assert (left.kind, left.opened_us, left.closed_us) == ("object_left", 3 * S, 59 * S // 5)
    [removed] = told(REMOVED, beside(gap, beyond)).events
    assert removed.closed_us == 59 * S // 5


def test_a_thing_that_comes_back_in_two_parts_is_one_thing() -> None:
    gap: Frames = [[still(0.3, 0.6, 5, change="removed", size=0.2)]] * 30
    parts: Frames = [*pause(20), *[[still(0.25, 0.6, 6)]] * 3, *[[still(0.25, 0.6, 6), still(0.35, 0.5, 7)]] * 37]
    [event] = told(LEFT, beside(gap, parts)).events
    assert (event.tracks, event.closed_us) == ((6, 7), 59 * S // 5)
    assert len(told(LEFT, parts).events) == 2


def test_what_moves_within_the_outline_of_a_thing_is_the_thing() -> None:
    part: Frames = [[thing(0.3, 0.6, 3, kind="motion", size=0.03)]] * 30
    assert len(told(LEFT, beside(part, [[still(0.3, 0.6)]] * 30)).opened) == 1
    person: Frames = [[thing(0.3, 0.6, 3, size=0.03)]] * 30
    assert told(LEFT, beside(person, [[still(0.3, 0.6)]] * 30)).opened == []


def test_each_thing_is_an_event_of_its_own() -> None:
    three: Frames = [[still(0.2, 0.6, 5), still(0.5, 0.6, 6), still(0.8, 0.6, 7)]] * 20
    assert [event.tracks for event in told(LEFT, three).events] == [(5,), (6,), (7,)]


def test_only_zones_that_were_named_count() -> None:
    in_gate = rule_of(ObjectLeft(), "gate", hold_s=1, kinds=KINDS)
    two: Frames = [[still(0.2, 0.6, 5), still(0.5, 0.6, 6)]] * 20
    assert [(event.tracks, event.zones) for event in told(in_gate, two).events] == [((6,), ("gate", "low"))]


def test_a_thing_is_left_at_one_frame_a_second() -> None:
    assert len(told(LEFT, [[still(0.3, 0.6)]] * 4, hz=1).opened) == 1


def test_a_still_observation_without_attributes_is_no_thing() -> None:
    bare: Frames = [[Observation("motion", "still", 0.9, Box(0.2, 0.2, 0.1, 0.1), 4)]] * 20
    assert told([LEFT, REMOVED], bare).opened == []
