"""Whom `objects` gives a number, how long they keep it, and who looks like whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.observation import Box, Observation
from camera_edge.sandbox import Analyzer, Answer, Services

Floats = NDArray[np.float32]
FRAME = (320, 240)
MOST = 6
Params = Mapping[str, str | float]
NO_PARAMS: Params = {}
PARAMS: Params = {
    "model": "net",
    "model.decoder": "yolov10",
    "model.width": 320.0,
    "model.height": 240.0,
    "model.fit": "stretch",
    "model.classes": "person",
    "model.outputs": f"1x{MOST}x6",
    "model.sure_score": 0.6,
}


class Running(Protocol):
    analyzer: Analyzer

    def look(self, gray: NDArray[np.uint8], media_us: int) -> Answer: ...

    def try_to_look(self, gray: NDArray[np.uint8], media_us: int) -> Answer | None: ...


OpenModule = Callable[..., Running]


@dataclass(frozen=True, slots=True)
class Person:
    """The left upper corner of one who is 20 pixels wide and 60 high, and the detector's score; `looks` like whom."""

    x: float
    y: float = 100
    score: float = 0.9
    looks: int = 0

    @property
    def row(self) -> list[float]:
        return [self.x, self.y, self.x + 20, self.y + 60, self.score, 0]


class Scene:
    """Frames in which these persons are found, `fps` of them a second."""

    def __init__(self, open_module: OpenModule, params: Params = NO_PARAMS, fps: float = 10) -> None:
        self.persons: Sequence[Person] = ()
        self.looks = 0
        self._fps = fps
        self._frame = 0
        self._running = open_module("objects", FRAME, Services(self._infer), **{**PARAMS, **params})

    def look(self, *persons: Person) -> list[Observation]:
        self.persons = persons
        self._frame += 1
        at_us = round(self._frame * 1e6 / self._fps)
        return list(self._running.look(np.zeros(FRAME[::-1], np.uint8), at_us).observations)

    def numbers(self, *persons: Person) -> list[int]:
        """The numbers of those that are seen, from left to right; -1: none."""
        seen = [each for each in self.look(*persons) if "predicted" not in each.attributes]
        return [each.track for each in sorted(seen, key=lambda each: each.box.x)]

    def _infer(self, model: str, region: Box) -> Floats:
        if model != "net":
            return self._looks_like(region)
        rows = [each.row for each in self.persons]
        return np.array(rows + [[0.0] * 6] * (MOST - len(rows)), np.float32).ravel()

    def _looks_like(self, region: Box) -> Floats:
        """A vector of the person whose middle is nearest."""
        self.looks += 1
        middle = (region.x + region.w / 2) * FRAME[0] - 10
        nearest = min(self.persons, key=lambda each: abs(each.x - middle))
        vector = np.full(8, 0.1, np.float32)
        vector[nearest.looks] = 1
        return vector


@pytest.mark.parametrize("fps", [1, 5, 10, 25])
def test_a_number_comes_with_the_second_sighting_at_any_rate(open_module: OpenModule, fps: float) -> None:
    """A walk of half a height in a second; at 25 a second two sightings are no proof yet."""
    scene = Scene(open_module, fps=fps)
    numbers = [scene.numbers(Person(50 + 30 * i / fps)) for i in range(8)]
    first = 1 if fps < 25 else 2
    assert numbers == [[-1]] * first + [[0]] * (8 - first)


def test_one_of_middling_scores_gets_a_number_by_moving_and_furniture_never_does(open_module: OpenModule) -> None:
    scene = Scene(open_module, {"min_score": 0.3})
    numbers = [scene.numbers(Person(30 + 3 * i, score=0.61), Person(250, score=0.61)) for i in range(30)]
    assert numbers[:3] == [[-1, -1]] * 3
    assert numbers[6:] == [[0, -1]] * 24


def test_what_is_not_followed_is_not_reported_unless_it_is_sure(open_module: OpenModule) -> None:
    scene = Scene(open_module)
    assert [scene.numbers(Person(50, score=0.62), Person(150, score=0.9)) for _ in range(3)] == [[-1], [0], [0]]


def test_one_who_walked_and_stands_with_middling_scores_keeps_the_number_for_a_while(open_module: OpenModule) -> None:
    scene = Scene(open_module)
    for i in range(20):
        scene.look(Person(30 + 4 * i, score=0.62))
    standing = [scene.numbers(Person(110, score=0.62)) for _ in range(60)]
    assert standing[:20] == [[0]] * 20
    assert standing[-1] == []
    assert any(scene.numbers(Person(110 + 4 * i, score=0.62)) == [0] for i in range(10))


