from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from camera_edge.errors import ModelError
from camera_edge.inference import Catalogue, Contract, Model, PictureInput, Registry, Session
from camera_edge.observation import Box

OnnxWriter = Callable[..., bytes]
EVERYTHING = Box(0, 0, 1, 1)


@pytest.fixture
def registry(tmp_path: Path, catalogue_file: Path) -> Registry:
    return Registry(tmp_path / "models", Catalogue(catalogue_file))


@pytest.fixture
def echo(registry: Registry, tmp_path: Path, onnx: OnnxWriter) -> Model:
    """A model that gives back its 2x2 picture."""
    file = tmp_path / "echo.onnx"
    file.write_bytes(onnx((1, 3, 2, 2)))
    picture = PictureInput(name="picture", width=2, height=2, channels="bgr", fit="stretch")
    return registry.add(file, contract=Contract(contract=1, input=picture))


def test_infer_gives_the_region_as_the_model_saw_it(echo: Model) -> None:
    picture = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    values = Session(echo).infer(picture, Box(0.5, 0.5, 0.5, 0.5))
    assert values.dtype == np.float32
    assert values.shape == (12,)
    np.testing.assert_array_equal(values.reshape(3, 2, 2), picture[2:, 2:].transpose(2, 0, 1))


def test_infer_refuses_a_region_outside(echo: Model) -> None:
    with pytest.raises(ModelError, match="0..1"):
        Session(echo).infer(np.zeros((4, 4, 3), np.uint8), Box(0.5, 0.5, -1, 0.5))


def test_a_model_without_a_picture_input_infers_through_its_graph_only(
    registry: Registry, tmp_path: Path, onnx: OnnxWriter
) -> None:
    file = tmp_path / "tensors.onnx"
    file.write_bytes(onnx((1, "n"), kind=7))
    session = Session(registry.add(file, contract=Contract(contract=1)))
    with pytest.raises(ModelError, match="takes no picture"):
        session.infer(np.zeros((4, 4, 3), np.uint8), EVERYTHING)
    assert session.graph().run([np.array([[3, 4]])])[0].tolist() == [[3, 4]]


def test_a_damaged_model_is_not_loaded(echo: Model) -> None:
    echo.path.write_bytes(b"something else")
    with pytest.raises(ModelError, match="damaged"):
        Session(echo)


def test_yolox_gives_the_numbers_of_a_native_run(registry: Registry, weights: Path) -> None:
    import onnxruntime

    file = weights / "yolox_nano" / "yolox_nano.onnx"
    picture = np.random.default_rng(3).integers(0, 256, (360, 480, 3), np.uint8)
    padded = np.full((416, 416, 3), 114, np.uint8)
    padded[:312, :416] = cv2.resize(picture, (416, 312), interpolation=cv2.INTER_LINEAR)
    native = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    expected = native.run(None, {"images": padded.transpose(2, 0, 1)[None].astype(np.float32)})[0]

    values = Session(registry.add(file)).infer(picture, EVERYTHING)

    np.testing.assert_allclose(values.reshape(1, 3549, 85), expected, rtol=1e-4, atol=1e-4)


def test_outputs_follow_one_another_in_the_order_of_the_model(registry: Registry, weights: Path) -> None:
    session = Session(registry.add(weights / "ulfd" / "version-RFB-320.onnx"))
    values = session.infer(np.zeros((240, 320, 3), np.uint8), EVERYTHING)
    assert [spec.name for spec in session.graph().outputs] == ["scores", "boxes"]
    assert values.shape == (4420 * 2 + 4420 * 4,)
    # two class probabilities a row
    np.testing.assert_allclose(values[: 4420 * 2].reshape(-1, 2).sum(axis=1), 1, rtol=1e-5)


def test_the_same_picture_gives_the_same_numbers(registry: Registry, weights: Path) -> None:
    session = Session(registry.add(weights / "fastestdet" / "FastestDet.onnx"))
    picture = np.random.default_rng(5).integers(0, 256, (120, 160, 3), np.uint8)
    first = session.infer(picture, EVERYTHING)
    np.testing.assert_array_equal(session.infer(picture, EVERYTHING), first)


def test_mnist_reads_the_eight_in_the_test_picture(registry: Registry, weights: Path) -> None:
    session = Session(registry.add(weights / "onnx_tiny" / "mnist.onnx"))
    picture = cv2.imread(str(weights / "onnx_tiny" / "img.png"), cv2.IMREAD_COLOR)
    assert picture is not None
    values = session.infer(np.asarray(picture, np.uint8), EVERYTHING)
    assert session.model.contract.output.class_names[int(values.argmax())] == "8"


def test_the_runtime_is_loaded_by_a_session_and_not_before(echo: Model) -> None:
    code = (
        "import sys; from pathlib import Path; from camera_edge.inference import Registry, Session;"
        "model = Registry(Path(sys.argv[1])).get('echo'); print('onnxruntime' in sys.modules);"
        "Session(model); print('onnxruntime' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(echo.path.parent)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["False", "True"]
