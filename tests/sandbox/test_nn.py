from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from camera_edge.inference import Graph as OnnxGraph
from camera_edge.sandbox import nn
from camera_edge.sandbox.nn import NnErrno
from tests.sandbox.nn_caller import BEYOND, DATA, DIMS, F32, NAME, OUT, RESULT, TENSOR, Echo, Guest, Info, echo

WEIGHTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "models" / "onnx_tiny"


def test_the_table_has_the_functions_of_the_witx_and_the_two_that_free() -> None:
    assert {name: function.parameters for name, function in Guest({}).functions.items()} == {
        "load": 5,
        "load_by_name": 3,
        "init_execution_context": 2,
        "set_input": 3,
        "compute": 1,
        "get_output": 5,
        "unload": 1,
        "finalize_execution_context": 1,
    }


@pytest.mark.parametrize(("kind", "dtype"), list(enumerate(["f2", "f4", "f8", "u1", "i4", "i8"])))
def test_every_tensor_type_goes_in_and_comes_out(kind: int, dtype: str) -> None:
    guest = Guest({"echo": echo(1, 3, dtype=dtype)})
    context = guest.context("echo")
    values = np.array([[1, 2, 100]], dtype)
    assert guest.set_input(context, values, kind) is NnErrno.SUCCESS
    assert guest.call("compute", context) is NnErrno.SUCCESS
    np.testing.assert_array_equal(guest.output(context, dtype), values.ravel())


def test_a_free_dimension_takes_any_size_and_a_fixed_one_only_its_own() -> None:
    guest = Guest({"echo": echo(-1, 2)})
    context = guest.context("echo")
    assert guest.set_input(context, np.zeros((5, 2), np.float32)) is NnErrno.SUCCESS
    assert guest.set_input(context, np.zeros((5, 3), np.float32)) is NnErrno.INVALID_ARGUMENT
    assert guest.set_input(context, np.zeros(10, np.float32)) is NnErrno.INVALID_ARGUMENT


def test_several_inputs_are_given_in_the_order_of_their_index() -> None:
    graph = Echo([Info("a", np.dtype("f4"), (1,)), Info("b", np.dtype("f4"), (2,))])
    guest = Guest({"two": graph})
    context = guest.context("two")
    assert guest.set_input(context, np.array([2, 3], np.float32), index=1) is NnErrno.SUCCESS
    assert guest.call("compute", context) is NnErrno.INVALID_ARGUMENT
    assert guest.set_input(context, np.array([1], np.float32), index=0) is NnErrno.SUCCESS
    assert guest.call("compute", context) is NnErrno.SUCCESS
    assert [array.tolist() for array in graph.ran[0]] == [[1], [2, 3]]
    assert guest.output(context, "f4", index=1).tolist() == [2, 3]


def test_a_model_that_was_not_granted_is_not_found_even_where_it_exists() -> None:
    guest = Guest({"theirs": echo(1)}, granted=frozenset({"mine"}))
    assert guest.load("theirs") is NnErrno.NOT_FOUND
    assert guest.load("nobody's") is NnErrno.NOT_FOUND


def test_load_with_model_bytes_is_not_supported() -> None:
    assert Guest({"echo": echo(1)}).load_bytes(b"model") is NnErrno.UNSUPPORTED_OPERATION


def test_a_small_buffer_is_too_large_and_learns_the_size_it_needs() -> None:
    guest = Guest({"echo": echo(4)})
    context = guest.context("echo")
    guest.set_input(context, np.ones(4, np.float32))
    guest.call("compute", context)
    assert guest.call("get_output", context, 0, OUT, 15, RESULT) is NnErrno.TOO_LARGE
    assert guest.u32(RESULT) == 16
    assert not any(guest.memory[OUT + 4 : OUT + 16])
    assert guest.call("get_output", context, 0, OUT, 16, RESULT) is NnErrno.SUCCESS


def test_an_output_does_not_outlive_a_new_input() -> None:
    guest = Guest({"echo": echo(1)})
    context = guest.context("echo")
    assert guest.call("get_output", context, 0, OUT, 64, RESULT) is NnErrno.RUNTIME_ERROR
    guest.set_input(context, np.ones(1, np.float32))
    guest.call("compute", context)
    guest.set_input(context, np.zeros(1, np.float32))
    assert guest.call("get_output", context, 0, OUT, 64, RESULT) is NnErrno.RUNTIME_ERROR


