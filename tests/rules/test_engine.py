from __future__ import annotations

import pytest

from camera_edge.errors import ConfigError
from camera_edge.event import Change, Closed, Opened
from camera_edge.observation import Box, Observation
from camera_edge.rules import MAX_KINDS, Polygon, Rule, RuleEngine

S = 1_000_000
LEFT = Polygon(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
LOW = Polygon(((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)))
ZONES = {"left": LEFT, "low": LOW}


def seen(kind: str = "person", x: float = 0.1, y: float = 0.1, score: float = 0.8, by: str = "objects") -> Observation:
    """Something small whose feet stand at (x, y)."""
    return Observation(by, kind, score, Box(x - 0.02, y - 0.05, 0.04, 0.05))


def opened(engine: RuleEngine, *observations: Observation) -> list[Change]:
    return engine.feed(observations, frame=0, now_us=0)


def test_kinds_that_a_rule_leaves_out_open_nothing() -> None:
    engine = RuleEngine("front", [Rule("any", unasked=frozenset({"still"}))], {})
    changes = opened(engine, seen("still", by="motion"), seen("motion", by="motion"))
    assert [change.event.kind for change in changes] == ["motion"]


def test_a_rule_without_conditions_takes_everything() -> None:
    engine = RuleEngine("front", [Rule("any")], {})
    changes = opened(engine, seen("person"), seen("motion", by="motion"))
    assert [(change.event.kind, change.event.analyzer) for change in changes] == [
        ("person", "objects"),
        ("motion", "motion"),
    ]


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (Rule("r", kinds=frozenset({"person"})), True),
        (Rule("r", kinds=frozenset({"vehicle"})), False),
        (Rule("r", analyzers=frozenset({"objects"})), True),
        (Rule("r", analyzers=frozenset({"motion"})), False),
        (Rule("r", min_score=0.8), True),
        (Rule("r", min_score=0.81), False),
        (Rule("r", zones=("left",)), True),
        (Rule("r", zones=("low",)), False),
        (Rule("r", zones=("low", "left")), True),
    ],
)
def test_every_condition_of_a_rule_must_hold(rule: Rule, matches: bool) -> None:
    assert bool(opened(RuleEngine("front", [rule], ZONES), seen(x=0.2, y=0.3))) is matches


def test_zones_are_tested_where_the_thing_stands() -> None:
    engine = RuleEngine("front", [Rule("r", zones=("low",))], ZONES)
    tall = Observation("objects", "person", 0.9, Box(0.6, 0.1, 0.1, 0.5))
    hovering = Observation("objects", "person", 0.9, Box(0.6, 0.1, 0.1, 0.3))
    assert opened(engine, hovering) == []
    assert len(opened(engine, tall)) == 1


def test_feet_a_hair_below_the_picture_stand_on_its_edge() -> None:
    engine = RuleEngine("front", [Rule("r", zones=("low",))], ZONES)
    assert len(opened(engine, Observation("objects", "person", 0.9, Box(0.5, 0.4, 0.1, 0.6000001)))) == 1


def test_an_event_names_every_zone_that_a_match_stood_in() -> None:
    engine = RuleEngine("front", [Rule("r", zones=("low",))], ZONES)
    [change] = opened(engine, seen(x=0.2, y=0.7))
    assert change.event.zones == ("left", "low")


def test_rules_go_their_ways_independently() -> None:
    engine = RuleEngine("front", [Rule("now"), Rule("later", hold_us=S)], {})
    assert [change.event.rule for change in engine.feed([seen()], frame=0, now_us=0)] == ["now"]
    assert [change.event.rule for change in engine.feed([seen()], frame=1, now_us=S)] == ["later"]


def test_the_same_observations_give_the_same_ids_and_another_camera_gives_others() -> None:
    def ids(camera: str) -> list[str]:
        engine = RuleEngine(camera, [Rule("r", quiet_us=S)], {})
        changes = [
            change
            for at in range(6)
            for change in engine.feed([seen()] if at % 3 == 0 else [], frame=at, now_us=at * S)
        ]
        return [change.event.id for change in changes if isinstance(change, Opened)]

    assert ids("front") == ids("front")
    assert len(set(ids("front") + ids("back"))) == 4
    assert all(len(each) == 16 and int(each, 16) >= 0 for each in ids("front"))


def test_an_engine_that_goes_on_after_a_restart_does_not_repeat_ids() -> None:
    [first] = opened(RuleEngine("front", [Rule("r")], {}), seen())
    [again] = opened(RuleEngine("front", [Rule("r")], {}, first_number=1), seen())
    assert first.event.id != again.event.id


def test_numbers_count_events_and_not_what_only_waited() -> None:
    one = RuleEngine("front", [Rule("r", hold_us=S, quiet_us=2 * S)], {})
    one.feed([seen()], frame=0, now_us=0)
    for at in (5, 6):
        changes = one.feed([seen()], frame=at, now_us=at * S)
    other = RuleEngine("front", [Rule("r", hold_us=S, quiet_us=2 * S)], {})
    for at in (5, 6):
        expected = other.feed([seen()], frame=at, now_us=at * S)
    assert changes == expected
    assert len(changes) == 1


def test_the_end_of_a_source_closes_every_event_at_its_last_match() -> None:
    engine = RuleEngine("front", [Rule("r", quiet_us=3 * S)], {})
    engine.feed([seen("person")], frame=0, now_us=0)
    engine.feed([seen("vehicle")], frame=1, now_us=S)
    changes = engine.close_all(now_us=2 * S)
    assert all(isinstance(change, Closed) for change in changes)
    assert [change.event.closed_us for change in changes] == [0, S]
    assert engine.close_all(now_us=9 * S) == []


def test_an_unknown_zone_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="gate") as refused:
        RuleEngine("front", [Rule("r", zones=("gate",))], ZONES)
    assert refused.value.hint == "zones: left, low"


def test_a_flood_of_kinds_is_bounded_and_counted() -> None:
    engine = RuleEngine("front", [Rule("r", quiet_us=S)], {})
    flood = [seen(f"kind{number}") for number in range(MAX_KINDS + 10)]
    assert len(opened(engine, *flood)) == MAX_KINDS
    assert engine.ignored == 10
    assert len(engine.feed([seen("other", by="motion")], frame=1, now_us=1)) == 1
    engine.feed([], frame=2, now_us=2 * S)
    assert len(engine.feed([seen("person")], frame=3, now_us=3 * S)) == 1
