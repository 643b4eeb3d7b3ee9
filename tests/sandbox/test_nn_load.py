"""Models of a guest's own, as bytes of its memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from camera_edge.errors import ModelError
from camera_edge.inference import Graph as OnnxGraph
from camera_edge.sandbox import nn
from camera_edge.sandbox.memory import NoMemoryError
from camera_edge.sandbox.nn import Encoding, NnErrno
from tests import onnx_bytes
from tests.sandbox.nn_caller import BEYOND, BUILDER, DATA, OUT, Echo, Guest, echo


class Loader:
    """Gives a graph for any bytes but `bad`, and keeps what it was given."""

    def __init__(self) -> None:
        self.given: list[bytes] = []

    def __call__(self, model: bytes) -> Echo:
        if model == b"bad":
            raise ModelError("no model", where="guest")
        self.given.append(model)
        return echo(1)


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def guest(loader: Loader) -> Guest:
    return Guest({"named": echo(1)}, load=loader)


def test_the_bytes_of_the_guest_are_what_is_loaded(guest: Guest, loader: Loader) -> None:
    assert guest.load_bytes(b"some model") is NnErrno.SUCCESS
    assert loader.given == [b"some model"]


@pytest.mark.parametrize(("dtype", "kind"), [(name, kind) for kind, name in enumerate(onnx_bytes.KINDS)])
def test_a_real_model_of_every_tensor_type_is_loaded_and_adds(dtype: str, kind: int) -> None:
    guest = Guest({}, load=lambda model: OnnxGraph(model, where="guest", foreign=True))
    assert guest.load_bytes(onnx_bytes.sum_of_two(dtype, (2, 2))) is NnErrno.SUCCESS
    assert guest.call("init_execution_context", guest.u32(OUT), OUT) is NnErrno.SUCCESS
    context = guest.u32(OUT)
    values = np.array([[1, 2], [3, 40]], dtype)
    for index in (0, 1):
        assert guest.set_input(context, values, kind, index) is NnErrno.SUCCESS
    assert guest.call("compute", context) is NnErrno.SUCCESS
    np.testing.assert_array_equal(guest.output(context, dtype), (values + values).ravel())


def test_onnx_and_autodetect_are_the_encodings_that_are_taken(guest: Guest) -> None:
    taken = [code for code in (*Encoding, 6, 255, -1) if guest.load_bytes(b"m", encoding=code) is NnErrno.SUCCESS]
    assert taken == [Encoding.ONNX, Encoding.AUTODETECT]
    assert guest.load_bytes(b"m", encoding=Encoding.PYTORCH) is NnErrno.INVALID_ENCODING


def test_every_target_is_the_cpu_and_what_is_none_is_refused(guest: Guest) -> None:
    answers = [guest.load_bytes(b"m", target=target) for target in (0, 1, 2, 3, 4, -1)]
    assert answers == [NnErrno.SUCCESS] * 4 + [NnErrno.INVALID_ARGUMENT] * 2


@pytest.mark.parametrize("parts", [0, 2, -1])
def test_a_model_in_several_parts_is_refused(guest: Guest, loader: Loader, parts: int) -> None:
    assert guest.load_bytes(b"m", parts=parts) is NnErrno.INVALID_ARGUMENT
    assert loader.given == []


@pytest.mark.parametrize(
    ("builder", "model", "out"),
    [
        pytest.param(BEYOND, (DATA, 4), OUT, id="list of parts"),
        pytest.param(-4, (DATA, 4), OUT, id="list of parts, negative"),
        pytest.param(BUILDER, (BEYOND, 4), OUT, id="model"),
        pytest.param(BUILDER, (0xFFFFFFFF, 2), OUT, id="model at the end of 32 bits"),
        pytest.param(BUILDER, (DATA, 4), BEYOND, id="handle"),
    ],
)
def test_pointers_out_of_range_are_refused_before_anything_is_loaded(
    guest: Guest, loader: Loader, builder: int, model: tuple[int, int], out: int
) -> None:
    guest.put(BUILDER, nn.BUILDER.pack(*model))
    assert guest.call("load", builder, 1, Encoding.ONNX, 0, out) is NnErrno.INVALID_ARGUMENT
    assert loader.given == []


def test_a_model_beyond_the_limit_is_too_large_before_it_is_read(guest: Guest, loader: Loader) -> None:
    for length in (nn.MODEL_BYTES_MAX + 1, 0xFFFFFFFF):
        guest.put(BUILDER, nn.BUILDER.pack(DATA, length))
        assert guest.call("load", BUILDER, 1, Encoding.ONNX, 0, OUT) is NnErrno.TOO_LARGE
    assert loader.given == []


def test_what_a_guest_holds_is_bounded_until_graph_and_contexts_are_gone(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nn, "MODELS_BYTES_MAX", 10)
    assert guest.load_bytes(b"123456") is NnErrno.SUCCESS
    graph = guest.u32(OUT)
    assert guest.call("init_execution_context", graph, OUT) is NnErrno.SUCCESS
    context = guest.u32(OUT)
    assert guest.load_bytes(b"12345") is NnErrno.TOO_LARGE
    assert guest.call("unload", graph) is NnErrno.SUCCESS
    # the context holds it still
    assert guest.load_bytes(b"12345") is NnErrno.TOO_LARGE
    assert guest.load_bytes(b"1234") is NnErrno.SUCCESS
    assert guest.call("finalize_execution_context", context) is NnErrno.SUCCESS
    assert guest.load_bytes(b"123456") is NnErrno.SUCCESS


def test_the_same_bytes_loaded_twice_are_held_twice(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nn, "MODELS_BYTES_MAX", 10)
    assert [guest.load_bytes(b"123456") for _ in range(2)] == [NnErrno.SUCCESS, NnErrno.TOO_LARGE]


def test_own_and_named_graphs_share_one_limit(guest: Guest) -> None:
    for _ in range(nn.GRAPHS_MAX - 1):
        assert guest.load("named") is NnErrno.SUCCESS
    assert guest.load_bytes(b"m") is NnErrno.SUCCESS
    assert guest.load_bytes(b"m") is NnErrno.TOO_LARGE


def test_a_model_that_cannot_be_loaded_is_a_runtime_error_whose_reason_the_guests_log_tells(guest: Guest) -> None:
    guest.put(OUT, b"\x77" * 4)
    assert guest.load_bytes(b"bad") is NnErrno.RUNTIME_ERROR
    assert guest.lines == [b"wasi_ephemeral_nn load: guest: no model"]
    # no handle was given, and none is lost
    assert guest.u32(OUT) == 0x77777777
    assert guest.load_bytes(b"good") is NnErrno.SUCCESS


def test_a_guest_without_granted_models_finds_no_name(loader: Loader) -> None:
    assert Guest({"named": echo(1)}, frozenset(), loader).load("named") is NnErrno.NOT_FOUND


class Unborn(Guest):
    """Its start function calls, so that the host does not have its memory yet."""

    def read(self, pointer: int, length: int) -> bytes:
        raise NoMemoryError(f"{length} bytes at {pointer}")


def test_without_a_memory_it_is_missing() -> None:
    guest = Unborn({}, frozenset({"named"}), Loader())
    answers = {name: guest.call(name, *[1] * function.parameters) for name, function in guest.functions.items()}
    assert answers["load"] is NnErrno.MISSING_MEMORY
    assert answers["load_by_name"] is NnErrno.MISSING_MEMORY


@pytest.fixture
def brought() -> Callable[[bytes], Guest]:
    """A guest, after it has tried to load this real model."""

    def load(model: bytes) -> Guest:
        guest = Guest({}, load=lambda given: OnnxGraph(given, where="its own", foreign=True))
        assert guest.load_bytes(model) is NnErrno.RUNTIME_ERROR
        return guest

    return load


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        pytest.param(b"", b"cannot load", id="nothing"),
        pytest.param(b"not a model", b"no ONNX model", id="text"),
        pytest.param(onnx_bytes.identity((2,))[:-5], b"model", id="cut off"),
        pytest.param(onnx_bytes.identity((8,), weight_file="/etc/hostname"), b"another file", id="weights elsewhere"),
        pytest.param(onnx_bytes.identity((2,), kind=onnx_bytes.BOOL), b"not supported", id="a type of no guest"),
    ],
)
def test_real_bytes_that_are_refused(brought: Callable[[bytes], Guest], model: bytes, reason: bytes) -> None:
    (line,) = brought(model).lines
    assert reason in line