def test_a_later_change_of_the_guests_memory_does_not_change_its_input() -> None:
    guest = Guest({"echo": echo(1)})
    context = guest.context("echo")
    guest.set_input(context, np.array([7], np.float32))
    guest.put(DATA, bytes(4))
    guest.call("compute", context)
    assert guest.output(context, "f4").tolist() == [7]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("load_by_name", (BEYOND, 4, OUT)),
        ("load_by_name", (NAME, -1, OUT)),
        ("load_by_name", (NAME, 4, BEYOND)),
        ("load_by_name", (NAME, 4, -4)),
        ("init_execution_context", (0, BEYOND)),
        ("set_input", (1, 0, BEYOND)),
        ("set_input", (1, 0, -20)),
        ("get_output", (1, 0, BEYOND, 64, RESULT)),
        ("get_output", (1, 0, OUT, 64, BEYOND)),
    ],
)
def test_pointers_out_of_range_are_refused(name: str, args: tuple[int, ...]) -> None:
    guest = Guest({"echo": echo(1)})
    context = guest.context("echo")
    assert context == 1
    guest.set_input(context, np.ones(1, np.float32))
    guest.call("compute", context)
    assert guest.call(name, *args) in (NnErrno.INVALID_ARGUMENT, NnErrno.TOO_LARGE)


@pytest.mark.parametrize(
    "tensor",
    [
        pytest.param((BEYOND, 1, F32, DATA, 4), id="dimensions out of range"),
        pytest.param((DIMS, 1, F32, BEYOND, 4), id="data out of range"),
        pytest.param((DIMS, 9, F32, DATA, 4), id="nine dimensions"),
        pytest.param((DIMS, 0xFFFFFFFF, F32, DATA, 4), id="four thousand million dimensions"),
        pytest.param((DIMS, 1, 6, DATA, 4), id="no such type"),
        pytest.param((DIMS, 1, 0xAA, DATA, 4), id="garbage for a type"),
        pytest.param((DIMS, 1, 4, DATA, 4), id="another type than the model's"),
        pytest.param((DIMS, 1, F32, DATA, 8), id="more data than the shape holds"),
        pytest.param((DIMS, 1, F32, DATA, 0), id="no data"),
    ],
)
def test_a_wrong_tensor_is_refused(tensor: tuple[int, int, int, int, int]) -> None:
    guest = Guest({"echo": echo(1)})
    context = guest.context("echo")
    guest.put(DIMS, struct.pack("<9I", *[1] * 9))
    guest.put_tensor(DIMS, 1, F32, DATA, 4)
    assert guest.call("set_input", context, 0, TENSOR) is NnErrno.SUCCESS
    guest.put_tensor(*tensor)
    assert guest.call("set_input", context, 0, TENSOR) is NnErrno.INVALID_ARGUMENT


def test_a_product_of_dimensions_that_wraps_around_is_refused() -> None:
    guest = Guest({"echo": echo(-1, -1)})
    context = guest.context("echo")
    # 2^31 * 2 * 4 bytes is 0 modulo 2^32
    guest.put(DIMS, struct.pack("<2I", 1 << 31, 2))
    guest.put_tensor(DIMS, 2, F32, DATA, 0)
    assert guest.call("set_input", context, 0, TENSOR) is NnErrno.INVALID_ARGUMENT


def test_handles_that_nobody_gave_are_refused() -> None:
    guest = Guest({"echo": echo(1)})
    guest.put_tensor(DIMS, 0, F32, DATA, 4)
    for name, args in (
        ("init_execution_context", (9, OUT)),
        ("set_input", (-1, 0, TENSOR)),
        ("compute", (0,)),
        ("get_output", (0, 0, OUT, 4, RESULT)),
        ("unload", (0,)),
        ("finalize_execution_context", (3,)),
    ):
        assert guest.call(name, *args) is NnErrno.INVALID_ARGUMENT


def test_an_index_beyond_the_inputs_or_outputs_is_refused() -> None:
    guest = Guest({"echo": echo(1)})
    context = guest.context("echo")
    assert guest.set_input(context, np.ones(1, np.float32), index=1) is NnErrno.INVALID_ARGUMENT
    assert guest.set_input(context, np.ones(1, np.float32)) is NnErrno.SUCCESS
    assert guest.call("compute", context) is NnErrno.SUCCESS
    assert guest.call("get_output", context, 1, OUT, 4, RESULT) is NnErrno.INVALID_ARGUMENT


def test_a_freed_handle_is_gone_and_not_given_again() -> None:
    guest = Guest({"echo": echo(1)})
    guest.load("echo")
    graph = guest.u32(OUT)
    assert guest.call("unload", graph) is NnErrno.SUCCESS
    assert guest.call("init_execution_context", graph, OUT) is NnErrno.INVALID_ARGUMENT
    guest.load("echo")
    assert guest.u32(OUT) != graph


