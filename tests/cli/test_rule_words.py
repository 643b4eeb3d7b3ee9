from __future__ import annotations

from zoneinfo import ZoneInfo

from camera_edge.cli.rule_words import asks
from camera_edge.rules import Hours, Line, LineCrossed, Loitering, ObjectLeft, Rule, Schedule


def test_a_rule_that_asks_for_anything_says_so() -> None:
    assert asks(Rule("any")) == "anything"


def test_what_differs_from_the_default_is_told_with_its_unit() -> None:
    rule = Rule("gate", kinds=frozenset({"person", "dog"}), zones=("gate",), min_score=0.5, hold_us=1_500_000)
    assert asks(rule) == "kinds dog, person; zones gate; min_score 0.5; hold 1.5 s"


def test_a_rule_over_tracks_tells_its_event_and_what_it_waits_for() -> None:
    assert asks(Rule("left", watch=ObjectLeft())) == "event object_left"
    assert asks(Rule("waits", watch=Loitering(10_000_000))) == "dwell 10 s; event loitering"
    crossing = Rule("line", watch=LineCrossed("kerb", Line((0.0, 0.5), (1.0, 0.5))))
    assert asks(crossing) == "name kerb; start 0.0, 0.5; end 1.0, 0.5; event line_crossed"


def test_hours_are_told_in_the_time_zone_of_the_camera() -> None:
    schedule = Schedule((Hours(frozenset({0, 4}), 22 * 60, 6 * 60 + 30),), ZoneInfo("Europe/Berlin"))
    assert asks(Rule("night", schedule=schedule)) == "hours mon fri 22:00 to 06:30; zone Europe/Berlin"
