"""`motion` in the real sandbox: drawn scenes in which the truth is known, then recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.observation import Box, Observation
from camera_edge.sandbox import Analyzer, Answer

Gray = NDArray[np.uint8]


class Running(Protocol):
    analyzer: Analyzer

    def look(self, gray: Gray, media_us: int) -> Answer: ...

    def try_to_look(self, gray: Gray, media_us: int) -> Answer | None: ...


OpenModule = Callable[..., Running]
WIDTH, HEIGHT = 160, 120
STEP_US = 200_000
LEARNING = 20


@dataclass(frozen=True, slots=True)
class Thing:
    """A textured rectangle, in pixels."""

    x: int
    y: int
    w: int = 18
    h: int = 36
    seed: int = 7

    @property
    def rows(self) -> slice:
        return slice(max(self.y, 0), self.y + self.h)

    @property
    def columns(self) -> slice:
        return slice(max(self.x, 0), self.x + self.w)

    @property
    def box(self) -> Box:
        return Box(self.x / WIDTH, self.y / HEIGHT, self.w / WIDTH, self.h / HEIGHT)


class Scene:
    """A wall with texture, seen by a sensor with noise."""

    def __init__(self, darkest: int = 90, lightest: int = 170) -> None:
        self._noise = np.random.default_rng(2)
        coarse = np.random.default_rng(1).integers(darkest, lightest, (HEIGHT // 8 + 1, WIDTH // 8 + 1))
        self.wall = np.kron(coarse, np.ones((8, 8)))[:HEIGHT, :WIDTH].astype(np.float64)

    def draw(self, *things: Thing, light: float | NDArray[np.float64] = 1.0) -> Gray:
        picture = self.wall.copy()
        for thing in things:
            texture = np.random.default_rng(thing.seed).integers(10, 60, (thing.h, thing.w))
            top, left = max(-thing.y, 0), max(-thing.x, 0)
            patch = picture[thing.rows, thing.columns]
            patch[:] = texture[top : top + patch.shape[0], left : left + patch.shape[1]]
        picture = picture * light + self._noise.normal(0, 2, picture.shape)
        return np.clip(np.round(picture), 0, 255).astype(np.uint8)


class Watch:
    """A running `motion`, and a clock that goes on by one analysed frame."""

    def __init__(self, look: Callable[[Gray, int], Answer]) -> None:
        self._look = look
        self.now_us = 0

    def see(self, gray: Gray) -> Answer:
        answer = self._look(gray, self.now_us)
        self.now_us += STEP_US
        return answer

    def for_s(self, seconds: float, draw: Callable[[int], Gray]) -> list[Answer]:
        return [self.see(draw(i)) for i in range(round(seconds * 1e6 / STEP_US))]


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def watch(open_module: OpenModule) -> Watch:
    return Watch(open_module("motion", (WIDTH, HEIGHT)).look)


@pytest.fixture
def settled(watch: Watch, scene: Scene) -> Watch:
    """`motion` that knows the empty scene."""
    for _ in range(LEARNING + 5):
        watch.see(scene.draw())
    return watch


def mask_of(answer: Answer) -> NDArray[np.bool_]:
    assert answer.mask is not None
    return answer.mask.pixels > 0


def hidden(answer: Answer, thing: Thing) -> float:
    return float(mask_of(answer)[thing.rows, thing.columns].mean())


def overlap(a: Box, b: Box) -> float:
    w = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    h = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    return max(w, 0) * max(h, 0) / (a.w * a.h + b.w * b.h - max(w, 0) * max(h, 0))


def only(answer: Answer) -> Observation:
    (observation,) = answer.observations
    return observation


def changes_of(answer: Answer) -> set[object]:
    """How the places changed that are reported; fails where something moves."""
    assert all(observation.kind == "still" for observation in answer.observations)
    return {observation.attributes["change"] for observation in answer.observations}


def test_everything_is_hidden_and_nothing_reported_until_the_scene_is_known(watch: Watch, scene: Scene) -> None:
    for i in range(LEARNING):
        answer = watch.see(scene.draw(Thing(10 + 5 * i, 40)))
        assert mask_of(answer).all() and answer.observations == ()


def test_an_empty_scene_stays_open_and_quiet(settled: Watch, scene: Scene) -> None:
    for answer in settled.for_s(10, lambda _: scene.draw()):
        assert answer.observations == ()
        assert mask_of(answer).mean() < 0.01


def test_a_walker_is_one_thing_with_one_number(settled: Watch, scene: Scene) -> None:
    seen = []
    for i in range(20):
        thing = Thing(10 + 6 * i, 40)
        answer = settled.see(scene.draw(thing))
        if i >= 2:
            seen.append((only(answer), thing))
    assert {observation.track for observation, _ in seen} == {0}
    for observation, thing in seen:
        assert observation.kind == "motion" and 0.4 <= observation.score <= 1
        assert overlap(observation.box, thing.box) > 0.7
    ages = [observation.attributes["age_s"] for observation, _ in seen]
    assert ages == sorted(ages) and ages[-1] == pytest.approx(19 * 0.2)


def test_the_mask_covers_a_walker_from_the_first_frame(settled: Watch, scene: Scene) -> None:
    for i in range(20):
        thing = Thing(10 + 6 * i, 40)
        assert hidden(settled.see(scene.draw(thing)), thing) > 0.97


def test_two_who_meet_and_part_keep_their_numbers_apart(settled: Watch, scene: Scene) -> None:
    first = [settled.see(scene.draw(Thing(10 + 4 * i, 20), Thing(130 - 4 * i, 70))) for i in range(10)][-1]
    assert len({observation.track for observation in first.observations}) == 2
    last = [settled.see(scene.draw(Thing(50 + 4 * i, 20), Thing(90 - 4 * i, 70))) for i in range(15)][-1]
    upper, lower = sorted(first.observations, key=lambda seen: seen.box.y)
    upper_now, lower_now = sorted(last.observations, key=lambda seen: seen.box.y)
    assert (upper_now.track, lower_now.track) == (upper.track, lower.track)


def test_a_number_survives_half_a_second_out_of_sight(settled: Watch, scene: Scene) -> None:
    before = [settled.see(scene.draw(Thing(10 + 5 * i, 40))) for i in range(8)][-1]
    settled.see(scene.draw())
    settled.see(scene.draw())
    after = [settled.see(scene.draw(Thing(10 + 5 * i, 40))) for i in (10, 11)][-1]
    assert only(after).track == only(before).track


def test_who_stops_stays_hidden_and_reported_for_a_minute(settled: Watch, scene: Scene) -> None:
    for i in range(10):
        settled.see(scene.draw(Thing(10 + 6 * i, 40)))
    thing = Thing(64, 40)
    for answer in settled.for_s(60, lambda _: scene.draw(thing)):
        assert hidden(answer, thing) > 0.97
        assert overlap(only(answer).box, thing.box) > 0.7


def test_what_stands_for_long_becomes_scenery_and_the_old_scene_is_not_forgotten(settled: Watch, scene: Scene) -> None:
    parked = Thing(60, 40)
    settled.for_s(110, lambda _: scene.draw(parked))
    assert settled.see(scene.draw(parked)).observations == ()
    # it drives off: what was behind it is known still, and nothing moves there
    for answer in settled.for_s(3, lambda _: scene.draw()):
        assert all(changes_of(answer) == {"removed"} for _ in answer.observations)


def test_what_leaves_after_the_scene_was_learned_with_it_leaves_no_ghost(watch: Watch, scene: Scene) -> None:
    thing = Thing(60, 40)
    for _ in range(LEARNING + 5):
        watch.see(scene.draw(thing))
    gone = watch.for_s(8, lambda _: scene.draw())
    assert any(answer.observations for answer in gone[:10])
    for answer in gone[-10:]:
        assert changes_of(answer) == {"removed"}
    for answer in watch.for_s(20, lambda _: scene.draw())[-10:]:
        assert answer.observations == ()


def test_who_stands_and_sways_from_the_start_stays_hidden(watch: Watch, scene: Scene) -> None:
    def swaying(i: int) -> Thing:
        return Thing(60 + (i // 3) % 3, 40)

    for i in range(LEARNING):
        watch.see(scene.draw(swaying(i)))
    for i in range(100):
        thing = swaying(i)
        assert hidden(watch.see(scene.draw(thing)), thing) > 0.9


def test_a_shadow_is_hidden_but_not_part_of_the_box(watch: Watch) -> None:
    scene = Scene(darkest=120, lightest=150)
    watch.for_s(5, lambda _: scene.draw())
    for i in range(12):
        thing = Thing(30 + 5 * i, 30)
        shade = np.ones((HEIGHT, WIDTH))
        shade[thing.y + thing.h - 14 : thing.y + thing.h, thing.x + thing.w : thing.x + thing.w + 24] = 0.7
        # it fades out at its rim
        shade = np.asarray(cv2.blur(shade, (5, 5)), np.float64)
        answer = watch.see(scene.draw(thing, light=shade))
        if i >= 2:
            assert overlap(only(answer).box, thing.box) > 0.6
            shadow = mask_of(answer)[thing.y + thing.h - 10 : thing.y + thing.h - 2, thing.x + thing.w + 2 :][:, :18]
            assert shadow.mean() > 0.9


@pytest.mark.parametrize("gain", [0.5, 0.7, 1.3])
def test_a_change_of_exposure_is_no_motion(settled: Watch, scene: Scene, gain: float) -> None:
    for answer in settled.for_s(3, lambda _: scene.draw(light=gain)):
        assert answer.observations == ()
        assert mask_of(answer).mean() < 0.05


def test_a_walker_is_found_while_the_exposure_changes(settled: Watch, scene: Scene) -> None:
    for i in range(10):
        thing = Thing(10 + 6 * i, 40)
        answer = settled.see(scene.draw(thing, light=1 - 0.05 * i))
        assert hidden(answer, thing) > 0.9
    assert overlap(only(answer).box, thing.box) > 0.6


def test_a_switched_light_hides_all_and_reports_nothing_until_the_scene_is_known_again(
    settled: Watch, scene: Scene
) -> None:
    lamp = np.linspace(0.4, 1.7, WIDTH)[np.newaxis, :] * np.ones((HEIGHT, 1))
    answers = settled.for_s(10, lambda _: scene.draw(light=lamp))
    assert all(answer.observations == () for answer in answers)
    assert all(mask_of(answer).all() for answer in answers[:LEARNING])
    assert mask_of(answers[-1]).mean() < 0.05


def test_what_sways_in_the_wind_is_not_reported_for_long(watch: Watch, scene: Scene) -> None:
    wind = np.random.default_rng(5)

    def branches(_: int) -> Gray:
        return scene.draw(*(Thing(x + int(wind.integers(-reach, reach + 1)), 20, 6, 14) for x in (30, 60, 90, 120)))

    reach = 0
    watch.for_s(5, branches)
    # the wind rises
    reach = 3
    answers = watch.for_s(60, branches)
    assert sum(len(answer.observations) for answer in answers[-100:]) < 20


def test_what_is_small_is_hidden_but_not_reported(settled: Watch, scene: Scene) -> None:
    for i in range(10):
        thing = Thing(20 + 4 * i, 40, 3, 3)
        answer = settled.see(scene.draw(thing))
        assert answer.observations == ()
        assert hidden(answer, thing) == 1


def test_a_view_full_of_pieces_is_hidden_whole(settled: Watch, scene: Scene) -> None:
    pieces = [Thing(x, y, 4, 4) for x in range(2, WIDTH - 6, 13) for y in range(2, HEIGHT - 6, 13)]
    answer = settled.see(scene.draw(*pieces))
    for piece in pieces:
        assert hidden(answer, piece) == 1


def test_the_same_frames_give_the_same_answers(open_module: OpenModule) -> None:
    scene = Scene()
    frames = [scene.draw(Thing(10 + 3 * i, 40)) for i in range(60)]

    def answers() -> Iterator[tuple[tuple[Observation, ...], bytes, int]]:
        running = Watch(open_module("motion", (WIDTH, HEIGHT)).look)
        for frame in frames:
            answer = running.see(frame)
            yield answer.observations, mask_of(answer).tobytes(), answer.fuel

    assert list(answers()) == list(answers())


@pytest.mark.parametrize("size", [(161, 121), (1, 1), (2, 90), (320, 1), (33, 700), (320, 320)])
def test_any_size_of_view_is_looked_at(open_module: OpenModule, size: tuple[int, int]) -> None:
    running = Watch(open_module("motion", size).look)
    noise = np.random.default_rng(3)
    for _ in range(LEARNING):
        running.see(noise.integers(100, 110, size[::-1], dtype=np.uint8))
    for _ in range(20):
        answer = running.see(noise.integers(0, 256, size[::-1], dtype=np.uint8))
        assert mask_of(answer).shape == size[::-1]
        assert answer.fuel < 100_000_000


def test_a_view_too_large_for_its_memory_is_refused_with_a_reason(open_module: OpenModule) -> None:
    running = open_module("motion", (320, 6000))
    assert running.try_to_look(np.zeros((6000, 320), np.uint8), 0) is None
    assert running.analyzer.last_fault is not None and "analyze returned -1" in running.analyzer.last_fault