def test_graphs_and_contexts_are_limited_until_some_are_freed() -> None:
    guest = Guest({"echo": echo(1)})
    for _ in range(nn.GRAPHS_MAX):
        assert guest.load("echo") is NnErrno.SUCCESS
    graph = guest.u32(OUT)
    assert guest.load("echo") is NnErrno.TOO_LARGE
    for _ in range(nn.CONTEXTS_MAX):
        assert guest.call("init_execution_context", graph, OUT) is NnErrno.SUCCESS
    context = guest.u32(OUT)
    assert guest.call("init_execution_context", graph, OUT) is NnErrno.TOO_LARGE
    assert guest.call("finalize_execution_context", context) is NnErrno.SUCCESS
    assert guest.call("init_execution_context", graph, OUT) is NnErrno.SUCCESS


def test_a_guest_cannot_make_the_host_hold_more_than_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nn, "HELD_BYTES_MAX", 100)
    guest = Guest({"echo": echo(-1)})
    first, second = guest.context("echo"), guest.context("echo")
    assert guest.set_input(first, np.zeros(15, np.float32)) is NnErrno.SUCCESS
    assert guest.set_input(second, np.zeros(15, np.float32)) is NnErrno.TOO_LARGE
    # what is replaced does not count
    assert guest.set_input(first, np.zeros(25, np.float32)) is NnErrno.SUCCESS
    assert guest.set_input(first, np.zeros(12, np.float32)) is NnErrno.SUCCESS
    # outputs count as well, and those of a new input's own context go
    assert guest.call("compute", first) is NnErrno.SUCCESS
    assert guest.set_input(second, np.zeros(2, np.float32)) is NnErrno.TOO_LARGE
    assert guest.set_input(first, np.zeros(13, np.float32)) is NnErrno.SUCCESS
    assert guest.call("compute", first) is NnErrno.TOO_LARGE
    assert guest.call("get_output", first, 0, OUT, 64, RESULT) is NnErrno.RUNTIME_ERROR


def test_a_name_of_a_megabyte_is_too_large_and_one_that_is_not_utf8_is_invalid() -> None:
    guest = Guest({"echo": echo(1)})
    assert guest.call("load_by_name", NAME, nn.NAME_BYTES_MAX + 1, OUT) is NnErrno.TOO_LARGE
    guest.put(NAME, b"\xff\xfe")
    assert guest.call("load_by_name", NAME, 2, OUT) is NnErrno.INVALID_ARGUMENT


def test_a_model_that_fails_is_a_runtime_error_and_no_exception() -> None:
    graph = echo(1)
    graph.fails = True
    guest = Guest({"echo": graph})
    context = guest.context("echo")
    guest.set_input(context, np.ones(1, np.float32))
    assert guest.call("compute", context) is NnErrno.RUNTIME_ERROR
    assert guest.lines == [b"wasi_ephemeral_nn compute: cannot"]


def test_a_defect_of_the_host_is_a_runtime_error_and_no_exception() -> None:
    # granted, but the lookup raises KeyError
    assert Guest({}, granted=frozenset({"gone"})).load("gone") is NnErrno.RUNTIME_ERROR


def onnx_graph(name: str) -> OnnxGraph:
    path = WEIGHTS / f"{name}.onnx"
    if not path.is_file():
        pytest.skip("no evaluation data: shared/data/models/onnx_tiny")
    return OnnxGraph(path.read_bytes(), where=name)


def test_sum_and_difference_of_real_tensors() -> None:
    graph = onnx_graph("sum_and_difference")
    guest = Guest({"sums": graph})
    context = guest.context("sums")
    values = np.array([[[0.2, 0.3, 0.6, 0.9]]], np.float32)
    assert guest.set_input(context, values) is NnErrno.SUCCESS
    assert guest.call("compute", context) is NnErrno.SUCCESS
    answer = guest.output(context, "f4")
    assert answer.tolist() == graph.run([values])[0].ravel().tolist()
    # a network that learned to add: 0.2 + 0.3 + 0.6 + 0.9
    assert float(answer[0]) == pytest.approx(2.0, abs=0.01)


def test_two_contexts_of_one_graph_do_not_share_tensors() -> None:
    guest = Guest({"mnist": onnx_graph("mnist")})
    first, second = guest.context("mnist"), guest.context("mnist")
    guest.set_input(first, np.zeros((1, 1, 28, 28), np.float32))
    guest.set_input(second, np.ones((1, 1, 28, 28), np.float32))
    guest.call("compute", first)
    guest.call("compute", second)
    assert guest.output(first, "f4").tolist() != guest.output(second, "f4").tolist()
