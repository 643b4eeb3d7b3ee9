"""`objects` in the real sandbox, against decoders written here in numpy, which share nothing with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.errors import CameraEdgeError, ModuleError
from camera_edge.inference import Registry, Session, model_params
from camera_edge.observation import Box, Observation
from camera_edge.sandbox import Analyzer, Answer, Services

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]
CLASSES = ("person", "car", "chair")


class Running(Protocol):
    analyzer: Analyzer

    def look(self, gray: Gray, media_us: int) -> Answer: ...

    def try_to_look(self, gray: Gray, media_us: int) -> Answer | None: ...


OpenModule = Callable[..., Running]


@dataclass(frozen=True, slots=True)
class Net:
    """A detector's shape, as the host tells it to a guest."""

    decoder: str
    width: int
    height: int
    fit: str
    strides: tuple[int, ...]
    classes: tuple[str, ...] = CLASSES

    @property
    def params(self) -> dict[str, str | float]:
        return {
            "model": "net",
            "model.decoder": self.decoder,
            "model.width": float(self.width),
            "model.height": float(self.height),
            "model.fit": self.fit,
            "model.strides": ",".join(map(str, self.strides)),
            "model.classes": "\n".join(self.classes),
        }

    @property
    def cells(self) -> int:
        return sum((self.width // s) * (self.height // s) for s in self.strides)

    def random(self, seed: int) -> Floats:
        """Outputs with a few dozen things in them."""
        generator = np.random.default_rng(seed)
        numbers = 5 + len(self.classes)
        if self.decoder == "yolox":
            out = generator.normal(0, 0.7, (self.cells, numbers))
            out[:, 4:] = generator.random((self.cells, numbers - 4)) ** 3
            return out.astype(np.float32)
        plane = generator.normal(0, 0.7, (numbers, self.cells))
        plane[0] = generator.random(self.cells) ** 3
        plane[5:] = generator.dirichlet(np.full(len(self.classes), 0.3), self.cells).T
        return plane.astype(np.float32)


YOLOX = Net("yolox", 96, 64, "letterbox", (8, 16, 32))
FASTESTDET = Net("fastestdet", 96, 64, "stretch", (16,))
LETTERBOXED_FASTESTDET = Net("fastestdet", 96, 64, "letterbox", (16,))


@dataclass(frozen=True, slots=True)
class Found:
    name: str
    score: float
    left: float
    top: float
    right: float
    bottom: float


def decode(net: Net, out: Floats, frame: tuple[int, int]) -> list[tuple[int, float, NDArray[np.float64]]]:
    """Class, score and corners in pixels of the frame, of every cell."""
    values = out.astype(np.float64)
    corners, scores, classes = [], [], []
    if net.decoder == "yolox":
        start = 0
        for stride in net.strides:
            columns, rows = net.width // stride, net.height // stride
            part = values[start : start + rows * columns]
            start += rows * columns
            grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1).reshape(-1, 2)
            centre, size = (part[:, :2] + grid) * stride, np.exp(part[:, 2:4]) * stride
            corners.append(np.hstack([centre - size / 2, centre + size / 2]))
            scores.append(part[:, 4] * part[:, 5:].max(1))
            classes.append(part[:, 5:].argmax(1))
    else:
        columns, rows = net.width // net.strides[0], net.height // net.strides[0]
        grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1).reshape(-1, 2)
        centre = (np.tanh(values[1:3].T) + grid) / (columns, rows) * (net.width, net.height)
        size = 1 / (1 + np.exp(-values[3:5].T)) * (net.width, net.height)
        corners.append(np.hstack([centre - size / 2, centre + size / 2]))
        scores.append(values[0] ** 0.6 * values[5:].max(0) ** 0.4)
        classes.append(values[5:].argmax(0))
    scale = np.array([frame[0] / net.width, frame[1] / net.height])
    if net.fit == "letterbox":
        scale = np.full(2, max(scale))
    all_corners = np.concatenate(corners) * np.tile(scale, 2)
    return list(zip(np.concatenate(classes), np.concatenate(scores), all_corners, strict=True))


def overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return float(w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h))


