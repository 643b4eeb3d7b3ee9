from __future__ import annotations

import random

import pytest

from camera_edge.rules import Speeding, WrongWay
from tests.rules.scenes import S, beside, rule_of, steps, thing, told, walk

WRONG = rule_of(WrongWay((0.2, 0.5), (0.8, 0.5)), "low", hold_s=0.5)
FAST = rule_of(Speeding(0.3), hold_s=0.5)


def test_who_goes_against_the_arrow_goes_wrong() -> None:
    [event] = told(WRONG, walk(steps(0.9, 0.1, 41))).events
    assert (event.kind, event.tracks, event.zones) == ("wrong_way", (1,), ("gate", "low"))
    assert event.why == "track 1, person, went against the way by 180 degrees in low"
    assert told(WRONG, walk(steps(0.1, 0.9, 41))).opened == []


@pytest.mark.parametrize(("down", "opens"), [(0.0, 1), (0.3, 1), (0.8, 0)])
def test_what_goes_across_the_way_does_not_go_against_it(down: float, opens: int) -> None:
    """Half of `down` lies below for 0.2 across: 37 and 63 degrees from straight against the way."""
    frames = [
        [thing(x, 0.55 + down * part, 1, size=0.05)]
        for part, x in zip(steps(0, 0.5, 21), steps(0.6, 0.4, 21), strict=True)
    ]
    assert len(told(WRONG, frames, height=1.0).opened) == opens


def test_the_shape_of_the_picture_counts_for_directions() -> None:
    frames = [[thing(x, y, 1, size=0.05)] for x, y in zip(steps(0.6, 0.4, 21), steps(0.55, 0.95, 21), strict=True)]
    assert told(WRONG, frames, height=1.0).opened == []
    assert len(told(WRONG, frames, height=0.25).opened) == 1


def test_who_stands_and_trembles_goes_nowhere() -> None:
    chance = random.Random(3)
    frames = walk([0.5 + chance.uniform(-0.01, 0.01) for _ in range(600)])
    assert told(WRONG, frames).opened == []


def test_a_thing_is_as_fast_as_it_was_over_the_last_second() -> None:
    # 0.02 a frame, five frames a second
    assert told(FAST, walk(steps(0.1, 0.9, 41))).opened == []
    [event] = told(FAST, walk(steps(0.1, 0.9, 11))).events
    assert (event.kind, event.tracks) == ("speeding", (1,))
    assert event.why == "track 1, person, 0.40 picture widths a second, over 0.3"


@pytest.mark.parametrize("hz", [1.0, 5.0, 25.0])
def test_the_speed_does_not_depend_on_the_rate(hz: float) -> None:
    def path(speed: float) -> list[float]:
        return steps(0.05, 0.95, round(0.9 / speed * hz) + 1)

    rule = rule_of(Speeding(0.2), hold_s=0.5)
    assert told(rule, walk(path(0.15)), hz=hz).opened == []
    assert len(told(rule, walk(path(0.25)), hz=hz).opened) == 1


def test_up_and_down_count_in_widths_of_the_picture() -> None:
    down = [[thing(0.5, y)] for y in steps(0.2, 1.0, 11)]
    assert len(told(FAST, down, height=1.0).opened) == 1
    assert told(FAST, down, height=0.5).opened == []


def test_an_outline_that_leaps_has_no_speed() -> None:
    """Two blobs that become one, and come apart again: the middle leaps and nobody ran."""
    small, large = walk([0.3] * 10, size=0.1), walk([0.5] * 10, size=0.5)
    assert told(FAST, [*small, *large, *small, *large]).opened == []


def test_who_slows_down_for_a_moment_stays_one_event() -> None:
    fast = steps(0.05, 0.45, 6)
    path = [*fast, *[0.45] * 6, *steps(0.45, 0.9, 7)]
    assert len(told(FAST, walk(path)).opened) == 1


def test_each_that_is_too_fast_is_an_event() -> None:
    frames = beside(walk(steps(0.1, 0.9, 11), track=1), walk(steps(0.9, 0.1, 11), y=0.9, track=2))
    assert [event.tracks for event in told(FAST, frames).events] == [(1,), (2,)]


def test_what_was_too_fast_for_less_than_the_hold_time_is_not_told() -> None:
    assert told(rule_of(Speeding(0.3), hold_s=3), walk(steps(0.1, 0.9, 11))).opened == []
    [event] = told(rule_of(Speeding(0.3)), walk(steps(0.1, 0.9, 11))).events
    assert event.opened_us < S
