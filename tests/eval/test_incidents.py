from __future__ import annotations

import pytest

from camera_edge.eval.annotation import LEFT, REMOVED, Span, Turn
from camera_edge.eval.incidents import Alarm, Verdict, judge_spans, judge_turns

DWELLS = [Span(10, 20), Span(30, 40)]


def person(opened_s: float, closed_s: float) -> Alarm:
    return Alarm("person", opened_s, closed_s)


def dwells(*alarms: Alarm, whole: bool = True) -> Verdict:
    return judge_spans(alarms, DWELLS, tolerance_s=0.5, whole=whole)


def test_a_dwell_is_found_where_the_event_opens_and_closes_in_time() -> None:
    verdict = dwells(person(11.4, 20), person(29, 38.6))
    assert (verdict.found, verdict.missed, verdict.true, verdict.false) == (2, 0, 2, 0)
    assert verdict.delay_s == pytest.approx((1.4 - 1) / 2)
    assert (verdict.precision, verdict.recall) == (1, 1)


def test_an_event_that_closes_too_late_is_missed_and_false_but_told_apart() -> None:
    verdict = dwells(person(10, 22), person(50, 51))
    assert (verdict.found, verdict.missed, verdict.false, verdict.mistimed) == (0, 2, 2, 1)
    assert (verdict.precision, verdict.recall) == (0, 0)


def test_a_dwell_cut_in_two_is_not_found() -> None:
    verdict = dwells(person(10, 14), person(15, 20))
    assert (verdict.found, verdict.false, verdict.mistimed) == (0, 2, 2)


def test_where_only_presence_is_asked_an_event_may_open_as_long_as_the_thing_is_there() -> None:
    verdict = dwells(person(19, 25), person(42, 43), whole=False)
    assert (verdict.found, verdict.missed, verdict.false) == (1, 1, 1)
    assert verdict.delays_s == (9,)


def test_nothing_there_makes_every_event_false() -> None:
    verdict = judge_spans([person(1, 2)], (), tolerance_s=0, whole=False)
    assert (verdict.precision, verdict.recall, verdict.delay_s) == (0, None, None)
    assert judge_spans([], (), tolerance_s=0, whole=False).precision is None


TURNS = [Turn(REMOVED, 5, 1), Turn(LEFT, 8, 1), Turn(REMOVED, 12, 2)]


def test_each_turn_takes_events_of_its_own_kind_that_follow_it() -> None:
    alarms = [Alarm(REMOVED, 7, 9), Alarm(LEFT, 9, 9), Alarm(REMOVED, 13, 20)]
    verdict = judge_turns(alarms, TURNS, tolerance_s=0.3)
    assert (verdict.found, verdict.missed, verdict.false) == (3, 0, 0)
    assert verdict.delays_s == (2, 1, 1)


def test_two_things_at_once_may_be_one_event_or_two_and_a_third_is_false() -> None:
    both = [Alarm(REMOVED, 13, 20), Alarm(REMOVED, 14, 20)]
    verdict = judge_turns(both, TURNS[2:], tolerance_s=0.3)
    assert (verdict.found, verdict.true, verdict.false) == (1, 2, 0)
    verdict = judge_turns([*both, Alarm(REMOVED, 15, 20)], TURNS[2:], tolerance_s=0.3)
    assert (verdict.found, verdict.true, verdict.false, verdict.mistimed) == (1, 2, 1, 1)


def test_an_event_before_its_turn_or_long_after_it_is_false() -> None:
    alarms = [Alarm(LEFT, 7.5, 8), Alarm(LEFT, 19, 20), Alarm(LEFT, 5, 6)]
    verdict = judge_turns(alarms, TURNS[1:2], tolerance_s=0.3)
    assert (verdict.found, verdict.missed, verdict.false, verdict.mistimed) == (0, 1, 3, 0)