def natively(net: Net, out: Floats, frame: tuple[int, int], min_score: float) -> list[Found]:
    """Decoded, suppressed by class, clipped; best first."""
    kept: list[tuple[int, float, NDArray[np.float64]]] = []
    for one in sorted(decode(net, out, frame), key=lambda one: -one[1]):
        if one[1] >= min_score and all(k[0] != one[0] or overlap(k[2], one[2]) <= 0.45 for k in kept):
            kept.append(one)
    limits = np.tile(np.asarray(frame, np.float64), 2)
    clipped = ((index, score, np.clip(corners, 0, limits)) for index, score, corners in kept)
    return [
        Found(net.classes[index], float(score), *(float(side) for side in corners))
        for index, score, corners in clipped
        if corners[2] > corners[0] and corners[3] > corners[1]
    ]


def reported(answer: Answer, frame: tuple[int, int]) -> list[Found]:
    return [
        Found(
            str(seen.attributes["class"]),
            seen.score,
            seen.box.x * frame[0],
            seen.box.y * frame[1],
            (seen.box.x + seen.box.w) * frame[0],
            (seen.box.y + seen.box.h) * frame[1],
        )
        for seen in answer.observations
    ]


def assert_same(found: list[Found], expected: list[Found], *, pixels: float, score: float) -> None:
    assert [one.name for one in found] == [one.name for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.score == pytest.approx(other.score, abs=score)
        for side in ("left", "top", "right", "bottom"):
            assert getattr(one, side) == pytest.approx(getattr(other, side), abs=pixels), side


class Detector:
    """Stands where a session stands: gives what it is told to, and remembers what it was asked."""

    def __init__(self, out: Floats) -> None:
        self.out = out
        self.asked: list[tuple[str, Box]] = []

    def infer(self, model: str, region: Box) -> Floats:
        self.asked.append((model, region))
        return self.out.ravel()


def cell(index: int, score: float, *, x: float, y: float) -> list[float]:
    """One cell of a YOLOX grid of stride 32: a thing of a class, 32 pixels wide and high, offset in strides."""
    classes = [1.0 if k == index else 0.0 for k in range(len(CLASSES))]
    return [x, y, 0.0, 0.0, score, *classes]


# below a third of any detector's sure score: what it says, as it says it
RAW = 0.1
COARSE = Net("yolox", 96, 64, "letterbox", (32,))
FRAME = (192, 128)
NOTHING = [0.0] * (5 + len(CLASSES))


def coarse(*cells: list[float]) -> Floats:
    """The six cells of COARSE: three columns, two rows."""
    return np.array([*cells, *[NOTHING] * (6 - len(cells))], np.float32)


def blank(frame: tuple[int, int]) -> Gray:
    return np.zeros(frame[::-1], np.uint8)


def hidden(answer: Answer, left: float, top: float, right: float, bottom: float) -> float:
    """How much of a part of FRAME the mask hides."""
    assert answer.mask is not None
    return float((answer.mask.pixels[round(top) : round(bottom), round(left) : round(right)] > 0).mean())


@pytest.mark.parametrize("frame", [(96, 64), (192, 108), (100, 333), (1280, 720)])
@pytest.mark.parametrize("net", [YOLOX, FASTESTDET, LETTERBOXED_FASTESTDET], ids=lambda net: f"{net.decoder}-{net.fit}")
def test_decodes_as_numpy_does(open_module: OpenModule, net: Net, frame: tuple[int, int]) -> None:
    for seed in range(3):
        out = net.random(seed)
        params = {**net.params, "min_score": 0.4}
        running = open_module("objects", frame, Services(Detector(out).infer), **params)
        expected = natively(net, out, frame, 0.4)
        assert len(expected) > 1
        assert_same(reported(running.look(blank(frame), 0), frame), expected, pixels=0.01, score=1e-5)


BUSY = [
    Net("yolox", 240, 150, "letterbox", (8, 16, 32), tuple(f"class {k}" for k in range(80))),
    Net("fastestdet", 240, 150, "stretch", (16,), tuple(f"class {k}" for k in range(80))),
    *(Net(decoder, 200, 120, "stretch", (16,), CLASSES[:k]) for decoder in ("yolox", "fastestdet") for k in (1, 2)),
    *(
        Net(decoder, 136, 72, "stretch", (8,), tuple(f"class {k}" for k in range(classes)))
        for decoder in ("yolox", "fastestdet")
        for classes in (4, 5, 21, 23)
    ),
]


@pytest.mark.parametrize("net", BUSY, ids=lambda net: f"{net.decoder}-{net.width}-{len(net.classes)}")
def test_decodes_any_number_of_cells_and_classes(open_module: OpenModule, net: Net) -> None:
    """Cells and classes are read several at a time: those that are left over count too."""
    frame, least, generator = (320, 200), 0.55, np.random.default_rng(len(net.classes))
    # a few cells that are sure of themselves among many that are not
    shape = (net.cells, 5 + len(net.classes))
    out = generator.normal(0, 0.7, shape)
    out[:, 4:] = 0.5 * generator.random((net.cells, shape[1] - 4))
    sure = np.arange(net.cells) % 5 == (net.cells - 1) % 5
    out[sure, 4] = generator.uniform(0.9, 1, sure.sum())
    out[sure, 5 + generator.integers(0, len(net.classes), sure.sum())] = generator.uniform(0.7, 1, sure.sum())
    if net.decoder == "fastestdet":
        # planes, and the object comes first
        out = np.hstack([out[:, 4:5], out[:, :4], out[:, 5:]]).T
    values = out.astype(np.float32)
    params = {**net.params, "min_score": least}
    running = open_module("objects", frame, Services(Detector(values).infer), **params)
    expected = natively(net, values, frame, least)
    assert 5 < len(expected) < 256
    assert_same(reported(running.look(blank(frame), 0), frame), expected, pixels=0.01, score=1e-5)


def test_asks_for_the_whole_frame_once(open_module: OpenModule) -> None:
    detector = Detector(coarse())
    running = open_module("objects", FRAME, Services(detector.infer), **COARSE.params)
    assert running.look(blank(FRAME), 0).observations == ()
    assert detector.asked == [("net", Box(0, 0, 1, 1))]


def test_kinds_are_persons_vehicles_and_objects_with_the_class_as_attribute(open_module: OpenModule) -> None:
    out = coarse(cell(0, 0.9, x=0.5, y=0.5), cell(1, 0.8, x=0.5, y=0.5), cell(2, 0.7, x=0.5, y=0.5))
    answer = open_module("objects", FRAME, Services(Detector(out).infer), **COARSE.params).look(blank(FRAME), 0)
    assert [(seen.kind, seen.attributes) for seen in answer.observations] == [
        ("person", {"class": "person"}),
        ("vehicle", {"class": "car"}),
        ("object", {"class": "chair"}),
    ]
    assert [score.value for score in answer.scores] == [pytest.approx(0.9)]


def test_a_class_name_with_quotes_is_still_json(open_module: OpenModule) -> None:
    name = 'a "big" \\ thing'
    net = Net("yolox", 96, 64, "letterbox", (32,), ("person", "car", name))
    out = coarse(cell(2, 0.9, x=0.5, y=0.5))
    answer = open_module("objects", FRAME, Services(Detector(out).infer), **net.params).look(blank(FRAME), 0)
    assert [seen.attributes for seen in answer.observations] == [{"class": name}]


def test_a_doubtful_person_is_hidden_but_not_reported(open_module: OpenModule) -> None:
    out = coarse(cell(0, 0.15, x=0.5, y=0.5), NOTHING, cell(2, 0.9, x=0.5, y=0.5))
    answer = open_module("objects", FRAME, Services(Detector(out).infer), **COARSE.params).look(blank(FRAME), 0)
    assert [seen.kind for seen in answer.observations] == ["object"]
    # with a tenth of its size around it; a chair is nobody
    assert hidden(answer, 0, 0, 68, 68) == 1
    assert hidden(answer, 128, 0, 192, 64) == 0


@pytest.mark.parametrize("size", [1, 2, 3, 5, 5.4, 5.8, 6.2, 7, 8, 11, 13, 16, 17, 25, 31])
def test_the_mask_hides_a_box_of_any_size_and_nothing_beside_it(open_module: OpenModule, size: float) -> None:
    """With a tenth of its size around it, to a pixel."""
    person = cell(0, 0.9, x=1.5, y=1.0)
    person[2], person[3] = float(np.log(size / 32)), float(np.log(2 * size / 32))
    out = coarse(person)
    answer = open_module("objects", FRAME, Services(Detector(out).infer), **COARSE.params).look(blank(FRAME), 0)
    assert answer.mask is not None
    # the frame is twice as wide as the model's input
    half_w, half_h = 1.2 * size, 2.4 * size
    rows, columns = np.nonzero(answer.mask.pixels)
    found = (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1)
    assert found == pytest.approx((96 - half_w, 96 + half_w, max(0, 64 - half_h), min(128, 64 + half_h)), abs=1)
    assert answer.mask.pixels[found[2] : found[3], found[0] : found[1]].all()


def test_one_that_is_gone_takes_the_number_of_none_that_stays(open_module: OpenModule) -> None:
    """It lies near two others, and may have neither of their boxes."""
    first, second, gone = cell(0, 0.9, x=0.5, y=0.5), cell(0, 0.8, x=0.125, y=0.5), cell(0, 0.7, x=0.8125, y=0.0625)
    detector = Detector(coarse(first, second, NOTHING, gone))
    running = open_module("objects", FRAME, Services(detector.infer), **COARSE.params)
    assert [seen.track for seen in running.look(blank(FRAME), 0).observations] == [-1, -1, -1]
    assert [seen.track for seen in running.look(blank(FRAME), 200_000).observations] == [0, 1, 2]
    detector.out = coarse(first, second)
    answer = running.look(blank(FRAME), 400_000)
    assert [seen.track for seen in answer.observations if "predicted" not in seen.attributes] == [0, 1]
    # the third is still hidden, where it was
    assert hidden(answer, 22, 38, 82, 98) == 1


def test_each_of_a_crowd_keeps_its_number(open_module: OpenModule) -> None:
    """A dozen people who walk side by side, best first in another order each time."""
    net = Net("yolox", 192, 64, "letterbox", (16,))
    detector = Detector(np.zeros((48, 5 + len(CLASSES)), np.float32))
    running = open_module("objects", (384, 128), Services(detector.infer), **net.params)
    generator = np.random.default_rng(2)
    numbers = []
    for i in range(8):
        out = np.zeros((48, 5 + len(CLASSES)), np.float32)
        for column in range(12):
            out[12 + column] = [0.5 + 0.1 * i, 0.5, -0.3, 0.5, generator.uniform(0.7, 0.99), 1, 0, 0]
        detector.out = out
        answer = running.look(blank((384, 128)), i * 200_000)
        numbers.append([seen.track for seen in sorted(answer.observations, key=lambda seen: seen.box.x)])
    assert numbers[0] == [-1] * 12
    assert sorted(numbers[1]) == list(range(12))
    assert numbers[1:] == [numbers[1]] * 7


def test_a_full_house_costs_a_part_of_the_budget(open_module: OpenModule) -> None:
    """More candidates than there is room for, none of which hides another."""
    net = Net("yolox", 640, 640, "letterbox", (8,))
    out = np.zeros((net.cells, 5 + len(CLASSES)), np.float32)
    out[:, 2:4] = -3
    out[:, 4] = 0.9
    out[np.arange(net.cells), 5 + np.arange(net.cells) % 3] = np.linspace(0.5, 1, net.cells)
    square = (320, 320)
    answer = open_module("objects", square, Services(Detector(out).infer), **net.params).look(blank(square), 0)
    assert len(answer.observations) == 256
    assert 0 < answer.fuel < 70_000_000


def test_nothing_below_hide_score_is_hidden(open_module: OpenModule) -> None:
    out = coarse(cell(0, 0.15, x=0.5, y=0.5))
    params = {**COARSE.params, "hide_score": 0.2}
    answer = open_module("objects", FRAME, Services(Detector(out).infer), **params).look(blank(FRAME), 0)
    assert hidden(answer, 0, 0, *FRAME) == 0


def test_a_number_stays_over_an_occlusion_and_so_does_the_mask(open_module: OpenModule) -> None:
    detector = Detector(coarse())
    running = open_module("objects", FRAME, Services(detector.infer), **COARSE.params)
    tracks = []
    for i in range(12):
        there = i not in (6, 7, 8)
        detector.out = coarse(cell(0, 0.9, x=0.5 + 0.1 * i, y=0.5)) if there else coarse()
        answer = running.look(blank(FRAME), i * 200_000)
        tracks.append([(seen.track, "predicted" in seen.attributes) for seen in answer.observations])
        # predicted where it is not seen
        left = 6.4 * i
        assert hidden(answer, left + 2, 2, left + 60, 60) == 1
    # its number comes with the second sighting; for a fifth of a second it is said where it should be
    assert tracks == [[(-1, False)], *[[(0, False)]] * 5, [(0, True)], [], [], *[[(0, False)]] * 3]


def test_a_vehicle_keeps_its_number_when_its_class_changes(open_module: OpenModule) -> None:
    net = Net("yolox", 96, 64, "letterbox", (32,), ("person", "car", "truck"))
    detector = Detector(coarse())
    running = open_module("objects", FRAME, Services(detector.infer), **net.params)
    seen: list[Observation] = []
    for i in range(4):
        detector.out = coarse(cell(1 + i % 2, 0.9, x=0.5, y=0.5))
        seen.extend(running.look(blank(FRAME), i * 200_000).observations)
    assert [one.track for one in seen] == [-1, 0, 0, 0]
    assert [one.attributes["class"] for one in seen] == ["car", "truck", "car", "truck"]


def test_two_side_by_side_keep_their_numbers(open_module: OpenModule) -> None:
    detector = Detector(coarse())
    running = open_module("objects", FRAME, Services(detector.infer), **COARSE.params)
    for i in range(5):
        scores = (0.9, 0.8) if i % 2 else (0.8, 0.9)
        detector.out = coarse(cell(0, scores[0], x=0.5, y=0.5), cell(0, scores[1], x=0.6, y=0.5))
        answer = running.look(blank(FRAME), i * 200_000)
        by_place = sorted(answer.observations, key=lambda seen: seen.box.x)
        assert answer.observations[0].score > answer.observations[1].score
        if i == 1:
            first = [seen.track for seen in by_place]
            assert sorted(first) == [0, 1]
        assert [seen.track for seen in by_place] == (first if i else [-1, -1])


def test_without_a_model_it_says_what_to_do(open_module: OpenModule) -> None:
    with pytest.raises(ModuleError, match="name the model by the parameter `model`"):
        open_module("objects", FRAME, Services(Detector(coarse()).infer))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model.decoder": "none"}, "needs yolox, fastestdet"),
        ({"model.decoder": "yolov8", "model.outputs": "1x6x84"}, "another shape"),
        ({"model.decoder": "yolov5", "model.outputs": ""}, "another shape"),
        ({"model.decoder": "yolov10", "model.outputs": "300x6"}, "another shape"),
        ({"model.classes": ""}, "lacks"),
        ({"model.strides": ""}, "lacks"),
        ({"model.width": 0.0}, "lacks"),
    ],
)
def test_a_model_that_is_no_detector_is_refused(
    open_module: OpenModule, change: dict[str, str | float], words: str
) -> None:
    with pytest.raises(ModuleError, match=words):
        open_module("objects", FRAME, Services(Detector(coarse()).infer), **{**COARSE.params, **change})


