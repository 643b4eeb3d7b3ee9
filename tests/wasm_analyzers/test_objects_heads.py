"""Heads of detectors, from an ONNX file and its contract to boxes in the frame; all numbers are known by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.errors import ModelError
from camera_edge.inference import Contract, Output, PictureInput, Registry, Session, model_params
from camera_edge.observation import Box
from camera_edge.sandbox import Analyzer, Answer, Services
from tests.onnx_bytes import constant

Floats = NDArray[np.float32]
Fit = Literal["letterbox", "letterbox_centre", "stretch"]
Decoder = Literal["yolov5", "yolov8", "yolov10"]
CLASSES = ("person", "truck", "chair")
FRAME = (192, 96)
WIDTH, HEIGHT = 96, 64


class Running(Protocol):
    analyzer: Analyzer

    def look(self, gray: NDArray[np.uint8], media_us: int) -> Answer: ...


OpenModule = Callable[..., Running]

# by its centre and size in pixels of the input; the same place seen twice, with a lower score; another thing
THINGS = (
    (48.0, 32.0, 16.0, 24.0, 0.9, 1),
    (48.5, 32.0, 16.0, 24.0, 0.7, 1),
    (20.0, 20.0, 8.0, 8.0, 0.6, 0),
    (80.0, 50.0, 8.0, 8.0, 0.2, 2),
)
# what `fit` makes of the first thing: a letterbox shows the frame at half its size, in the middle with 8 rows above it
PLACES: dict[Fit, tuple[float, float, float, float]] = {
    "letterbox": (80, 40, 32, 48),
    "letterbox_centre": (80, 24, 32, 48),
    "stretch": (80, 30, 32, 36),
}


def head(decoder: Decoder, things: int = 9) -> Floats:
    """The output of a model that proposes so many things, most of them nothing."""
    rows = np.zeros((things, 5 + len(CLASSES)), np.float32)
    for place, (x, y, w, h, score, index) in enumerate(THINGS):
        rows[2 * place, :4] = x, y, w, h
        # the object's score is a square root, and so is the class's
        rows[2 * place, 4] = rows[2 * place, 5 + index] = np.sqrt(score)
    if decoder == "yolov5":
        return rows[np.newaxis]
    if decoder == "yolov8":
        return np.ascontiguousarray(np.hstack([rows[:, :4], rows[:, 5:] ** 2]).T[np.newaxis])
    corners = np.hstack([rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2])
    return np.hstack([corners, rows[:, 4:5] ** 2, rows[:, 5:].argmax(1)[:, np.newaxis]])[np.newaxis].astype(np.float32)


def contract(decoder: Decoder, fit: Fit, classes: tuple[str, ...] = CLASSES) -> Contract:
    picture = PictureInput(name="picture", width=WIDTH, height=HEIGHT, channels="rgb", fit=fit)
    return Contract(contract=1, input=picture, output=Output(decoder=decoder, classes=classes, sure_score=0.4))


def added(folder: Path, numbers: Floats, contract: Contract) -> Session:
    file = folder / "net.onnx"
    file.write_bytes(constant((1, 3, HEIGHT, WIDTH), numbers))
    return Session(Registry(folder / "models").add(file, "net", contract))


def opened(open_module: OpenModule, session: Session, size: tuple[int, int] = FRAME) -> Running:
    bgr = np.zeros((size[1], size[0], 3), np.uint8)

    def infer(_: str, region: Box) -> Floats:
        return session.infer(bgr, region)

    return open_module("objects", size, Services(infer), model="net", **model_params(session.model))


@pytest.mark.parametrize("fit", PLACES)
@pytest.mark.parametrize("decoder", ["yolov5", "yolov8", "yolov10"])
@pytest.mark.parametrize("things", [8, 9, 13])
def test_a_head_is_read_as_its_contract_says(
    open_module: OpenModule, tmp_path: Path, decoder: Decoder, fit: Fit, things: int
) -> None:
    session = added(tmp_path, head(decoder, things), contract(decoder, fit))
    seen = opened(open_module, session).look(np.zeros(FRAME[::-1], np.uint8), 0).observations
    assert [(each.kind, each.attributes["class"]) for each in seen] == [("vehicle", "truck"), ("person", "person")]
    assert [each.score for each in seen] == pytest.approx([0.9, 0.6], abs=1e-6)
    x, y, w, h = PLACES[fit]
    box = seen[0].box
    assert (box.x * 192, box.y * 96, box.w * 192, box.h * 96) == pytest.approx((x, y, w, h), abs=1e-3)


@pytest.mark.parametrize(
    ("decoder", "other", "words"),
    [
        ("yolov5", "yolov8", r"outputs are 1x9x8, decoder 'yolov8' reads 1x7x\?"),
        ("yolov8", "yolov5", r"outputs are 1x7x9, decoder 'yolov5' reads 1x\?x8"),
        ("yolov8", "yolov10", r"reads 1x\?x6"),
    ],
)
def test_a_head_of_another_shape_is_refused_when_it_is_added(
    tmp_path: Path, decoder: Decoder, other: Decoder, words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        added(tmp_path, head(decoder), contract(other, "stretch"))


def test_a_class_that_the_contract_does_not_name_is_nothing(open_module: OpenModule, tmp_path: Path) -> None:
    session = added(tmp_path, head("yolov10"), contract("yolov10", "stretch", ("person",)))
    seen = opened(open_module, session).look(np.zeros(FRAME[::-1], np.uint8), 0).observations
    assert [each.attributes["class"] for each in seen] == ["person"]


@pytest.mark.parametrize("size", [(16, 16), (17, 300), (1920, 16)])
def test_the_smallest_and_the_oddest_frames_have_an_answer(
    open_module: OpenModule, tmp_path: Path, size: tuple[int, int]
) -> None:
    running = opened(open_module, added(tmp_path, head("yolov8"), contract("yolov8", "letterbox_centre")), size)
    for at_us in (0, 1_000_000, 2_000_000):
        answer = running.look(np.full(size[::-1], 80, np.uint8), at_us)
        assert all(0 <= each.box.x <= each.box.x + each.box.w <= 1 + 1e-6 for each in answer.observations)
