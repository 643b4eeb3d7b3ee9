from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from camera_edge.errors import ModelError
from camera_edge.inference import graph as graph_module
from camera_edge.inference.graph import Graph, fingerprint
from tests import onnx_bytes

OnnxWriter = Callable[..., bytes]


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [(10, "f2"), (1, "f4"), (11, "f8"), (2, "u1"), (6, "i4"), (7, "i8")],
    ids=lambda value: str(value),
)
def test_every_tensor_type_goes_through(onnx: OnnxWriter, kind: int, dtype: str) -> None:
    graph = Graph(onnx((1, "n"), kind=kind), where="identity")
    assert graph.inputs[0].dtype == np.dtype(dtype)
    assert graph.inputs[0].shape == (1, -1)
    array = np.array([[1, 2, 3]], dtype)
    np.testing.assert_array_equal(graph.run([array])[0], array)


@pytest.mark.parametrize("data", [b"", b"not a model", b"\x08\x08"])
def test_what_is_not_a_model_is_refused_in_one_line_and_quietly(data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match="cannot load") as caught:
        Graph(data, where="x.onnx")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_a_truncated_model_is_refused(onnx: OnnxWriter) -> None:
    with pytest.raises(ModelError, match="cannot load"):
        Graph(onnx((1, 2))[:-9], where="x.onnx")


def test_a_tensor_type_that_wasi_nn_does_not_have_is_refused(onnx: OnnxWriter) -> None:
    with pytest.raises(ModelError, match="bool"):
        Graph(onnx((1, 2), kind=9), where="x.onnx")


@pytest.mark.parametrize(
    "arrays", [[], [np.zeros((1, 3), np.float32)], [np.zeros((1, 2))], [np.zeros(2, np.float32)]], ids=str
)
def test_arrays_that_do_not_fit_raise(onnx: OnnxWriter, arrays: list[np.ndarray]) -> None:
    with pytest.raises(ModelError, match="x.onnx"):
        Graph(onnx((1, 2)), where="x.onnx").run(arrays)


def test_weights_in_another_file_are_not_read(
    onnx: OnnxWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 1 << 16  # small ones fail for another reason
    np.ones(count, np.float32).tofile(tmp_path / "weights.bin")
    monkeypatch.chdir(tmp_path)
    for place in ("weights.bin", str(tmp_path / "weights.bin"), f"../{tmp_path.name}/weights.bin"):
        with pytest.raises(ModelError, match="cannot load"):
            Graph(onnx((count,), weight_file=place), where="x.onnx")


def test_fingerprint_names_version_and_provider_without_loading_the_runtime() -> None:
    code = (
        "import sys; from camera_edge.inference import fingerprint; print(fingerprint(), 'onnxruntime' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == f"{fingerprint()} False"
    assert fingerprint().startswith("onnxruntime 1.")


def test_a_warning_of_missing_graphics_cards_is_held_back_and_other_text_is_not(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with graph_module._without_device_warning():
        os.write(2, b"first\n[W:onnxruntime:Default, device_discovery.cc:484 X] GPU device discovery failed\nlast\n")
    assert capfd.readouterr().err == "first\nlast\n"


def test_inference_asks_no_network_and_writes_no_file(onnx: OnnxWriter, tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    model, trace, home = tmp_path / "model.onnx", tmp_path / "trace", tmp_path / "home"
    model.write_bytes(onnx((1, 2)))
    home.mkdir()
    code = (
        "import sys, pathlib, numpy; from camera_edge.inference.graph import Graph;"
        "Graph(pathlib.Path(sys.argv[1]).read_bytes(), where='m').run([numpy.ones((1, 2), 'f4')])"
    )
    command = [strace, "-f", "-qq", "-o", str(trace), "-e", "trace=network,%file,openat"]
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", "ORT_DISABLE_TELEMETRY": "0"}
    done = subprocess.run(
        [*command, sys.executable, "-c", code, str(model)], env=environment, capture_output=True, text=True, check=False
    )
    if "PTRACE" in done.stderr or "ptrace" in done.stderr:
        pytest.skip("this system does not allow tracing")
    assert done.returncode == 0, done.stderr
    text = trace.read_text()
    assert "onnxruntime_pybind11_state" in text
    suspicious = ("socket(", "connect(", "sendto(", "O_CREAT", "O_WRONLY", "O_RDWR", "mkdir", "rename", "unlink")
    assert [line for line in text.splitlines() if any(word in line for word in suspicious)] == []
    assert list(home.iterdir()) == []


def foreign(model: bytes) -> Graph:
    return Graph(model, where="guest", foreign=True)


def test_a_foreign_model_computes_as_any_other() -> None:
    ones = np.ones((2, 2), np.float32)
    assert foreign(onnx_bytes.sum_of_two("f4", (2, "n"))).run([ones, ones])[0].tolist() == [[2, 2], [2, 2]]


def test_a_foreign_model_gets_no_more_than_its_memory() -> None:
    graph = foreign(onnx_bytes.filled(graph_module.FOREIGN_MEMORY_BYTES // 4 + 1))
    for _ in range(2):
        with pytest.raises(ModelError, match="inference failed"):
            graph.run([np.zeros(1, np.float32)])
    # what failed holds nothing
    small = foreign(onnx_bytes.filled(1 << 20))
    assert small.run([np.zeros(1, np.float32)])[0].nbytes == 4 << 20


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_foreign_model_computes_nothing_while_it_is_loaded() -> None:
    foreign(onnx_bytes.filled(1))
    before = resident_bytes()
    # constants of 640 MiB, which the runtime would compute now and keep outside of the bounded memory
    loaded = [foreign(onnx_bytes.filled(80 << 20)) for _ in range(2)]
    assert len(loaded) == 2
    assert resident_bytes() - before < 100 << 20


def test_a_foreign_model_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_module, "FOREIGN_RUN_S", 0.05)
    with pytest.raises(ModelError, match="terminate"):
        foreign(onnx_bytes.endless()).run([np.zeros(1, np.float32)])


def test_a_foreign_model_is_looked_through_before_the_runtime_is_asked() -> None:
    with pytest.raises(ModelError, match=r"guest: this model is refused: its weights lie in another file"):
        foreign(onnx_bytes.identity((4,), weight_file="/etc/passwd"))


def test_the_runtimes_own_format_is_no_onnx_model(onnx: OnnxWriter, tmp_path: Path) -> None:
    Graph(onnx((1, 2)), where="x")  # loads the runtime as the product does
    runtime = pytest.importorskip("onnxruntime")
    options, converted = runtime.SessionOptions(), tmp_path / "model.ort"
    options.optimized_model_filepath = str(converted)
    options.add_session_config_entry("session.save_model_format", "ORT")
    runtime.InferenceSession(onnx((1, 2)), options, ["CPUExecutionProvider"])
    with pytest.raises(ModelError, match="cannot load"):
        Graph(converted.read_bytes(), where="x")


def test_the_runtime_can_be_loaded_before_there_is_a_model() -> None:
    code = "import sys; from camera_edge import inference as i; i.load_runtime(); print('onnxruntime' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == "True\n"


@pytest.mark.parametrize("is_foreign", [False, True])
@pytest.mark.parametrize("name", [b"in", b"Identity"])
def test_a_name_that_is_no_text_is_refused_quietly(
    name: bytes, is_foreign: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    model = onnx_bytes.identity((2,), name="in")
    with pytest.raises(ModelError, match="cannot load"):
        Graph(model.replace(name, name[:-1] + b"\xfe"), where="x", foreign=is_foreign)
    assert capfd.readouterr() == ("", "")
