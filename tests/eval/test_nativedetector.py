from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from camera_edge.errors import ModelError
from camera_edge.eval.nativedetector import NativeDetector
from camera_edge.inference import Model, Output, Registry
from tests import onnx_bytes as onnx
from tests.eval.drawn import CONTRACT, SIDE, detector, person


@pytest.fixture
def model(tmp_path: Path) -> Model:
    (tmp_path / "tiny.onnx").write_bytes(detector())
    return Registry(tmp_path / "models").add(tmp_path / "tiny.onnx", "tiny", CONTRACT)


def test_it_finds_the_bright_quarter_where_it_is(model: Model) -> None:
    native = NativeDetector(model, "person", least_score=0.5, nms_iou=0.45)
    found = native.detect(person(2))
    assert np.allclose(found.boxes, [[0, 0.5, 0.5, 0.5]])
    assert found.scores == pytest.approx([235 / 255], abs=0.01)
    assert native.detect(person(None)).boxes.shape == (0, 4)
    assert native.ms_per_frame > 0


def test_boxes_are_undone_from_the_letterbox(model: Model) -> None:
    wide = np.full((64, 128, 3), 20, np.uint8)
    wide[:, 64:] = 235
    found = NativeDetector(model, "person", least_score=0.5, nms_iou=0.45).detect(wide)
    assert np.allclose(found.boxes, [[0.5, 0, 0.5, 1]])


def test_a_class_that_the_model_does_not_know_is_an_error(model: Model) -> None:
    with pytest.raises(ModelError, match="no class"):
        NativeDetector(model, "cat", least_score=0.5, nms_iou=0.45)


HEADS = {
    # one proposal for class 1 at left 8, top 24, of 16 x 8 pixels, and one for class 0
    "yolov5": [[[16, 28, 16, 8, 0.5, 0.1, 0.9], [16, 28, 16, 8, 0.9, 0.8, 0.1]]],
    "yolov8": [[[16, 16], [28, 28], [16, 16], [8, 8], [0.1, 0.9], [0.45, 0.1]]],
    "yolov10": [[[8, 24, 24, 32, 0.45, 1], [8, 24, 24, 32, 0.9, 0]]],
}


@pytest.mark.parametrize("decoder", HEADS)
def test_heads_that_give_boxes_themselves_are_read_as_they_say(tmp_path: Path, decoder: str) -> None:
    answer = np.array(HEADS[decoder], np.float32)
    weights = [onnx.tensor("answer", answer), onnx.tensor("nothing", np.zeros(1, np.float32))]
    nodes = [
        onnx.node(
            "ReduceMax", ["images"], ["bright"], onnx.block(1, "keepdims") + onnx.number(3, 0) + onnx.number(20, 2)
        ),
        onnx.node("Mul", ["bright", "nothing"], ["zero"]),
        onnx.node("Add", ["answer", "zero"], ["out"]),
    ]
    ends = [onnx.value("images", onnx.FLOAT, (1, 3, SIDE, SIDE))], [onnx.value("out", onnx.FLOAT, answer.shape)]
    (tmp_path / "head.onnx").write_bytes(onnx.model(onnx.graph(nodes, *ends, weights)))
    assert CONTRACT.input is not None
    contract = replace(
        CONTRACT,
        input=replace(CONTRACT.input, fit="letterbox_centre"),
        output=Output(decoder=decoder, classes=("cat", "person")),  # type: ignore[arg-type]
    )
    model = Registry(tmp_path / "models").add(tmp_path / "head.onnx", "head", contract)
    # 64 x 32 lies in the middle of 64 x 64: 16 rows of padding are above it
    found = NativeDetector(model, "person", least_score=0.4, nms_iou=0.5).detect(np.zeros((32, 64, 3), np.uint8))
    assert found.scores == pytest.approx([0.45])
    assert np.allclose(found.boxes, [[8 / 64, 8 / 32, 16 / 64, 8 / 32]])
