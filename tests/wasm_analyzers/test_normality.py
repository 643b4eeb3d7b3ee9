"""`normality` in the real sandbox: a drawn street whose truth is known, learned in simulated time; then bad input."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.errors import ModuleError
from camera_edge.frames import Ring, View
from camera_edge.observation import Observation
from camera_edge.picture import Picture
from camera_edge.sandbox import Analyzer, Answer, Cache, Grants, RingMap, Runtime, Services, shipped

Gray = NDArray[np.uint8]
WIDTH, HEIGHT = 160, 120
STEP_US = 200_000
SECOND_US = 1_000_000
# media seconds in which the module learns in these tests, and frames in them
LEARN_S = 100
LEARN_FRAMES = LEARN_S * SECOND_US // STEP_US
HEAD = struct.Struct("<8sIIQHHHHI")
STAGE, SEALED = 6, 7


@dataclass(frozen=True, slots=True)
class Walker:
    """Somebody with a head, a body and two legs. Feet at (x, y), `height` in pixels, speed in pixels a second."""

    x: float
    y: float = 90.0
    height: float = 30.0
    speed: float = 12.0
    gray: int = 50
    phase: float = 0.0

    def at(self, seconds: float) -> Walker:
        """Somewhere along the street, around again at its end."""
        travelled = (self.x + self.speed * seconds) % (WIDTH + 40) - 20
        return replace(self, x=travelled, phase=self.phase + seconds)


@dataclass(frozen=True, slots=True)
class Cart:
    """A large box on wheels, as fast as those who walk."""

    x: float
    y: float = 92.0

    def draw(self, picture: Gray) -> None:
        x, y = round(self.x), round(self.y)
        cv2.rectangle(picture, (x - 24, y - 34), (x + 24, y - 5), 225, -1)
        cv2.rectangle(picture, (x - 14, y - 30), (x + 10, y - 18), 60, -1)
        for wheel in (x - 16, x + 16):
            cv2.circle(picture, (wheel, y - 5), 5, 30, -1)


class Street:
    """A wall and a pavement with texture, seen by a sensor with noise."""

    def __init__(self) -> None:
        texture = np.random.default_rng(3).integers(110, 190, (HEIGHT // 8, WIDTH // 8), np.uint8)
        self._empty = cv2.resize(texture, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        self._noise = np.random.default_rng(4)

    def picture(self, *walkers: Walker, cart: Cart | None = None, gain: float = 1.0) -> Gray:
        picture = np.array(self._empty, np.uint8)
        for each in walkers:
            _draw(picture, each)
        if cart is not None:
            cart.draw(picture)
        noisy = picture * gain + self._noise.normal(0, 1.5, picture.shape)
        return np.clip(noisy, 0, 255).astype(np.uint8)


def _draw(picture: Gray, who: Walker) -> None:
    x, y, h = who.x, who.y, who.height
    swing = 0.16 * h * math.sin(6.0 * who.phase)
    hip = (round(x), round(y - 0.45 * h))
    for foot in (x - swing, x + swing):
        cv2.line(picture, hip, (round(foot), round(y)), who.gray - 20, max(1, round(0.09 * h)))
    cv2.line(picture, hip, (round(x), round(y - 0.78 * h)), who.gray, max(2, round(0.2 * h)))
    cv2.circle(picture, (round(x), round(y - 0.91 * h)), max(1, round(0.085 * h)), who.gray + 10, -1)


PASSERS = (
    Walker(5),
    Walker(60, y=97, height=32.1, speed=14, gray=70),
    Walker(110, y=84, height=28.2, speed=10, gray=90),
)


class Camera:
    """One module over frames of one size, fed by simulated time."""

    def __init__(self, analyzer: Analyzer, ring: Ring) -> None:
        self.analyzer = analyzer
        self._ring = ring
        self._frames = 0
        self.now_us = 0

    def look(self, gray: Gray, step_us: int = STEP_US) -> Answer:
        answer = self.try_to_look(gray, step_us)
        assert answer is not None, self.analyzer.last_fault
        assert all(math.isfinite(score.value) and score.value >= 0 for score in answer.scores)
        assert [score.lag for score in answer.scores].count(0) == 1, "one score for the frame itself"
        return answer

    def try_to_look(self, gray: Gray, step_us: int = STEP_US) -> Answer | None:
        chroma = np.full(((gray.shape[0] + 1) // 2, (gray.shape[1] + 1) // 2), 128, np.uint8)
        picture = Picture(gray, chroma, chroma, lambda: np.repeat(gray[:, :, np.newaxis], 3, axis=2))
        slot = self._ring.write(picture, sequence=self._frames, media_us=self.now_us)
        assert slot is not None
        try:
            return self.analyzer.analyze(slot.offset, slot.sequence, self.now_us)
        finally:
            self._ring.release(slot)
            self._frames += 1
            self.now_us += step_us

    def watch(
        self, frames: int, street: Street, *who: Walker, cart: Callable[[float], Cart] | None = None
    ) -> list[Answer]:
        answers = []
        for _ in range(frames):
            at_s = self.now_us / SECOND_US
            walkers = [each.at(at_s) for each in who]
            answers.append(self.look(street.picture(*walkers, cart=cart(at_s) if cart is not None else None)))
        return answers

    def close(self) -> bytes:
        """Ends the module; what its store holds then."""
        self.analyzer.close()
        return self.analyzer.state


OpenCamera = Callable[..., Camera]


@pytest.fixture
def open_camera(shipped_folder: Path, runtime: Runtime, cache: Cache) -> Iterator[OpenCamera]:
    with ExitStack() as stack:

        def start(state: bytes = b"", size: tuple[int, int] = (WIDTH, HEIGHT), **params: str | float) -> Camera:
            file = shipped("normality", shipped_folder)
            ring = stack.enter_context(Ring(View.fit(file.manifest.view.spec, *size)))
            grants = Grants(file.manifest.grant_all(params), file.manifest.with_defaults(params), state)
            program = runtime.load(file, cache)
            analyzer = Analyzer(program, grants, Services(), RingMap(ring.fd, ring.size_bytes))
            return Camera(stack.enter_context(analyzer), ring)

        yield start


@pytest.fixture(scope="module")
def usual_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the state of a camera lies that has learned the street; made by the first who asks."""
    return tmp_path_factory.mktemp("learned") / "street.state"


