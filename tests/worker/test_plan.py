"""What a camera's configuration becomes, and what it is refused for."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from camera_edge.clock import time_zone
from camera_edge.config import CameraConfig
from camera_edge.errors import ConfigError
from camera_edge.rules import Hours, Line, LineCrossed, Loitering, Rule, Schedule, WrongWay
from camera_edge.sandbox import shipped
from camera_edge.worker.plan import AnalyzerPlan, CameraPlan, Supply, plan_camera, unreported_kinds, wakers_first
from camera_edge.worker.rulebook import default_rules, rule_kinds


def planned(tmp_path: Path, **settings: object) -> CameraPlan:
    chosen = CameraConfig.model_validate({"source": "rtsp://me:secret@192.0.2.1/live"} | settings).settings()
    return plan_camera("front", chosen, Supply.of(tmp_path))


def analyzer(name: str, wake_on: str | None = None) -> AnalyzerPlan:
    return AnalyzerPlan(name, shipped("motion"), frozenset(), {}, wake_on=wake_on)


def test_without_analyzers_motion_runs_and_tells_what_moves_and_things_that_were_left_or_taken(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    assert [(each.name, each.reported) for each in plan.analyzers] == [("motion", True)]
    any_kind = Rule("any", analyzers=frozenset({"motion"}), quiet_us=3_000_000, unasked=frozenset({"still"}))
    assert plan.rules[0] == any_kind
    assert [rule.name for rule in plan.rules[1:]] == ["object_left", "object_removed"]
    assert {rule.hold_us for rule in plan.rules[1:]} == {1_000_000}
    assert plan.redaction.required == {"motion"}


def test_each_analyzer_has_its_own_events_where_nobody_wrote_rules() -> None:
    def rules(name: str) -> list[tuple[str, set[str], set[str], int]]:
        return [
            (
                each.name if each.watch is None else each.watch.event,
                set(each.kinds),
                set(each.unasked),
                each.quiet_us // 1_000_000,
            )
            for each in default_rules(analyzer(name))
        ]

    assert rules("motion") == [
        ("any", set(), {"still"}, 3),
        ("object_left", {"still"}, set(), 3),
        ("object_removed", {"still"}, set(), 3),
    ]
    assert rules("objects") == [("any", set(), {"object"}, 3)]
    assert rules("tamper") == [("any", set(), set(), 5)]
    assert rules("normality") == rules("forklift") == [("any", set(), set(), 3)]


def test_a_rule_over_tracks_looks_at_people_and_vehicles_where_somebody_tells_them_else_at_what_moves(
    tmp_path: Path,
) -> None:
    loiters = {"event": "loitering", "dwell_s": 5}
    [rule] = planned(tmp_path, rules={"lingers": loiters}).rules
    assert (rule.kinds, rule.watch) == (frozenset({"motion"}), Loitering(5_000_000))
    assert rule_kinds(None, frozenset({"person"})) == frozenset()
    given = frozenset({"motion", "still", "person", "vehicle", "object"})
    assert rule_kinds("crowd", given) == {"person", "vehicle"}
    assert rule_kinds("crowd", frozenset({"forklift", "still"})) == {"forklift"}
    assert rule_kinds("object_left", given) == {"still"}


def test_rules_over_tracks_are_planned_with_their_lines_hours_and_times(tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        lines={"door": [[0.4, 0.9], [0.4, 0.5]]},
        time_zone="Europe/Berlin",
        rules={
            "in": {"event": "line_crossed", "line": "door", "schedule": {"days": ["sat"], "from": "22:00"}},
            "many": {"event": "crowd", "count": 3, "hold_s": 4},
            "some": {"event": "crowd", "count": 2},
            "fast": {"event": "speeding", "speed": 0.5},
            "wrong": {"event": "wrong_way", "way": [[0, 0], [1, 0]], "hold_s": 0},
        },
    )
    crossed, many, some, fast, wrong = plan.rules
    assert crossed.watch == LineCrossed("door", Line((0.4, 0.9), (0.4, 0.5)))
    assert crossed.schedule == Schedule((Hours(frozenset({5}), 22 * 60, 24 * 60),), time_zone("Europe/Berlin"))
    assert [each.hold_us for each in (many, some, fast, wrong)] == [4_000_000, 1_000_000, 500_000, 0]
    assert wrong.watch == WrongWay((0, 0), (1, 0))
    assert {each.analyzers for each in plan.rules} == {frozenset({"motion"})}


def test_what_hides_runs_though_nobody_named_it_and_opens_no_events(tmp_path: Path) -> None:
    plan = planned(tmp_path, analyzers={})
    assert [(each.name, each.reported) for each in plan.analyzers] == [("motion", False)]


def test_credentials_are_not_in_a_plan(tmp_path: Path) -> None:
    assert "secret" not in repr(planned(tmp_path))


def test_something_must_always_have_answered_for_a_picture_to_be_shown(
    plan: Callable[..., CameraPlan], eager: Path
) -> None:
    assert plan(eager).redaction.required == {"eager"}
    assert plan("motion", eager).redaction.required == {"motion"}


def test_a_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    objects = {"objects": {"grant": ["onnx:nothing"], "params": {"model": "nothing"}}}
    with pytest.raises(ConfigError) as caught:
        planned(tmp_path, analyzers=objects)
    assert "nothing" in str(caught.value) and caught.value.hint


def test_a_rule_for_what_nobody_reports_is_found(tmp_path: Path) -> None:
    plan = planned(tmp_path, rules={"late": {"kinds": ["motion", "persn"]}, "any": {}})
    assert unreported_kinds(plan) == [("late", "persn")]


@pytest.mark.parametrize(
    ("analyzers", "words"),
    [
        ({"nobody": {}}, "nobody"),
        ({"motion": {"grant": ["onnx:x"]}}, "onnx:x"),
        ({"motion": {"params": {"bogus": 1}}}, "bogus"),
        ({"motion": {"params": {"threshold": "high"}}}, "threshold"),
        ({"objects": {}}, "objects"),
    ],
)
def test_a_configuration_that_cannot_run_is_refused_with_the_next_step(
    tmp_path: Path, analyzers: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        planned(tmp_path, analyzers=analyzers)
    assert words in str(caught.value) and caught.value.hint


def test_a_sleeper_comes_after_its_waker() -> None:
    ordered = wakers_first([analyzer("c", "b"), analyzer("a"), analyzer("b", "a")])
    assert [each.name for each in ordered] == ["a", "b", "c"]


def test_two_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match="a, b"):
        wakers_first([analyzer("a", "b"), replace(analyzer("b"), wake_on="a")])
