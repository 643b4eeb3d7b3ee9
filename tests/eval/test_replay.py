from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from camera_edge.errors import ConfigError, ModuleError, UndecodableError
from camera_edge.eval.replay import Replay, Setup, Site, beside
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.plan import Supply
from tests.eval.drawn import person, write_images

MOTION = Setup({"motion": {}})


@pytest.fixture
def site(cache: Path, tmp_path: Path) -> Site:
    return Site(Sandboxing.of(cache, read_only=False), Supply.of(tmp_path / "state"), lambda _: None)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    write_images(tmp_path / "input", [person(number % 4) for number in range(12)])
    return tmp_path / "input"


def burn_ms(wanted: float) -> None:
    until_ns = time.thread_time_ns() + wanted * 1e6
    while time.thread_time_ns() < until_ns:
        pass


def test_what_is_done_between_two_steps_is_in_no_figure(site: Site, pictures: Path) -> None:
    replay = Replay(pictures, MOTION, site)
    started_ns = time.thread_time_ns()
    for _ in replay.steps():
        burn_ms(30)
    spent_ms = (time.thread_time_ns() - started_ns) / 1e6
    timing = replay.timing
    assert (timing.frames, replay.frames) == (12, 12)
    assert 0 < timing.analyzers_ms["motion"] < timing.pipeline_ms
    assert timing.pipeline_ms * 12 < spent_ms - 12 * 29
    assert timing.models_ms == {}


def test_every_step_has_the_picture_that_opencv_reads(site: Site, pictures: Path) -> None:
    files = sorted(pictures.iterdir())
    seen = [(step.seen.frame, bgr) for step, bgr in beside(Replay(pictures, MOTION, site), files)]
    assert [number for number, _ in seen] == list(range(12))
    assert all(np.array_equal(bgr, person(number % 4)) for number, bgr in seen)
    with pytest.raises(UndecodableError, match="no frame 11"):
        list(beside(Replay(pictures, MOTION, site), files[:11]))


def test_at_a_lower_rate_fewer_frames_are_analysed(site: Site, pictures: Path) -> None:
    replay = Replay(pictures, Setup({"motion": {}}, rate_hz=5.0), site)
    replay.run()
    assert (replay.timing.frames, replay.frames) == (7, 12)


@pytest.mark.parametrize("setup", [Setup({"nobody": {}}), Setup({"motion": {"wrong": 1}}), Setup({"objects": {}})])
def test_what_cannot_be_planned_is_an_error_before_anything_runs(site: Site, pictures: Path, setup: Setup) -> None:
    with pytest.raises((ConfigError, ModuleError)):
        Replay(pictures, setup, site)
