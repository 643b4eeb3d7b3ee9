"""Which parts of a frame `objects` has the detector look at, and where in the frame what it finds lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.observation import Box
from camera_edge.sandbox import Analyzer, Answer, RegionsOf, Services

Floats = NDArray[np.float32]
FRAME = (1280, 960)
PARAMS: dict[str, str | float] = {
    "model": "net",
    "model.decoder": "yolov10",
    "model.width": 160.0,
    "model.height": 120.0,
    "model.fit": "letterbox",
    "model.classes": "person",
    "model.outputs": "1x1x6",
    "regions": "motion",
}
NOTHING: Floats = np.zeros(6, np.float32)
WHOLE = Box(0, 0, 1, 1)
FAR = Box(0.5, 0.5, 0.01, 0.02)


class Running(Protocol):
    analyzer: Analyzer

    def look(self, gray: NDArray[np.uint8], media_us: int) -> Answer: ...


OpenModule = Callable[..., Running]


class Scene:
    """Frames of one colour: a waker that says where it saw something, and a detector that says what is in a window."""

    def __init__(self, open_module: OpenModule, finds: Callable[[Box], Floats] = lambda _: NOTHING) -> None:
        self.woken: Sequence[Box] | None = ()
        self.asked: list[Box] = []
        self._finds = finds
        self._now_us = 0
        regions: RegionsOf = lambda: self.woken  # noqa: E731
        self._running = open_module("objects", FRAME, Services(self._infer, regions=regions), **PARAMS)

    def look(self, woken: Sequence[Box] | None, *, after_us: int = 200_000) -> Answer:
        self.woken, self.asked = woken, []
        self._now_us += after_us
        return self._running.look(np.zeros(FRAME[::-1], np.uint8), self._now_us)

    def _infer(self, _: str, region: Box) -> Floats:
        self.asked.append(region)
        return self._finds(region)


def holds(window: Box, box: Box) -> bool:
    return (
        window.x <= box.x
        and window.y <= box.y
        and window.x + window.w >= box.x + box.w
        and window.y + window.h >= box.y + box.h
    )


def test_the_first_frame_is_looked_at_as_a_whole_and_again_every_three_seconds(open_module: OpenModule) -> None:
    scene = Scene(open_module)
    wholes = []
    for i in range(40):
        scene.look([])
        wholes += [i] * (scene.asked == [WHOLE])
        assert scene.asked in ([], [WHOLE])
    assert wholes == [0, 15, 30]


def test_a_far_thing_gets_a_window_of_the_models_shape_enlarged_twice(open_module: OpenModule) -> None:
    scene = Scene(open_module)
    scene.look([])
    scene.look([FAR])
    (window,) = scene.asked
    assert holds(window, FAR)
    assert (window.w * FRAME[0], window.h * FRAME[1]) == pytest.approx((80, 60), abs=1.01)


def test_things_apart_get_windows_of_their_own_and_neighbours_share_one(open_module: OpenModule) -> None:
    scene = Scene(open_module)
    scene.look([])
    near, other = Box(0.51, 0.52, 0.01, 0.02), Box(0.1, 0.1, 0.01, 0.02)
    scene.look([FAR, near, other])
    assert len(scene.asked) == 2
    assert all(any(holds(window, box) for window in scene.asked) for box in (FAR, near, other))


def test_however_many_things_there_are_few_windows_hold_them_all(open_module: OpenModule) -> None:
    scene = Scene(open_module)
    scene.look([])
    generator = np.random.default_rng(5)
    for _ in range(20):
        woken = [Box(float(x), float(y), 0.01, 0.01) for x, y in generator.uniform(0, 0.45, (60, 2))]
        scene.look(woken, after_us=1000)
        assert 1 <= len(scene.asked) <= 4
        assert all(any(holds(window, box) for window in scene.asked) for box in woken)


def test_where_windows_would_be_much_of_the_frame_the_whole_is_looked_at_once(open_module: OpenModule) -> None:
    scene = Scene(open_module)
    scene.look([])
    scene.look([Box(0.1, 0.1, 0.7, 0.6)])
    assert scene.asked == [WHOLE]


def test_a_waker_without_an_answer_is_not_one_that_saw_nothing(open_module: OpenModule) -> None:
    scene = Scene(open_module)
    scene.look([])
    scene.look(None)
    assert scene.asked == [WHOLE]


def test_what_is_found_in_a_window_lies_where_the_window_is(open_module: OpenModule) -> None:
    """In the middle of whatever it is shown: half of the input high, a quarter wide."""
    person = np.array([60, 30, 100, 90, 0.9, 0], np.float32)
    scene = Scene(open_module, lambda region: NOTHING if region == WHOLE else person)
    scene.look([])
    (seen,) = scene.look([FAR]).observations
    (window,) = scene.asked
    # pixels of the frame in one of the input
    scale = max(window.w * FRAME[0] / 160, window.h * FRAME[1] / 120)
    left, top = window.x + 60 * scale / FRAME[0], window.y + 30 * scale / FRAME[1]
    expected = (left, top, 40 * scale / FRAME[0], 60 * scale / FRAME[1])
    assert (seen.box.x, seen.box.y, seen.box.w, seen.box.h) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("corners", [(0, 30, 40, 90), (60, 0, 100, 60), (120, 30, 160, 90), (60, 60, 100, 120)])
def test_what_a_window_cuts_through_is_left_to_others(
    open_module: OpenModule, corners: tuple[float, float, float, float]
) -> None:
    scene = Scene(open_module, lambda _: np.array([*corners, 0.9, 0], np.float32))
    assert len(scene.look([]).observations) == 1, "the edge of the frame cuts nothing off"
    assert all("predicted" in each.attributes or each.box.w > 0.2 for each in scene.look([FAR]).observations)


def test_what_stands_still_is_looked_at_though_the_waker_sees_it_no_more(open_module: OpenModule) -> None:
    scene = Scene(open_module, lambda region: NOTHING if region == WHOLE else np.array([60, 30, 100, 90, 0.9, 0], "f4"))
    scene.look([])
    first = scene.look([FAR]).observations[0].box
    for _ in range(10):
        (seen,) = scene.look([]).observations
        assert (seen.box.x + seen.box.w / 2, seen.box.y + seen.box.h / 2) == pytest.approx(
            (first.x + first.w / 2, first.y + first.h / 2), abs=0.01
        )
    assert seen.track == 0
