"""What no camera should show `motion`, and some do: it answers sanely, and every number is finite."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.errors import ModuleError
from camera_edge.sandbox import Answer
from tests.wasm_analyzers.test_motion import HEIGHT, WIDTH, Scene, Thing, mask_of, overlap

Gray = NDArray[np.uint8]
SECOND_US = 1_000_000


class Running(Protocol):
    def look(self, gray: Gray, media_us: int) -> Answer: ...


OpenModule = Callable[..., Running]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def check_sane(answer: Answer) -> None:
    assert answer.complete and answer.mask is not None
    for each in answer.observations:
        numbers = (each.box.x, each.box.y, each.box.w, each.box.h, each.score)
        assert all(math.isfinite(number) and 0 <= number <= 1.000001 for number in numbers)
        assert all(math.isfinite(value) for value in each.attributes.values() if not isinstance(value, str))
    assert all(math.isfinite(score.value) for score in answer.scores)


@pytest.mark.parametrize("levels", [(0,), (255,), (128,), (0, 255), (128, 0, 128), (10, 14)])
def test_frames_of_one_colour_are_no_motion(open_module: OpenModule, levels: tuple[int, ...]) -> None:
    running = open_module("motion", (WIDTH, HEIGHT))
    for i in range(40 * len(levels)):
        answer = running.look(np.full((HEIGHT, WIDTH), levels[i // 40], np.uint8), i * SECOND_US // 5)
        check_sane(answer)
        assert {each.kind for each in answer.observations} <= {"motion"}
        if i < 40:
            assert answer.observations == ()


@pytest.mark.parametrize("size", [(16, 16), (17, 3), (1, 1)])
def test_a_view_of_a_few_pixels_is_looked_at(open_module: OpenModule, size: tuple[int, int]) -> None:
    running = open_module("motion", size)
    noise = np.random.default_rng(4)
    for i in range(80):
        high = 110 if i < 40 else 256
        check_sane(running.look(noise.integers(100 if i < 40 else 0, high, size[::-1], dtype=np.uint8), i * 200_000))


def test_a_single_frame_is_hidden_whole_and_has_no_foreground(open_module: OpenModule, scene: Scene) -> None:
    answer = open_module("motion", (WIDTH, HEIGHT)).look(scene.draw(Thing(40, 40)), 0)
    check_sane(answer)
    assert answer.observations == ()
    assert answer.mask is not None and answer.mask.pixels.all() and not answer.mask.foreground.any()


def test_at_one_frame_a_second_who_crosses_is_found(open_module: OpenModule, scene: Scene) -> None:
    running = open_module("motion", (WIDTH, HEIGHT))
    for i in range(25):
        running.look(scene.draw(), i * SECOND_US)
    found = 0
    for i in range(8):
        thing = Thing(10 + 12 * i, 40)
        answer = running.look(scene.draw(thing), (25 + i) * SECOND_US)
        check_sane(answer)
        found += any(overlap(each.box, thing.box) > 0.6 for each in answer.observations)
    assert found >= 6


def test_a_scene_that_is_busy_from_the_first_frame_is_learned_behind_the_walkers(
    open_module: OpenModule, scene: Scene
) -> None:
    running = open_module("motion", (WIDTH, HEIGHT))

    def walkers(i: int) -> list[Thing]:
        return [Thing((8 * i) % 176 - 16, 20, seed=i // 25), Thing(158 - (6 * i) % 174, 70, seed=50 + i // 30)]

    for i in range(160):
        answer = running.look(scene.draw(*walkers(i)), i * SECOND_US // 5)
        check_sane(answer)
        if i < 60:
            continue
        assert len(answer.observations) <= 4
        for thing in walkers(i):
            if 10 < thing.x < WIDTH - 30:
                assert mask_of(answer)[thing.rows, thing.columns].mean() > 0.9
    assert not any(each.kind == "still" for each in answer.observations)


def test_a_camera_that_was_turned_learns_the_new_view_and_is_quiet_again(open_module: OpenModule) -> None:
    running = open_module("motion", (WIDTH, HEIGHT))
    noise = np.random.default_rng(6)
    there = np.kron(noise.integers(60, 200, (HEIGHT // 6, WIDTH // 4 + 1)), np.ones((6, 4)))[:HEIGHT, :WIDTH]
    elsewhere = np.kron(noise.integers(60, 200, (HEIGHT // 6, WIDTH // 4 + 1)), np.ones((6, 4)))[:HEIGHT, :WIDTH]
    answers = []
    for i in range(200):
        wall = there if i < 40 else elsewhere
        picture = np.clip(wall + noise.normal(0, 2, wall.shape), 0, 255).astype(np.uint8)
        answers.append(running.look(picture, i * SECOND_US // 5))
        check_sane(answers[-1])
    assert mask_of(answers[41]).mean() > 0.9
    assert not any(each.kind == "still" for answer in answers for each in answer.observations)
    assert all(answer.observations == () for answer in answers[-40:])
    assert mask_of(answers[-1]).mean() < 0.05


@pytest.mark.parametrize("word", ["tigth", "t", "covers", "Cover", "a word longer than any mask"])
def test_a_mask_of_another_word_is_refused(open_module: OpenModule, word: str) -> None:
    with pytest.raises(ModuleError) as caught:
        open_module("motion", (WIDTH, HEIGHT), mask=word)
    assert "neither cover nor tight" in (caught.value.hint or "")


@pytest.mark.parametrize("word", ["tight", "cover"])
def test_either_mask_is_taken(open_module: OpenModule, scene: Scene, word: str) -> None:
    assert open_module("motion", (WIDTH, HEIGHT), mask=word).look(scene.draw(), 0).complete
