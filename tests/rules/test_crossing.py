from __future__ import annotations

import random

import pytest

from camera_edge.observation import Observation
from camera_edge.rules import Direction, Line, LineCrossed, Rule, ZoneEntered, ZoneLeft
from tests.rules.scenes import S, beside, pause, rule_of, steps, thing, told, told_at, walk

DOOR = Line((0.5, 0.9), (0.5, 0.3))


def door(direction: Direction = "any") -> Rule:
    return rule_of(LineCrossed("door", DOOR, direction))


ENTERED = rule_of(ZoneEntered(), "gate")
LEFT = rule_of(ZoneLeft(), "gate")


def test_a_crossing_opens_when_the_line_is_met_and_says_who_and_which_way() -> None:
    [event] = told(door(), walk(steps(0.3, 0.7, 21))).events
    # 0.02 a frame from 0.3: the first frame beyond 0.5 is the eleventh
    assert (event.kind, event.opened_us, event.tracks) == ("line_crossed", 11 * S // 5, (1,))
    assert event.why == "track 1, person, crossed door left to right"
    assert event.closed_us is not None and event.opened_us <= event.closed_us <= event.opened_us + S // 5
    assert event.box is not None and event.box.x + event.box.w / 2 == pytest.approx(0.52)
    assert event.best_frame == 11


@pytest.mark.parametrize(
    ("direction", "forth", "back"), [("any", 1, 1), ("left_to_right", 1, 0), ("right_to_left", 0, 1)]
)
def test_only_the_direction_that_was_asked_for_counts(direction: Direction, forth: int, back: int) -> None:
    assert len(told(door(direction), walk(steps(0.3, 0.7, 21))).opened) == forth
    assert len(told(door(direction), walk(steps(0.7, 0.3, 21))).opened) == back


def test_there_and_back_are_two_crossings() -> None:
    story = told(door(), walk([*steps(0.3, 0.7, 21), *steps(0.7, 0.3, 21)]))
    assert [why.rpartition("door ")[2] for why in story.whys] == ["left to right", "right to left"]


def test_who_goes_round_the_end_of_the_line_does_not_cross_it() -> None:
    over = [*((0.4, y) for y in steps(0.6, 0.2, 9)), *((x, 0.2) for x in steps(0.4, 0.6, 9)), (0.6, 0.4), (0.6, 0.6)]
    assert told(door(), [[thing(x, y)] for x, y in over]).opened == []
    # and back through it
    back = [*over, *((x, 0.6) for x in steps(0.6, 0.4, 9))]
    assert told(door(), [[thing(x, y)] for x, y in back]).whys == ["track 1, person, crossed door right to left"]


def test_trembling_on_the_line_is_one_crossing_at_most() -> None:
    chance = random.Random(4)
    standing = [0.5 + chance.uniform(-0.009, 0.009) for _ in range(600)]
    assert len(told(door(), walk([*steps(0.3, 0.5, 11), *standing])).opened) == 0
    [event] = told(door(), walk([*steps(0.3, 0.5, 11), *standing, *steps(0.5, 0.7, 11)])).events
    assert event.opened_us >= 600 * S // 5


def test_what_first_appears_beyond_the_line_has_not_crossed_it() -> None:
    assert told(door(), walk(steps(0.51, 0.9, 20))).opened == []


def test_things_that_cross_in_one_frame_are_an_event_each() -> None:
    paths = [walk(steps(0.3, 0.7, 11), y=0.5 + 0.1 * track, track=track) for track in (1, 2, 3)]
    story = told(door(), beside(*paths))
    assert [event.tracks for event in story.events] == [(1,), (2,), (3,)]
    assert len({event.id for event in story.events}) == 3
    assert len({event.opened_us for event in story.events}) == 1


@pytest.mark.parametrize("missing", [1, 3, 8])
def test_a_thing_that_is_not_seen_for_some_frames_still_crosses(missing: int) -> None:
    frames: list[list[Observation]] = walk(steps(0.3, 0.7, 21))
    for number in range(10, 10 + missing):
        frames[number] = []
    [event] = told(door(), frames).events
    assert event.opened_us == (10 + missing) * S // 5 if missing > 1 else 11 * S // 5


def test_a_number_that_is_used_again_is_another_thing() -> None:
    later = [*walk(steps(0.1, 0.3, 5)), *pause(11), *walk(steps(0.7, 0.9, 5))]
    assert told(door(), later).opened == []
    at_once = [*walk(steps(0.05, 0.1, 5)), *walk(steps(0.9, 0.95, 5))]
    assert told(door(), at_once).opened == []


def test_a_crossing_is_found_at_one_frame_a_second_and_less() -> None:
    assert len(told(door(), walk([0.3, 0.45, 0.6, 0.75]), hz=1).opened) == 1
    assert len(told(door(), walk([0.3, 0.45, 0.6, 0.75]), hz=0.3).opened) == 1


def test_after_a_camera_stood_still_nothing_has_crossed() -> None:
    frames = [(0, [thing(0.4, 0.6)]), (S, [thing(0.45, 0.6)]), (60 * S, [thing(0.6, 0.6)]), (61 * S, [thing(0.7, 0.6)])]
    assert told_at(door(), frames).opened == []


def test_kinds_that_were_not_asked_for_do_not_cross() -> None:
    assert told(door(), walk(steps(0.3, 0.7, 21), kind="motion")).opened == []


def test_another_number_in_the_same_place_is_the_same_thing() -> None:
    frames = [*walk(steps(0.4, 0.49, 10), track=1), *walk(steps(0.5, 0.6, 10), track=2)]
    [event] = told(door(), frames).events
    assert event.tracks == (2,)


def test_entry_is_from_outside_and_opens_when_the_zone_is_first_stood_in() -> None:
    [event] = told(ENTERED, walk(steps(0.2, 0.6, 21))).events
    # 0.02 a frame from 0.2: stands on the edge at 0.4, in frame ten, give or take a rounding
    assert event.opened_us in (10 * S // 5, 11 * S // 5)
    assert (event.kind, event.why, event.zones) == ("zone_entered", "track 1, person, entered gate", ("gate",))
    assert told(LEFT, walk(steps(0.2, 0.6, 21))).opened == []


def test_what_is_first_seen_inside_has_not_entered_and_leaves() -> None:
    path = walk(steps(0.6, 0.2, 21))
    assert told(ENTERED, path).opened == []
    [event] = told(LEFT, path).events
    assert (event.kind, event.why) == ("zone_left", "track 1, person, left gate")


def test_trembling_on_an_edge_enters_once_and_leaves_once() -> None:
    chance = random.Random(7)
    edge = [0.4 + chance.uniform(-0.009, 0.009) for _ in range(600)]
    path = walk([*steps(0.2, 0.4, 11), *edge, *steps(0.41, 0.6, 11), *steps(0.6, 0.2, 21)])
    assert len(told(ENTERED, path).opened) == 1
    assert len(told(LEFT, path).opened) == 1


def test_who_stops_just_inside_has_entered_after_a_second() -> None:
    path = walk([*steps(0.2, 0.38, 10), *[0.402] * 6])
    assert len(told(ENTERED, path).opened) == 1
    assert told(ENTERED, path[:-1]).opened == []


def test_a_zone_smaller_than_the_thing_can_be_entered() -> None:
    path = walk([*steps(0.2, 0.5, 16), *[0.5] * 5, *steps(0.5, 0.95, 16)], size=2.0)
    assert len(told(ENTERED, path).opened) == 1


def test_each_zone_of_a_rule_is_entered_by_itself() -> None:
    both = rule_of(ZoneEntered(), "gate", "low")
    frames = [[thing(0.6, y)] for y in steps(0.2, 0.8, 13)]
    assert told(both, frames).whys == ["track 1, person, entered gate", "track 1, person, entered low"]


def test_who_goes_out_of_the_picture_leaves_the_zone_and_who_is_lost_in_it_does_not() -> None:
    left = rule_of(ZoneLeft(), "low")
    out = [*[[thing(0.5, y)] for y in steps(0.7, 1.0, 8)], *pause(15)]
    [event] = told(left, out).events
    assert event.why == "track 1, person, left low and the picture"
    # when and where it was seen last
    assert (event.opened_us, event.best_frame) == (7 * S // 5, 7)
    lost = [*[[thing(0.5, y)] for y in steps(0.6, 0.8, 8)], *pause(15)]
    assert told(left, lost).opened == []


def test_standing_at_the_border_of_the_picture_is_clearly_inside_a_zone_that_ends_there() -> None:
    entered = rule_of(ZoneEntered(), "low")
    path = [[thing(0.5, 0.45)], [thing(0.5, 1.0)]]
    assert len(told(entered, path).opened) == 1
