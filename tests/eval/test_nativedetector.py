from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from camera_edge.errors import ModelError
from camera_edge.eval.nativedetector import NativeDetector
from camera_edge.inference import Model, Registry
from tests.eval.drawn import CONTRACT, detector, person


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