@pytest.fixture
def learned(usual_days: Path, open_camera: OpenCamera) -> bytes:
    if not usual_days.exists():
        camera = open_camera(learn_s=LEARN_S, occasion_s=5)
        camera.watch(LEARN_FRAMES + 5, Street(), *PASSERS)
        usual_days.write_bytes(camera.close())
    return usual_days.read_bytes()


def alarms(answers: list[Answer]) -> list[Observation]:
    return [each for answer in answers for each in answer.observations]


def causal(answers: list[Answer]) -> list[float]:
    return [score.value for answer in answers for score in answer.scores if score.lag == 0]


def test_nothing_is_reported_while_it_learns(open_camera: OpenCamera) -> None:
    camera = open_camera(learn_s=20)
    answers = camera.watch(80, Street(), *PASSERS, cart=lambda at_s: Cart(12 * at_s % WIDTH))
    assert alarms(answers) == [] and set(causal(answers)) == {0.0}


def test_usual_walkers_are_quiet_and_a_cart_at_walking_speed_is_not(learned: bytes, open_camera: OpenCamera) -> None:
    camera = open_camera(learned)
    quiet = camera.watch(60, Street(), *PASSERS)
    assert alarms(quiet) == []
    loud = camera.watch(40, Street(), *PASSERS, cart=lambda at_s: Cart(20 + 12 * (at_s % 8)))
    seen = alarms(loud)
    assert len(seen) >= 8
    assert {"unusual size", "unusual shape"} & {str(each.attributes["why"]) for each in seen}
    assert max(causal(quiet)) < 1 < max(causal(loud))


