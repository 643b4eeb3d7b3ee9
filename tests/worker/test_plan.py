"""What a camera's configuration becomes, and what it is refused for."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from camera_edge.config import CameraConfig
from camera_edge.errors import ConfigError
from camera_edge.rules import Rule
from camera_edge.sandbox import shipped
from camera_edge.worker.plan import AnalyzerPlan, CameraPlan, Supply, plan_camera, unreported_kinds, wakers_first


def planned(tmp_path: Path, **settings: object) -> CameraPlan:
    chosen = CameraConfig.model_validate({"source": "rtsp://me:secret@192.0.2.1/live"} | settings).settings()
    return plan_camera("front", chosen, Supply.of(tmp_path))


def analyzer(name: str, wake_on: str | None = None) -> AnalyzerPlan:
    return AnalyzerPlan(name, shipped("motion"), frozenset(), {}, wake_on=wake_on)


def test_without_analyzers_motion_runs_and_opens_events_of_every_kind(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    assert [(each.name, each.reported) for each in plan.analyzers] == [("motion", True)]
    assert plan.rules == (
        Rule("any", kinds=frozenset({"motion"}), analyzers=frozenset({"motion"}), quiet_us=3_000_000),
    )
    assert plan.redaction.required == {"motion"}


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
