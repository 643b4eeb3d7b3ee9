from __future__ import annotations

import pytest

from camera_edge.rules import Crowd, Loitering, Rule
from tests.rules.scenes import S, beside, pause, rule_of, steps, still, thing, told, walk

LINGERS = rule_of(Loitering(10 * S), "gate")


def crowd(hold_s: float = 0.0) -> Rule:
    return rule_of(Crowd(3), "gate", hold_s=hold_s)


def test_who_stays_for_the_time_loiters_from_then_until_it_goes() -> None:
    path = walk([*steps(0.2, 0.6, 21), *[0.6] * 80, *steps(0.6, 0.9, 16)])
    [event] = told(LINGERS, path).events
    # in the gate from frame 10 or 11 on, which is second 2
    assert 12 * S <= event.opened_us <= 12.2 * S
    assert (event.kind, event.zones, event.tracks) == ("loitering", ("gate", "low"), (1,))
    assert event.why == "track 1, person, in gate for 10 s"
    # out at 0.8, frame 112
    assert event.closed_us is not None and 22 * S <= event.closed_us <= 22.6 * S


def test_who_passes_does_not_loiter() -> None:
    assert told(LINGERS, walk(steps(0.1, 0.95, 60))).opened == []


def test_who_goes_out_begins_anew() -> None:
    twice = walk([*[0.6] * 40, *steps(0.6, 0.2, 9), *steps(0.2, 0.6, 9), *[0.6] * 40])
    assert told(LINGERS, twice).opened == []


def test_who_was_there_from_the_first_frame_stays_from_then() -> None:
    [event] = told(LINGERS, walk([0.6] * 80)).events
    assert event.opened_us == 10 * S


def test_a_person_that_flickers_loiters_all_the_same() -> None:
    frames = [seen if number % 4 else [] for number, seen in enumerate(walk([0.6] * 90))]
    assert len(told(LINGERS, frames).opened) == 1


def test_without_zones_everywhere_counts() -> None:
    [event] = told(rule_of(Loitering(5 * S)), walk([0.1] * 40)).events
    assert event.why == "track 1, person, in sight for 5 s"


def test_each_who_stays_is_an_event() -> None:
    frames = beside(walk([0.5] * 80, track=1), pause(10) + walk([0.7] * 80, track=2))
    assert [event.tracks for event in told(LINGERS, frames).events] == [(1,), (2,)]


def test_what_moved_and_now_rests_stays_by_the_same_number() -> None:
    by_motion = rule_of(Loitering(10 * S), "gate", kinds=["motion"])
    moving = walk([0.6] * 10, kind="motion", track=9)
    assert len(told(by_motion, [*moving, *[[still(0.6, 0.6)]] * 60]).opened) == 1
    gone = [*moving, *[[still(0.6, 0.6, change="removed")]] * 60]
    assert told(by_motion, gone).opened == []


def test_so_many_at_once_are_a_crowd_after_the_hold_time() -> None:
    frames = beside(walk([0.5] * 60, track=1), walk([0.6] * 60, track=2), pause(20) + walk([0.7] * 20, track=3))
    [event] = told(crowd(hold_s=2), frames).events
    assert (event.kind, event.opened_us, event.closed_us) == ("crowd", 4 * S, 39 * S // 5)
    assert event.why == "3 at once in gate (person), 3 are a crowd"
    assert set(event.tracks) == {1, 2, 3}
    assert event.box is not None and event.box.sides == pytest.approx((0.45, 0.5, 0.3, 0.1))


def test_too_few_or_too_short_are_no_crowd() -> None:
    two = beside(walk([0.5] * 60, track=1), walk([0.6] * 60, track=2))
    assert told(crowd(), two).opened == []
    short = beside(two, pause(20) + walk([0.7] * 5, track=3))
    assert told(crowd(hold_s=2), short).opened == []
    outside = beside(two, walk([0.1] * 60, track=3))
    assert told(crowd(), outside).opened == []


def test_a_crowd_of_which_one_flickers_is_one_event() -> None:
    flickers = [seen if number % 3 else [] for number, seen in enumerate(walk([0.7] * 60, track=3))]
    frames = beside(walk([0.5] * 60, track=1), walk([0.6] * 60, track=2), flickers)
    assert len(told(crowd(hold_s=1), frames).opened) == 1


def test_things_that_different_analyzers_see_are_counted_apart() -> None:
    seen = [
        [thing(0.5, 0.6, 1), thing(0.6, 0.6, 2), thing(0.5, 0.6, 1, kind="motion"), thing(0.6, 0.6, 2, kind="motion")]
    ]
    any_kind = rule_of(Crowd(3), "gate", kinds=["person", "motion"])
    assert told(any_kind, seen * 20).opened == []
