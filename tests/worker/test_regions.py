"""What an analyzer that follows another is told about where that saw something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from camera_edge.capture import Frame
from camera_edge.errors import ConfigError
from camera_edge.picture import Picture
from camera_edge.sandbox import load_module, shipped
from camera_edge.worker.analysis import Analysis
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.crew import CrewPolicy
from camera_edge.worker.plan import AnalyzerPlan, CameraPlan, wakers_first

Plan = Callable[..., CameraPlan]
Module = Callable[..., Path]

# scores how many boxes it was told, or the status, then the left edge of the first one in thousandths
FOLLOWS = """
(import "camera_edge" "regions" (func $regions (param i32 i32) (result i32)))
(import "camera_edge" "score" (func $score (param f64) (result i32)))
(func (export "analyze") (param i32) (result i32)
  (drop (call $score (f64.convert_i32_s (call $regions (i32.const 64) (i32.const 1)))))
  (call $score (f64.floor (f64.mul (f64.promote_f32 (f32.load (i32.const 64))) (f64.const 1000)))))
"""
# sees a thing at a quarter of every other frame, and fails on each fifth
BLINKS = """
(import "camera_edge" "emit" (func $emit (param i32) (result i32)))
(global $frames (mut i32) (i32.const 0))
(data (i32.const 64) "thing")
(func (export "analyze") (param i32) (result i32)
  (global.set $frames (i32.add (global.get $frames) (i32.const 1)))
  (if (i32.eqz (i32.rem_u (global.get $frames) (i32.const 5))) (then (return (i32.const -1))))
  (if (i32.rem_u (global.get $frames) (i32.const 2)) (then (return (i32.const 0))))
  (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 5))
  (f32.store (i32.const 8) (f32.const 0.5)) (i32.store (i32.const 12) (i32.const -1))
  (f32.store (i32.const 16) (f32.const 0.25)) (f32.store (i32.const 20) (f32.const 0.5))
  (f32.store (i32.const 24) (f32.const 0.25)) (f32.store (i32.const 28) (f32.const 0.25))
  (i32.store (i32.const 32) (i32.const 0)) (i32.store (i32.const 36) (i32.const 0))
  (drop (call $emit (i32.const 0)))
  (call $emit (i32.const 0)))
"""
NOT_FOUND, FAILED = -3.0, -8.0


@pytest.fixture
def follower(module: Module) -> AnalyzerPlan:
    file = load_module(module("follower", FOLLOWS))
    return AnalyzerPlan("follower", file, frozenset({"pixels"}), {})


@pytest.fixture
def blinker(module: Module) -> AnalyzerPlan:
    file = load_module(module("blinker", BLINKS))
    return AnalyzerPlan("blinker", file, frozenset({"pixels"}), {})


def told(plan: CameraPlan, sandboxing: Sandboxing, frames: int) -> list[list[float]]:
    """What the follower says of each frame."""
    plane, chroma = np.full((48, 64), 100, np.uint8), np.full((24, 32), 128, np.uint8)
    picture = Picture(plane, chroma, chroma, lambda: np.dstack([plane] * 3))
    analysis = Analysis(plan, sandboxing.runtime, sandboxing.cache, CrewPolicy())
    heard = []
    try:
        for number in range(frames):
            tick = analysis.prepare(Frame(number, number * 200_000, 0, picture, None, 0))
            assert tick is not None
            seen = analysis.analyze(tick)
            heard.append([score.value for score in seen.scores if score.analyzer == "follower"])
    finally:
        analysis.close()
    return heard


@pytest.mark.parametrize("by", ["the parameter", "its waker"])
def test_a_follower_is_told_the_boxes_of_the_one_it_follows_in_the_same_frame(
    plan: Plan, sandboxing: Sandboxing, follower: AnalyzerPlan, blinker: AnalyzerPlan, by: str
) -> None:
    one = (
        replace(follower, params={"regions": "blinker"})
        if by == "the parameter"
        else replace(follower, wake_on="blinker")
    )
    whole = replace(plan("motion"), analyzers=wakers_first([one, blinker]))
    heard = told(whole, sandboxing, 5)
    # asleep until the other one sees something
    first = [0.0, 0.0] if by == "the parameter" else []
    assert heard == [first, [2, 250], [0, 250], [2, 250], [FAILED, 250]]


def test_one_that_follows_none_is_told_so(plan: Plan, sandboxing: Sandboxing, follower: AnalyzerPlan) -> None:
    assert told(replace(plan("motion"), analyzers=(follower,)), sandboxing, 1) == [[NOT_FOUND, 0]]


def test_only_a_module_that_asks_for_regions_follows(blinker: AnalyzerPlan, follower: AnalyzerPlan) -> None:
    assert replace(blinker, params={"regions": "anything"}, wake_on="motion").follows is None
    assert replace(follower, params={"regions": "", "other": 1.0}, wake_on="motion").follows == "motion"


def test_objects_comes_after_the_one_that_its_parameter_names() -> None:
    objects = AnalyzerPlan("objects", shipped("objects"), frozenset(), {"regions": "motion"})
    motion = AnalyzerPlan("motion", shipped("motion"), frozenset(), {})
    assert [each.name for each in wakers_first([objects, motion])] == ["motion", "objects"]


@pytest.mark.parametrize("named", ["nobody", "objects"])
def test_one_that_follows_nobody_who_runs_is_refused_with_the_next_step(tmp_path: Path, named: str) -> None:
    from camera_edge.config import CameraConfig
    from camera_edge.worker.plan import assemble

    objects = AnalyzerPlan("objects", shipped("objects"), frozenset(), {"regions": named})
    motion = AnalyzerPlan("motion", shipped("motion"), frozenset(), {})
    with pytest.raises(ConfigError, match=f"looks where '{named}' saw something") as caught:
        assemble("front", CameraConfig.model_validate({"source": "x"}).settings(), [motion, objects])
    assert "motion" in str(caught.value.hint)
