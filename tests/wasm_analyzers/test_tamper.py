"""`tamper` in the real sandbox, on a drawn street in which people walk, seen by a sensor with noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.sandbox import Analyzer, Answer

Gray = NDArray[np.uint8]
Pixels = NDArray[np.float64]
Draw = Callable[[float], Gray]
WIDTH, HEIGHT = 160, 120
BEFORE_S, LIMIT_S = 4.0, 3.0


class Running(Protocol):
    analyzer: Analyzer

    def look(self, gray: Gray, media_us: int) -> Answer: ...


OpenModule = Callable[..., Running]


class Street:
    """What the camera sees at a time, in seconds; `sigma` is its noise."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT, sigma: float = 1.5) -> None:
        chance = np.random.default_rng(1)
        coarse = chance.integers(60, 190, (height // 8 + 1, width // 8 + 1))
        self.wall = np.kron(coarse, np.ones((8, 8)))[:height, :width].astype(np.float64)
        self._sigma = sigma
        self._noise = np.random.default_rng(2)

    def light(self, at_s: float) -> Pixels:
        """Before the sensor."""
        picture = self.wall.copy()
        height, width = picture.shape
        for lane in range(3):
            left = int((at_s * (0.09 + 0.03 * lane) + 0.3 * lane) % 1.0 * width)
            picture[height // 4 * (lane + 1) - 20 : height // 4 * (lane + 1), left : left + 8] = 30 + 90 * lane
        return picture

    def sensed(self, light: Pixels) -> Gray:
        return np.clip(np.rint(light + self._noise.normal(0, self._sigma, light.shape)), 0, 255).astype(np.uint8)

    def at(self, at_s: float) -> Gray:
        return self.sensed(self.light(at_s))


def watch(running: Running, draw: Draw, until_s: float, hz: float = 5.0) -> list[tuple[float, str]]:
    """What was reported, and when."""
    told = []
    for number in range(round(until_s * hz)):
        answer = running.look(draw(number / hz), round(number / hz * 1e6))
        assert [score.value for score in answer.scores if not math.isfinite(score.value)] == []
        assert len(answer.scores) == 1
        told += [(number / hz, str(each.attributes["what"])) for each in answer.observations]
    return told


def from_onset(street: Street, change: Callable[[float, Gray], Gray]) -> Draw:
    return lambda at_s: street.at(at_s) if at_s < BEFORE_S else change(at_s, street.at(at_s))


def covered(at_s: float, seen: Gray) -> Gray:
    sheet = seen.copy()
    sheet[:, : round(WIDTH * 0.75)] = 90 + np.random.default_rng(round(at_s * 5)).integers(0, 4, (HEIGHT, 120))
    return sheet


def moved(at_s: float, seen: Gray) -> Gray:
    return np.ascontiguousarray(np.roll(seen, WIDTH // 4, axis=1))


def turned(at_s: float, seen: Gray) -> Gray:
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 12, 1)
    return np.asarray(cv2.warpAffine(seen, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT), np.uint8)


def defocused(at_s: float, seen: Gray) -> Gray:
    return np.asarray(cv2.GaussianBlur(seen, (0, 0), 2), np.uint8)


def blinded(at_s: float, seen: Gray) -> Gray:
    return np.clip(seen.astype(np.int32) + 190, 0, 235).astype(np.uint8)


def blackout(at_s: float, seen: Gray) -> Gray:
    return np.full_like(seen, 17)


def veiled(at_s: float, seen: Gray) -> Gray:
    return np.clip(seen.astype(np.int32) + 110, 0, 235).astype(np.uint8)


def nearly_black(at_s: float, seen: Gray) -> Gray:
    return np.rint(16 + (seen.astype(np.float64) - 16) * 0.05).astype(np.uint8)


def snow(at_s: float, seen: Gray) -> Gray:
    grain = np.random.default_rng(round(at_s * 5)).normal(0, 30, seen.shape)
    return np.clip(seen + grain, 0, 255).astype(np.uint8)


def stripes(at_s: float, seen: Gray) -> Gray:
    rows = 40 * np.sign(np.sin(np.arange(HEIGHT) / 1.6 + at_s * 7))
    return np.asarray(np.clip(seen + rows[:, np.newaxis], 0, 255), np.uint8)


def frozen_at(street: Street) -> Draw:
    still = street.at(BEFORE_S)
    return lambda at_s: street.at(at_s) if at_s < BEFORE_S else still


@pytest.mark.parametrize("hz", [5.0, 25.0])
@pytest.mark.parametrize(
    ("change", "what"),
    [
        (covered, "covered"),
        (moved, "moved"),
        (turned, "moved"),
        (defocused, "defocused"),
        (blinded, "blinded"),
        (blackout, "blackout"),
        (nearly_black, "blackout"),
        (veiled, "blinded"),
        (snow, "noise"),
        (stripes, "noise"),
    ],
)
def test_tampering_is_told_within_three_seconds_by_its_name(
    open_module: OpenModule, change: Callable[[float, Gray], Gray], what: str, hz: float
) -> None:
    told = watch(open_module("tamper", (WIDTH, HEIGHT)), from_onset(Street(), change), BEFORE_S + LIMIT_S, hz)
    assert told
    assert {name for _, name in told} == {what}
    assert BEFORE_S < told[0][0] <= BEFORE_S + LIMIT_S


@pytest.mark.parametrize("hz", [5.0, 25.0])
def test_a_picture_that_stands_still_where_there_always_was_noise_is_frozen(open_module: OpenModule, hz: float) -> None:
    told = watch(open_module("tamper", (WIDTH, HEIGHT)), frozen_at(Street()), BEFORE_S + LIMIT_S, hz)
    assert told
    assert {name for _, name in told} == {"frozen"}
    assert told[0][0] > BEFORE_S + 2


class Room:
    """At rest, on a compressed stream: a few pixels change from frame to frame, and more in every fifth frame."""

    def __init__(self) -> None:
        self._wall = Street().wall
        self._chance = np.random.default_rng(11)

    def at(self, at_s: float, alive: float = 0.02) -> Gray:
        changing = 0.3 if round(at_s * 5) % 5 == 0 else alive
        some = self._chance.random(self._wall.shape) < changing
        return np.asarray(np.rint(self._wall + some * self._chance.choice([-1, 1], some.shape)), np.uint8)

    def stopped(self, at_s: float) -> Gray:
        """The same picture over and over; an encoder still begins anew now and then."""
        if round(at_s * 5) % 5 == 0:
            return np.asarray(self._wall + (np.arange(WIDTH) % 5 == 0), np.uint8)
        return self._wall.astype(np.uint8)


def test_a_room_at_rest_without_what_always_changed_there_is_frozen(open_module: OpenModule) -> None:
    room = Room()
    draw = lambda at_s: room.at(at_s) if at_s < BEFORE_S else room.stopped(at_s)  # noqa: E731
    told = watch(open_module("tamper", (WIDTH, HEIGHT)), draw, BEFORE_S + LIMIT_S)
    assert {name for _, name in told} == {"frozen"}
    assert told[0][0] > BEFORE_S + 1.8


def test_a_room_at_rest_is_not_frozen(open_module: OpenModule) -> None:
    assert watch(open_module("tamper", (WIDTH, HEIGHT)), Room().at, 20) == []


def test_a_room_that_somebody_left_is_not_frozen(open_module: OpenModule) -> None:
    room, street = Room(), Street(sigma=0.4)

    def draw(at_s: float) -> Gray:
        return street.at(at_s) if at_s < 2.4 else room.at(at_s, alive=0.0 if round(at_s * 5) % 2 else 0.05)

    assert watch(open_module("tamper", (WIDTH, HEIGHT)), draw, 12) == []


def test_a_dark_room_that_leaves_no_noise_is_not_frozen(open_module: OpenModule) -> None:
    room = Room()
    dark = np.rint(16 + (room.stopped(0.2).astype(np.float64) - 16) * 0.3).astype(np.uint8)
    draw = lambda at_s: room.at(at_s) if at_s < BEFORE_S else dark  # noqa: E731
    assert watch(open_module("tamper", (WIDTH, HEIGHT)), draw, 12) == []


def test_a_camera_that_trembles_is_not_out_of_focus(open_module: OpenModule) -> None:
    street, chance = Street(), np.random.default_rng(3)

    def draw(at_s: float) -> Gray:
        x, y = chance.integers(-1, 2, 2)
        seen = street.at(at_s)
        return np.ascontiguousarray(np.roll(seen, (int(x), int(y)), (1, 0))) if 4 <= at_s < 8 else seen

    assert watch(open_module("tamper", (WIDTH, HEIGHT)), draw, 12) == []


def test_what_comes_after_a_second_is_told(open_module: OpenModule) -> None:
    street = Street()
    draw = lambda at_s: covered(at_s, street.at(at_s)) if at_s >= 1 else street.at(at_s)  # noqa: E731
    told = watch(open_module("tamper", (WIDTH, HEIGHT)), draw, 2.8)
    assert {name for _, name in told} == {"covered"}


def test_it_says_why_and_where(open_module: OpenModule) -> None:
    running = open_module("tamper", (WIDTH, HEIGHT))
    draw = from_onset(Street(), covered)
    answers = [running.look(draw(number / 5), number * 200_000) for number in range(34)]
    (seen,) = answers[-1].observations
    assert seen.kind == "tamper"
    assert seen.attributes == {"what": "covered", "why": "something covers the view"}
    assert seen.box.x == 0
    assert seen.box.w == pytest.approx(0.75, abs=0.1)
    assert seen.score > 0.9


def dimmed(at_s: float, light: Pixels, gain: float) -> Pixels:
    return light if at_s < BEFORE_S or at_s > BEFORE_S + 5 else 16 + (light - 16) * gain


@pytest.mark.parametrize("gain", [0.45, 0.15, 1.5])
def test_it_is_quiet_while_exposure_or_lamps_change(open_module: OpenModule, gain: float) -> None:
    street = Street()
    told = watch(
        open_module("tamper", (WIDTH, HEIGHT)), lambda at_s: street.sensed(dimmed(at_s, street.light(at_s), gain)), 14
    )
    assert told == []


def test_it_is_quiet_when_night_comes(open_module: OpenModule) -> None:
    street, grain = Street(), np.random.default_rng(5)

    def draw(at_s: float) -> Gray:
        light = street.light(at_s)
        if at_s < BEFORE_S:
            return street.sensed(light)
        infrared = 16 + 200 * np.clip((light - 16) / 219, 0, 1) ** 0.6
        return street.sensed(infrared + grain.normal(0, 5, light.shape))

    assert watch(open_module("tamper", (WIDTH, HEIGHT)), draw, 12) == []


def test_a_truck_that_passes_is_no_cover(open_module: OpenModule) -> None:
    street = Street()
    side = np.kron(np.random.default_rng(9).integers(20, 220, (14, 14)), np.ones((8, 8)))

    def draw(at_s: float) -> Gray:
        light = street.light(at_s)
        left = round((at_s - BEFORE_S) / 3 * (WIDTH + 112)) - 112
        begin, end = max(left, 0), min(left + 112, WIDTH)
        if begin < end:
            light[8:, begin:end] = side[:, begin - left : end - left]
        return street.sensed(light)

    assert watch(open_module("tamper", (WIDTH, HEIGHT)), draw, 12) == []


def test_a_pause_of_the_network_is_no_frozen_picture(open_module: OpenModule) -> None:
    street = Street()
    paused = street.at(BEFORE_S)
    draw = lambda at_s: paused if BEFORE_S <= at_s < BEFORE_S + 1.8 else street.at(at_s)  # noqa: E731
    assert watch(open_module("tamper", (WIDTH, HEIGHT)), draw, 12) == []


def test_an_empty_room_without_noise_is_not_frozen(open_module: OpenModule) -> None:
    wall = Street().wall.astype(np.uint8)
    assert watch(open_module("tamper", (WIDTH, HEIGHT)), lambda _: wall, 20) == []


def test_a_slow_encoder_that_gives_each_picture_three_times_is_not_frozen(open_module: OpenModule) -> None:
    street = Street()
    shown = [street.at(number / 5) for number in range(0, 60, 3)]
    assert watch(open_module("tamper", (WIDTH, HEIGHT)), lambda at_s: shown[round(at_s * 5) // 3], 12) == []


def test_what_ended_is_not_told_any_more(open_module: OpenModule) -> None:
    street = Street()
    draw = lambda at_s: covered(at_s, street.at(at_s)) if 4 <= at_s < 8 else street.at(at_s)  # noqa: E731
    told = watch(open_module("tamper", (WIDTH, HEIGHT)), draw, 14)
    assert told
    assert max(at_s for at_s, _ in told) < 10.5


def test_a_view_that_was_moved_is_learned_anew(open_module: OpenModule) -> None:
    told = watch(open_module("tamper", (WIDTH, HEIGHT), moved_s=3), from_onset(Street(), moved), 16)
    assert told
    assert max(at_s for at_s, _ in told) < 9.5


def test_one_frame_a_second_is_enough(open_module: OpenModule) -> None:
    told = watch(open_module("tamper", (WIDTH, HEIGHT)), from_onset(Street(), blackout), 12, hz=1.0)
    assert told
    assert told[0][0] <= BEFORE_S + LIMIT_S


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (16, 16), (320, 17), (320, 900)])
def test_odd_sizes_give_sane_answers(open_module: OpenModule, size: tuple[int, int]) -> None:
    chance = np.random.default_rng(3)
    told = watch(open_module("tamper", size), lambda _: chance.integers(90, 110, size[::-1]).astype(np.uint8), 6)
    assert told == []


def test_a_single_frame_says_nothing(open_module: OpenModule) -> None:
    answer = open_module("tamper", (WIDTH, HEIGHT)).look(Street().at(0), 0)
    assert (answer.observations, [score.value for score in answer.scores]) == ((), [0.0])


def test_a_camera_that_is_black_from_the_start_is_told(open_module: OpenModule) -> None:
    dark = np.full((HEIGHT, WIDTH), 16, np.uint8)
    told = watch(open_module("tamper", (WIDTH, HEIGHT)), lambda _: dark, 8)
    assert {name for _, name in told} == {"blackout"}


def test_a_plain_grey_picture_from_the_start_is_nothing_to_judge(open_module: OpenModule) -> None:
    grey = np.full((HEIGHT, WIDTH), 120, np.uint8)
    assert watch(open_module("tamper", (WIDTH, HEIGHT)), lambda _: grey, 20) == []