def test_outputs_of_another_shape_give_no_answer(open_module: OpenModule) -> None:
    detector = Detector(coarse()[:5])
    running = open_module("objects", FRAME, Services(detector.infer), **COARSE.params)
    assert running.try_to_look(blank(FRAME), 0) is None


def test_a_model_that_fails_gives_no_answer_and_the_next_frame_has_one(open_module: OpenModule) -> None:
    detector = Detector(coarse(cell(0, 0.9, x=0.5, y=0.5)))
    failing = [True, False]

    def infer(model: str, region: Box) -> Floats:
        if failing.pop(0):
            raise CameraEdgeError("out of order")
        return detector.infer(model, region)

    running = open_module("objects", FRAME, Services(infer), **COARSE.params)
    assert running.try_to_look(blank(FRAME), 0) is None
    assert len(running.look(blank(FRAME), 200_000).observations) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, -1])
def test_an_output_that_is_no_number_is_a_fault_and_not_nothing(
    open_module: OpenModule, bad: float, place: int
) -> None:
    detector = Detector(coarse(cell(0, 0.9, x=0.5, y=0.5)))
    detector.out.reshape(-1)[place] = bad
    running = open_module("objects", FRAME, Services(detector.infer), **COARSE.params)
    assert running.try_to_look(blank(FRAME), 0) is None
    detector.out = coarse(cell(0, 0.9, x=0.5, y=0.5))
    answer = running.look(blank(FRAME), 200_000)
    assert len(answer.observations) == 1
    assert "infinite or none" in answer.logs[0].text