def test_a_runner_is_too_fast_and_is_found_where_he_is(learned: bytes, open_camera: OpenCamera) -> None:
    # of a hundred seconds little is known of how fast people may be: an alarm is far away, so a lower one is asked for
    usual = causal(open_camera(learned, channel="speed").watch(60, Street(), *PASSERS))
    camera = open_camera(learned, channel="speed", alarm=0.4)
    street, runner = Street(), Walker(-20, y=90, speed=60, gray=60)
    camera.watch(10, street)
    seen: list[tuple[float, Observation]] = []
    for step in range(14):
        x = 10 + 60 * step * STEP_US / SECOND_US
        answer = camera.look(street.picture(replace(runner, x=x, phase=step * 0.2)))
        seen += [(x, each) for each in answer.observations]
        assert max(usual) < 0.4
    fast = [(x, each) for x, each in seen if each.attributes["why"] == "too fast"]
    assert len(fast) >= 3
    x, best = max(fast, key=lambda pair: pair[1].score)
    assert best.box.x * WIDTH - 12 <= x <= (best.box.x + best.box.w) * WIDTH + 12
    assert {"speed", "direction", "size", "place", "shape"} <= set(best.attributes)


def test_without_motion_a_runner_is_not_too_fast(learned: bytes, open_camera: OpenCamera) -> None:
    camera = open_camera(learned, motion="off")
    street = Street()
    answers = [
        camera.look(street.picture(Walker(10 + 12 * step, speed=60, gray=60, phase=step * 0.2))) for step in range(12)
    ]
    assert "too fast" not in {each.attributes["why"] for each in alarms(answers)}


def test_the_same_frames_give_the_same_answers(learned: bytes, open_camera: OpenCamera) -> None:
    def scores() -> list[tuple[int, float]]:
        answers = open_camera(learned).watch(20, Street(), *PASSERS, cart=lambda at_s: Cart(20 + 12 * at_s))
        return [(score.lag, score.value) for answer in answers for score in answer.scores]

    assert scores() == scores()


def test_later_scores_look_back_a_second_at_most(learned: bytes, open_camera: OpenCamera) -> None:
    answers = open_camera(learned).watch(20, Street(), *PASSERS)
    lags = {score.lag for answer in answers for score in answer.scores} - {0}
    assert lags and max(lags) * STEP_US <= SECOND_US


def test_one_channel_alone_can_be_asked_for(learned: bytes, open_camera: OpenCamera) -> None:
    def best(channel: str) -> float:
        camera = open_camera(learned, channel=channel)
        return max(causal(camera.watch(30, Street(), cart=lambda at_s: Cart(20 + 12 * at_s))))

    assert best("size") > 1
    assert best("speed") < best("size")


def test_a_bad_hour_does_not_become_usual(learned: bytes, open_camera: OpenCamera) -> None:
    """An hour of carts, in simulated time, with a frame every four seconds; after it a cart is what it was before."""
    camera = open_camera(learned, learn_s=LEARN_S, occasion_s=600)
    street = Street()

    def cart(at_s: float) -> Cart:
        return Cart(20 + 12 * (at_s % 9))

    before = camera.watch(20, street, *PASSERS, cart=cart)
    for _ in range(900):
        camera.look(street.picture(cart=cart(camera.now_us / SECOND_US)), step_us=4 * SECOND_US)
    kept = camera.close()
    again = open_camera(kept).watch(20, street, *PASSERS, cart=cart)
    assert len(alarms(again)) >= 0.7 * len(alarms(before)) > 0
    assert max(causal(again)) > 0.7 * max(causal(before))


def test_what_it_learned_is_bounded_and_holds_nobody(learned: bytes, open_camera: OpenCamera) -> None:
    camera = open_camera(learned)
    camera.watch(100, Street(), *PASSERS)
    later = camera.close()
    assert len(later) == len(learned) < 700_000
    scene = np.frombuffer(later[-WIDTH * HEIGHT * 2 :], "<u2").reshape(HEIGHT, WIDTH)
    known = scene >> 15 == 1
    empty = Street().picture()
    off = np.abs((scene & 0x7FFF) / 128.0 - empty)[known]
    assert known.mean() > 0.9 and np.quantile(off, 0.999) < 12, "the walkers left no trace"


