"""`still` of `motion`, in the real sandbox: things that come to rest, and places from which one has gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.observation import Observation
from camera_edge.sandbox import Answer
from tests.wasm_analyzers.test_motion import HEIGHT, STEP_US, WIDTH, Scene, Thing, Watch, overlap
from tests.wasm_analyzers.test_motion_recordings import read_frames

Gray = NDArray[np.uint8]
LEARNING = 25
BAG = Thing(70, 60, 20, 20, seed=9)


class Running(Protocol):
    def look(self, gray: Gray, media_us: int) -> Answer: ...


OpenModule = Callable[..., Running]


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def watch(open_module: OpenModule) -> Watch:
    return Watch(open_module("motion", (WIDTH, HEIGHT)).look)


def stills(answers: list[Answer]) -> list[Observation]:
    return [each for answer in answers for each in answer.observations if each.kind == "still"]


def walk(watch: Watch, scene: Scene, start: int, end: int, *there: Thing) -> list[Answer]:
    """Someone crosses the view, before or behind what is there."""
    step = 8 if end > start else -8
    return [watch.see(scene.draw(*there, Thing(x, 40))) for x in range(start, end, step)]


def test_a_bag_that_is_left_appears_and_keeps_its_number(watch: Watch, scene: Scene) -> None:
    watch.for_s(LEARNING * STEP_US / 1e6, lambda _: scene.draw())
    walk(watch, scene, -16, 72)
    answers = walk(watch, scene, 64, 160, BAG) + watch.for_s(10, lambda _: scene.draw(BAG))
    seen = stills(answers)
    assert {each.attributes["change"] for each in seen} == {"appeared"}
    assert len({each.track for each in seen}) == 1
    assert len(stills(answers[-40:])) == 40
    assert overlap(seen[-1].box, BAG.box) > 0.7
    still_s = [float(each.attributes["still_s"]) for each in seen]
    assert still_s == sorted(still_s) and 1 <= still_s[0] <= 2


def test_what_is_taken_away_is_removed_and_remembered_for_twenty_seconds(watch: Watch, scene: Scene) -> None:
    watch.for_s(LEARNING * STEP_US / 1e6, lambda _: scene.draw(BAG))
    walk(watch, scene, -16, 72, BAG)
    answers = walk(watch, scene, 64, 160) + watch.for_s(30, lambda _: scene.draw())
    seen = stills(answers)
    assert {each.attributes["change"] for each in seen} == {"removed"}
    assert len({each.track for each in seen}) == 1
    assert overlap(seen[-1].box, BAG.box) > 0.7
    assert 18 <= float(seen[-1].attributes["still_s"]) <= 22


def test_what_is_put_back_ends_the_gap_and_appears(watch: Watch, scene: Scene) -> None:
    watch.for_s(LEARNING * STEP_US / 1e6, lambda _: scene.draw(BAG))
    walk(watch, scene, -16, 72, BAG)
    walk(watch, scene, 64, -24)
    watch.for_s(4, lambda _: scene.draw())
    walk(watch, scene, -16, 72)
    answers = walk(watch, scene, 64, -24, BAG) + watch.for_s(4, lambda _: scene.draw(BAG))
    assert {each.attributes["change"] for each in stills(answers[-15:])} == {"appeared"}


def test_who_stands_and_moves_a_little_is_in_motion_and_leaves_no_gap(watch: Watch, scene: Scene) -> None:
    def fidgeting(i: int) -> Gray:
        return scene.draw(Thing(64, 40), Thing(66 + i // 3 % 3, 46, 8, 6, seed=3))

    watch.for_s(LEARNING * STEP_US / 1e6, lambda _: scene.draw())
    walk(watch, scene, -16, 64)
    answers = watch.for_s(20, fidgeting)
    assert all(answer.observations for answer in answers)
    answers += walk(watch, scene, 64, 160) + watch.for_s(5, lambda _: scene.draw())
    assert stills(answers) == []


def test_a_lamp_that_is_switched_on_in_a_corner_is_no_thing(watch: Watch, scene: Scene) -> None:
    watch.for_s(LEARNING * STEP_US / 1e6, lambda _: scene.draw())
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    glow = 1 + 0.35 * np.exp(-((x - 60) ** 2 + (y - 50) ** 2) / (2 * 22.0**2))
    changes = {each.attributes["change"] for each in stills(watch.for_s(10, lambda _: scene.draw(light=glow)))}
    assert changes <= {"unclear"}


BOTTLES = {
    "removed": [207, 529, 529, 953],
    "appeared": [340, 666, 819, 1050],
}


@pytest.mark.parametrize("every", [6, 1])
def test_each_bottle_that_is_taken_or_put_back_is_found(open_module: OpenModule, recordings: Path, every: int) -> None:
    """At 5 frames a second and at the recording's 30, as `events.json` has them."""
    path = recordings / "intel_sample_videos" / "bottle-detection.mp4"
    frames = read_frames(path, every)
    number, media_us, view = next(frames)
    running = open_module("motion", view.shape[::-1])
    running.look(view, media_us)
    first: dict[int, tuple[int, str]] = {}
    for number, media_us, view in frames:
        for each in running.look(view, media_us).observations:
            if each.kind == "still":
                first.setdefault(each.track, (number, str(each.attributes["change"])))
    for change, truth in BOTTLES.items():
        found = sorted(number for number, what in first.values() if what == change)
        assert len(found) == len(truth)
        for number, begin in zip(found, truth, strict=True):
            assert begin < number < begin + 180


def crossing(scene: Scene, i: int, light: float) -> Gray:
    return scene.draw(Thing((4 * i) % 176 - 17, 40), light=light)


@pytest.mark.parametrize(("rise", "ramp_s"), [(1.4, 0), (1.8, 1.5), (0.35, 0)])
def test_a_change_of_exposure_leaves_and_removes_nothing(watch: Watch, rise: float, ramp_s: float) -> None:
    """Also where the brightest parts are clipped, and while someone walks; and when it ends."""
    scene = Scene(darkest=60, lightest=230)

    def changing(i: int) -> Gray:
        part = min(1.0, i * STEP_US / 1e6 / ramp_s) if ramp_s else 1.0
        return crossing(scene, i, 1 + (rise - 1) * part)

    watch.for_s(LEARNING * STEP_US / 1e6, lambda _: scene.draw())
    answers = watch.for_s(8, changing) + watch.for_s(10, lambda i: crossing(scene, i, 1))
    assert {each.attributes["change"] for each in stills(answers)} <= {"unclear"}


def test_who_stands_while_the_exposure_changes_and_goes_leaves_nothing(watch: Watch) -> None:
    scene = Scene(darkest=60, lightest=230)
    watch.for_s(LEARNING * STEP_US / 1e6, lambda _: scene.draw())
    walk(watch, scene, -16, 64)
    answers = watch.for_s(0.6, lambda _: scene.draw(Thing(64, 40)))
    answers += watch.for_s(3, lambda i: scene.draw(Thing(64 + i // 3 % 3, 40), light=1.4))
    answers += [watch.see(scene.draw(Thing(x, 40), light=1.4)) for x in range(64, 160, 8)]
    answers += watch.for_s(8, lambda _: scene.draw(light=1.4))
    assert {each.attributes["change"] for each in stills(answers)} <= {"unclear"}
