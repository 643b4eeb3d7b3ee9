"""A new version of a module takes its seat between two frames of a running camera."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from camera_edge.capture import Frame
from camera_edge.errors import ModuleError
from camera_edge.observation import Seen
from camera_edge.picture import Picture
from camera_edge.sandbox import load_module
from camera_edge.worker.analysis import Analysis, Tick
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.crew import CrewPolicy
from camera_edge.worker.plan import CameraPlan

Plan = Callable[..., CameraPlan]
Module = Callable[..., Path]


def counting(base: int, opens: str = "") -> str:
    """Scores `base` and how many frames this instance has seen."""
    return f"""
    (import "camera_edge" "score" (func $score (param f64) (result i32)))
    (global $frames (mut i32) (i32.const {base}))
    {opens}
    (func (export "analyze") (param i32) (result i32)
      (global.set $frames (i32.add (global.get $frames) (i32.const 1)))
      (call $score (f64.convert_i32_s (global.get $frames))))
    """


class Camera:
    """A camera whose frames are shown one by one."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self._frames = 0

    def prepare(self, size: tuple[int, int] = (64, 48)) -> Tick:
        width, height = size
        plane = np.full((height, width), 100, np.uint8)
        chroma = np.full((height // 2, width // 2), 128, np.uint8)
        picture = Picture(plane, chroma, chroma, lambda: np.dstack([plane] * 3))
        tick = self.analysis.prepare(Frame(self._frames, self._frames * 200_000, 0, picture, None, 0))
        assert tick is not None
        self._frames += 1
        return tick

    def look(self, size: tuple[int, int] = (64, 48)) -> dict[str, float]:
        return scores(self.analysis.analyze(self.prepare(size)))


def scores(seen: Seen) -> dict[str, float]:
    return {score.analyzer: score.value for score in seen.scores}


@pytest.fixture
def started(plan: Plan, module: Module, sandboxing: Sandboxing) -> Iterator[tuple[Camera, CameraPlan]]:
    """Two counting modules, `first` from 100 and `second` from 0."""
    chosen = plan(module("first", counting(100)), module("second", counting(0)))
    analysis = Analysis(chosen, sandboxing.runtime, sandboxing.cache)
    yield Camera(analysis), chosen
    analysis.close()


def updated(plan: CameraPlan, path: Path) -> CameraPlan:
    """The plan with another version of one of its modules; the one before is what it may fall back to."""
    module = load_module(path)
    analyzers = [
        replace(each, module=module, fallbacks=(each,)) if each.name == module.manifest.name else each
        for each in plan.analyzers
    ]
    return replace(plan, analyzers=tuple(analyzers))


def test_a_new_version_begins_with_the_next_frame_and_knows_nothing_of_the_old(
    started: tuple[Camera, CameraPlan], module: Module
) -> None:
    camera, plan = started
    assert [camera.look() for _ in range(2)] == [{"first": 101, "second": 1}, {"first": 102, "second": 2}]
    camera.analysis.renew(updated(plan, module("first", counting(200), version="2")))
    assert [camera.look() for _ in range(2)] == [{"first": 201, "second": 3}, {"first": 202, "second": 4}]
    assert (camera.analysis.analysed, camera.analysis.dropped) == (4, 0)
    counts = {each.name: each for each in camera.analysis.crew.counts}
    assert (counts["first"].version, counts["first"].answers, counts["first"].faults) == ("2", 4, 0)


def test_a_frame_that_was_prepared_before_the_swap_is_analysed_by_the_old_version(
    started: tuple[Camera, CameraPlan], module: Module
) -> None:
    camera, plan = started
    camera.look()
    tick = camera.prepare()
    camera.analysis.renew(updated(plan, module("first", counting(200), version="2")))
    late = camera.prepare()
    assert scores(camera.analysis.analyze(tick))["first"] == 102
    assert scores(camera.analysis.analyze(late))["first"] == 201


def test_a_version_that_wants_another_view_gets_it_and_its_neighbours_go_on(
    started: tuple[Camera, CameraPlan], module: Module
) -> None:
    camera, plan = started
    camera.look()
    other = module("first", counting(200), version="2", more='[view]\nformat = "i420"\nmax_width = 32\n')
    camera.analysis.renew(updated(plan, other))
    assert camera.look() == {"first": 201, "second": 2}
    camera.analysis.renew(plan)
    assert camera.look() == {"first": 101, "second": 3}


def test_many_swaps_leave_no_ring_behind(started: tuple[Camera, CameraPlan], module: Module) -> None:
    camera, plan = started
    other = updated(
        plan, module("first", counting(200), version="2", more='[view]\nformat = "rgb24"\nmax_width = 32\n')
    )
    camera.look()
    open_before = rings()
    for _ in range(5):
        for each in (other, plan):
            camera.analysis.renew(each)
            camera.look()
    assert rings() == open_before


def rings() -> int:
    """How many frame rings this process holds."""
    gc.collect()
    names = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return sum("memfd:camera-edge" in name for name in names)


@pytest.mark.parametrize(
    "broken",
    [
        '(func (export "open") (result i32) (i32.const -1))',
        '(import "camera_edge" "infer" (func (param i32 i32 f32 f32 f32 f32 i32 i32) (result i32)))',
        '(func (export "_initialize") unreachable)',
    ],
)
def test_a_version_that_does_not_start_leaves_the_old_one_where_it_is(
    started: tuple[Camera, CameraPlan], module: Module, broken: str
) -> None:
    camera, plan = started
    camera.look()
    body = broken + counting(200) if broken.startswith("(import") else counting(200, broken)
    camera.analysis.renew(updated(plan, module("first", body, version="2")))
    assert camera.look() == {"first": 102, "second": 2}
    (refusal,) = camera.analysis.crew.refusals
    assert refusal.startswith("first 2 ") and refusal.endswith("; 1 runs")
    camera.analysis.renew(updated(plan, module("first", counting(300), version="3")))
    assert camera.look() == {"first": 301, "second": 3}
    assert camera.analysis.crew.refusals == ()


@pytest.mark.parametrize("more", ["", '[view]\nformat = "rgb24"\nmax_width = 32\n'])
def test_the_old_version_also_takes_the_place_at_another_size_or_view(
    started: tuple[Camera, CameraPlan], module: Module, more: str
) -> None:
    camera, plan = started
    camera.look()
    broken = counting(200, '(func (export "open") (result i32) (i32.const -1))')
    camera.analysis.renew(updated(plan, module("first", broken, version="2", more=more)))
    assert camera.look() == {"first": 102, "second": 2}
    assert camera.look((96, 64)) == {"first": 101, "second": 1}
    assert len(camera.analysis.crew.refusals) == 1


def test_at_the_start_too_the_next_version_takes_the_place_of_one_that_does_not_start(
    plan: Plan, module: Module, sandboxing: Sandboxing
) -> None:
    broken = module("first", counting(200, '(func (export "open") (result i32) (i32.const -1))'), version="2")
    chosen = updated(plan(module("first", counting(100))), broken)
    analysis = Analysis(chosen, sandboxing.runtime, sandboxing.cache)
    assert Camera(analysis).look() == {"first": 101}
    assert analysis.crew.refusals[0].endswith("; 1 runs")
    assert [each.module.manifest.version for each in analysis.crew.versions] == ["1"]
    analysis.close()


def test_of_a_live_camera_a_module_that_does_not_start_is_left_alone_and_the_others_go_on(
    plan: Plan, module: Module, sandboxing: Sandboxing
) -> None:
    broken = module("first", counting(100, '(func (export "open") (result i32) (i32.const -1))'))
    chosen = plan(broken, module("second", counting(0)))
    analysis = Analysis(chosen, sandboxing.runtime, sandboxing.cache, CrewPolicy(strict=False))
    camera = Camera(analysis)
    assert [camera.look() for _ in range(2)] == [{"second": 1}, {"second": 2}]
    assert "does not start: open returned -1" in analysis.crew.quarantined["first"]
    assert {each.name: each.skipped for each in analysis.crew.counts} == {"first": 2, "second": 0}
    analysis.close()
    with pytest.raises(ModuleError, match="open returned -1"):
        Camera(Analysis(chosen, sandboxing.runtime, sandboxing.cache)).look()


def test_a_module_that_is_too_slow_for_a_live_camera_is_left_alone_and_named(
    plan: Plan, module: Module, sandboxing: Sandboxing
) -> None:
    spin = """(func $spin (local $i i32) (loop $l
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20000000)))))
      (func (export "analyze") (param i32) (result i32) (call $spin) (i32.const 0))"""
    chosen = plan(module("slow", spin), module("second", counting(0)))
    # a hundred thousandth of what the loop takes anywhere
    analysis = Analysis(chosen, sandboxing.runtime, sandboxing.cache, CrewPolicy(strict=False, slow_us=1000))
    camera = Camera(analysis)
    seen = [camera.look()["second"] for _ in range(7)]
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    reason = analysis.crew.quarantined["slow"]
    assert reason.startswith("5 faults in 100 frames, the last: it took ") and reason.endswith(" ms for a frame")
    analysis.close()


def test_what_waits_for_a_new_version_is_not_the_frame(
    started: tuple[Camera, CameraPlan], module: Module, sandboxing: Sandboxing
) -> None:
    camera, plan = started
    camera.look()
    camera.analysis.renew(updated(plan, module("first", counting(200), version="2")))
    (rehearsed,) = camera.analysis.rehearsed
    assert (rehearsed.version.number, rehearsed.tenant.counters.calls) == ("2", 0)
    assert camera.look()["first"] == 201
    assert camera.analysis.crew.seat_of("first") is rehearsed


def test_of_two_renewals_before_a_frame_the_later_holds(started: tuple[Camera, CameraPlan], module: Module) -> None:
    camera, plan = started
    camera.look()
    camera.analysis.renew(updated(plan, module("first", counting(200), version="2")))
    camera.analysis.renew(updated(plan, module("first", counting(300), version="3")))
    assert camera.look() == {"first": 301, "second": 2}


def test_after_a_swap_another_size_starts_all_anew(started: tuple[Camera, CameraPlan], module: Module) -> None:
    camera, plan = started
    camera.look()
    camera.analysis.renew(updated(plan, module("first", counting(200), version="2")))
    assert camera.look((96, 64)) == {"first": 201, "second": 1}


def test_the_quarantine_of_the_old_version_is_not_the_new_one_s(
    plan: Plan, module: Module, sandboxing: Sandboxing
) -> None:
    traps = '(func (export "analyze") (param i32) (result i32) unreachable)'
    chosen = plan(module("first", traps))
    analysis = Analysis(chosen, sandboxing.runtime, sandboxing.cache)
    camera = Camera(analysis)
    for _ in range(6):
        camera.look()
    assert "first" in analysis.crew.quarantined
    analysis.renew(updated(chosen, module("first", counting(0), version="2")))
    assert camera.look() == {"first": 1}
    assert analysis.crew.quarantined == {}
    analysis.close()
    assert "was quarantined" in analysis.crew.broken["first"]