def test_a_dimmed_light_is_no_alarm(learned: bytes, open_camera: OpenCamera) -> None:
    camera = open_camera(learned)
    street = Street()
    answers = []
    for step in range(60):
        walkers = [each.at(camera.now_us / SECOND_US) for each in PASSERS]
        answers.append(camera.look(street.picture(*walkers, gain=1.0 if step < 30 else 0.8)))
    assert alarms(answers) == []


def test_a_camera_that_looks_elsewhere_says_so_and_reports_nothing(learned: bytes, open_camera: OpenCamera) -> None:
    camera = open_camera(learned, learn="off")
    elsewhere = np.random.default_rng(9).integers(60, 200, (HEIGHT // 12, WIDTH // 12), np.uint8)
    picture = cv2.resize(elsewhere, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    answers = [camera.look(np.asarray(picture, np.uint8)) for _ in range(30)]
    assert alarms(answers) == [] and set(causal(answers)) == {0.0}
    assert any("not the scene" in line.text for answer in answers for line in answer.logs)


def test_a_camera_that_was_moved_is_learned_anew(learned: bytes, open_camera: OpenCamera) -> None:
    camera = open_camera(learned, learn_s=LEARN_S)
    elsewhere = np.random.default_rng(9).integers(60, 200, (HEIGHT // 12, WIDTH // 12), np.uint8)
    picture = np.asarray(cv2.resize(elsewhere, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR), np.uint8)
    for _ in range(80):
        camera.look(picture, step_us=SECOND_US)
    head = HEAD.unpack_from(camera.close())
    assert head[STAGE] < 4, "it is learning again"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda state: b"nonsense" * 40, "no state of this analyzer"),
        (lambda state: state[:8] + b"\x63" + state[9:], "another version"),
        (lambda state: state[:2000] + bytes([state[2000] ^ 1]) + state[2001:], "damaged"),
        (lambda state: state[:-500], "damaged"),
    ],
)
def test_a_state_that_is_not_right_is_refused_with_the_reason(
    learned: bytes, open_camera: OpenCamera, spoil: Callable[[bytes], bytes], words: str
) -> None:
    with pytest.raises(ModuleError) as caught:
        open_camera(spoil(learned)).analyzer.open()
    assert words in str(caught.value) + (caught.value.hint or "")


def test_a_state_that_the_host_kept_and_is_not_right_is_forgotten(learned: bytes, open_camera: OpenCamera) -> None:
    camera = open_camera(learned[:-500], **{"camera.state": "kept"})
    assert causal(camera.watch(3, Street())) == [0.0, 0.0, 0.0]


def test_a_state_of_another_size_gives_no_answer(learned: bytes, open_camera: OpenCamera) -> None:
    camera = open_camera(learned, size=(120, 90))
    assert camera.try_to_look(np.full((90, 120), 120, np.uint8)) is None
    assert "a view of another size" in (camera.analyzer.last_fault or "")


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (WIDTH, HEIGHT), (64, 200)])
@pytest.mark.parametrize("step_us", [40_000, SECOND_US])
def test_frames_of_any_size_and_rate_are_answered(open_camera: OpenCamera, size: tuple[int, int], step_us: int) -> None:
    camera = open_camera(size=size, learn_s=2)
    width, height = size
    noise = np.random.default_rng(1)
    for gray in (0, 128, 255):
        for _ in range(8):
            camera.look(np.full((height, width), gray, np.uint8), step_us)
    for _ in range(30):
        camera.look(noise.integers(0, 256, (height, width), np.uint8), step_us)


def test_a_scene_that_is_busy_from_the_first_frame_is_learned(open_camera: OpenCamera) -> None:
    camera = open_camera(learn_s=40, occasion_s=5)
    crowd = tuple(Walker(11 * k, y=82 + 2 * (k % 9), speed=8 + k % 7, gray=40 + 9 * (k % 6)) for k in range(16))
    answers = camera.watch(260, Street(), *crowd)
    assert len(alarms(answers)) <= 3