def test_a_doubtful_sighting_goes_on_with_one_who_is_there_and_begins_none(open_module: OpenModule) -> None:
    scene = Scene(open_module)
    for i in range(10):
        scene.look(Person(50 + 3 * i))
    for i in range(10, 20):
        seen = scene.look(Person(50 + 3 * i, score=0.25), Person(250, score=0.25))
        assert [(each.track, round(each.score, 2)) for each in seen] == [(0, 0.25)]


def test_two_who_cross_keep_their_numbers(open_module: OpenModule) -> None:
    """While they hide one another only the nearer one is seen."""
    scene = Scene(open_module)
    for i in range(40):
        right, left = Person(60 + 4 * i), Person(220 - 4 * i, score=0.8)
        numbers = scene.numbers(right) if abs(right.x - left.x) < 12 else scene.numbers(right, left)
        if i == 10:
            assert numbers == [0, 1]
    assert numbers == [1, 0]


def test_one_who_is_hidden_is_said_where_they_should_be_with_a_low_score(open_module: OpenModule) -> None:
    scene = Scene(open_module)
    for i in range(15):
        scene.look(Person(50 + 3 * i))
    (said,) = scene.look()
    assert said.attributes == {"class": "person", "predicted": True}
    assert said.track == 0
    assert said.box.x * FRAME[0] == pytest.approx(50 + 3 * 15, abs=2)
    assert said.score < 0.1
    assert len(scene.look()) == 1
    assert scene.look() == []


def test_below_a_third_of_the_sure_score_the_detector_s_own_sightings_are_given(open_module: OpenModule) -> None:
    scene = Scene(open_module, {"min_score": 0.05})
    generator = np.random.default_rng(3)
    for _ in range(12):
        person, doubtful = Person(50 + float(generator.normal(0, 2))), Person(200, score=0.06)
        first, second = scene.look(person, doubtful)
        assert (first.box.x * FRAME[0], first.score) == pytest.approx((person.x, person.score), abs=1e-3)
        assert second.box.x * FRAME[0] == pytest.approx(200, abs=1e-3)
        assert second.track == -1
    assert scene.look() == []


REID: Params = {"reid_model": "looks", "reid_model.outputs": "1x8"}


@pytest.mark.parametrize(("params", "number"), [({}, 1), (REID, 0)], ids=["without", "with"])
def test_one_who_comes_back_after_long_is_known_by_their_looks(
    open_module: OpenModule, params: Params, number: int
) -> None:
    scene = Scene(open_module, params)
    for i in range(30):
        scene.look(Person(50 + 2 * i, looks=3))
    for _ in range(50):
        scene.look()
    for i in range(5):
        numbers = scene.numbers(Person(160 + 2 * i, looks=3))
    assert numbers == [number]


def test_one_who_looks_otherwise_or_comes_from_outside_is_somebody_else(open_module: OpenModule) -> None:
    for back in (Person(160, looks=5), Person(0, looks=3)):
        scene = Scene(open_module, REID)
        for i in range(30):
            scene.look(Person(50 + 2 * i, looks=3))
        for _ in range(50):
            scene.look()
        for _ in range(5):
            numbers = scene.numbers(back)
        assert numbers == [1]


@pytest.mark.parametrize(("params", "last"), [({}, [1, 0]), (REID, [0, 1])], ids=["without", "with"])
def test_two_who_left_each_other_with_the_wrong_numbers_get_their_own_back(
    open_module: OpenModule, params: Params, last: list[int]
) -> None:
    """They meet, and turn back while they hide one another: by their motion they would have passed."""
    scene = Scene(open_module, params)
    way = [*range(0, 40), *[40] * 4, *range(39, -1, -1)]
    for i in way:
        one, other = Person(60 + 2 * i, looks=1), Person(220 - 2 * i, looks=2)
        # the nearer one alone is seen where they touch
        numbers = scene.numbers(one) if i >= 36 else scene.numbers(one, other)
    assert numbers == last


def test_few_looks_are_taken_in_a_frame(open_module: OpenModule) -> None:
    scene = Scene(open_module, REID)
    for _ in range(30):
        before = scene.looks
        scene.look(*(Person(10 + 50 * i, looks=i) for i in range(MOST)))
        assert scene.looks - before <= 4
    assert scene.looks >= MOST


def test_a_model_of_looks_that_gives_no_numbers_is_a_fault(open_module: OpenModule) -> None:
    class Broken(Scene):
        def _looks_like(self, region: Box) -> Floats:
            return np.full(8, np.nan, np.float32)

    scene = Broken(open_module, REID)
    scene.look(Person(50))
    with pytest.raises(AssertionError, match="returned -1"):
        scene.look(Person(50))