def test_more_than_it_can_hold_hides_everything(open_module: OpenModule) -> None:
    net = Net("yolox", 640, 640, "letterbox", (8,))
    out = np.zeros((net.cells, 5 + len(CLASSES)), np.float32)
    out[:, 2:4] = -1
    out[:, 4:6] = 0.9
    answer = open_module("objects", FRAME, Services(Detector(out).infer), **net.params).look(blank(FRAME), 0)
    assert hidden(answer, 0, 0, *FRAME) == 1
    assert len(answer.observations) <= 256


@dataclass(frozen=True, slots=True)
class Public:
    """A detector whose weights are among the shared data."""

    name: str
    file: str
    net: Net


PUBLIC = [
    Public("yolox_nano", "yolox_nano/yolox_nano.onnx", Net("yolox", 416, 416, "letterbox", (8, 16, 32))),
    Public("fastestdet", "fastestdet/FastestDet.onnx", Net("fastestdet", 352, 352, "stretch", (16,))),
]


@pytest.fixture
def onnx(models: Path, request: pytest.FixtureRequest) -> tuple[Public, Path]:
    public: Public = request.param
    return public, models / public.file


@pytest.mark.parametrize("onnx", PUBLIC, indirect=True, ids=lambda public: public.name)
@pytest.mark.parametrize("recording", ["opencv_vtest/vtest.mp4", "intel_sample_videos/one-by-one-person-detection.mp4"])
def test_gives_what_the_model_gives_natively(
    open_module: OpenModule, onnx: tuple[Public, Path], recordings: Path, tmp_path: Path, recording: str
) -> None:
    """Read, fitted, run and decoded without camera-edge: within half a pixel and a thousandth of the score."""
    onnxruntime = pytest.importorskip("onnxruntime")
    public, file = onnx
    model = Registry(tmp_path).add(file, public.name)
    names = (file.parents[1] / "coco80.names").read_text().split("\n")[:80]
    net = replace(public.net, classes=tuple(names))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    native = onnxruntime.InferenceSession(str(file), options)
    session = Session(model)
    capture = cv2.VideoCapture(str(recordings / recording))
    bgr: NDArray[np.uint8]

    def infer(_: str, region: Box) -> Floats:
        return session.infer(bgr, region)

    size = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    params = {"model": public.name, **model_params(model), "min_score": RAW}
    running = open_module("objects", size, Services(infer), **params)
    compared = 0
    for number in range(0, 700, 70):
        capture.set(cv2.CAP_PROP_POS_FRAMES, number)
        there, read = capture.read()
        assert there
        bgr = np.asarray(read, np.uint8)
        out = native.run(None, {native.get_inputs()[0].name: fitted(bgr, net)})[0][0]
        expected = natively(net, out.reshape(out.shape[0], -1), size, RAW)
        answer = running.look(np.zeros(size[::-1], np.uint8), number * 100_000)
        assert_same(reported(answer, size), expected, pixels=0.5, score=1e-3)
        compared += len(expected)
    assert compared >= 5


def fitted(bgr: NDArray[np.uint8], net: Net) -> Floats:
    if net.fit == "stretch":
        resized = np.asarray(cv2.resize(bgr, (net.width, net.height), interpolation=cv2.INTER_LINEAR))
        return (resized.transpose(2, 0, 1)[np.newaxis] / 255).astype(np.float32)
    height, width = bgr.shape[:2]
    ratio = min(net.width / width, net.height / height)
    resized = np.asarray(cv2.resize(bgr, (int(width * ratio), int(height * ratio)), interpolation=cv2.INTER_LINEAR))
    padded = np.full((net.height, net.width, 3), 114, np.uint8)
    padded[: resized.shape[0], : resized.shape[1]] = resized
    return padded.transpose(2, 0, 1)[np.newaxis].astype(np.float32)
