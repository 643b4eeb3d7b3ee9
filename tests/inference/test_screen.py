from __future__ import annotations

import random

import numpy as np
import pytest

from camera_edge.errors import ModelError
from camera_edge.inference import screen as screening
from camera_edge.inference.screen import screen
from tests import onnx_bytes as onnx
from tests.onnx_bytes import block, number

X, OUT = onnx.value("x", onnx.FLOAT, (1,)), onnx.value("out", onnx.FLOAT, (1,))
PASS = onnx.node("Identity", ["x"], ["out"])


def model_of(*nodes: bytes, weights: tuple[bytes, ...] = ()) -> bytes:
    return onnx.model(onnx.graph(nodes, [X], [OUT], weights))


def nested(depth: int, innermost: bytes = PASS) -> bytes:
    node = innermost
    for _ in range(depth - 1):
        node = onnx.node("If", ["x"], ["out"], onnx.graph_attribute("then_branch", onnx.graph([node], [], [OUT])))
    return model_of(node)


def sparse() -> bytes:
    values = onnx.tensor("w", np.ones(1, np.float32))
    return block(1, values) + block(2, onnx.tensor("i", np.zeros(1, np.int64))) + number(3, 1 << 40)


def function() -> bytes:
    return block(25, block(1, "twice"), block(4, "a"), block(5, "b"), block(7, onnx.node("Identity", ["a"], ["b"])))


@pytest.mark.parametrize(
    "model",
    [
        onnx.identity((1, 3, "n")),
        onnx.sum_of_two("f8", (2,)),
        onnx.endless(),
        nested(screening.DEPTH_MAX),
        model_of(onnx.node("Identity", ["x"], ["out"], domain="ai.onnx")),
    ],
    ids=["identity", "sum", "loop", "nested", "domain"],
)
def test_plain_models_pass(model: bytes) -> None:
    screen(model, where="x")


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        pytest.param(onnx.model(onnx.graph([PASS], [X], [OUT]), function()), "functions", id="local function"),
        pytest.param(onnx.model(onnx.graph([PASS], [X], [OUT]) + block(15, sparse())), "sparse", id="sparse weight"),
        pytest.param(
            model_of(onnx.node("Constant", [], ["out"], block(1, "sparse_value") + block(22, sparse()))),
            "sparse",
            id="sparse constant",
        ),
        pytest.param(onnx.identity((9,), weight_file="w.bin"), "another file", id="weights elsewhere"),
        pytest.param(
            model_of(onnx.node("Constant", [], ["out"], block(1, "value") + block(5, onnx.external("w", 1, "f")))),
            "another file",
            id="constant elsewhere",
        ),
        pytest.param(nested(screening.DEPTH_MAX + 1), "nested", id="nested"),
        pytest.param(
            nested(3, onnx.node("Constant", [], ["out"], block(1, "v") + block(22, sparse()))), "sparse", id="deep down"
        ),
        pytest.param(model_of(onnx.node("StringConcat", ["x", "x"], ["out"])), "strings", id="string operator"),
        pytest.param(
            model_of(PASS, weights=(number(1, 1) + number(2, onnx.STRING) + block(6, "a" * 99),)), "strings", id="text"
        ),
        pytest.param(model_of(onnx.node("Attention", ["x"], ["out"], domain="com.microsoft")), "standard", id="domain"),
        pytest.param(b"\x08", "no ONNX model", id="a key alone"),
        pytest.param(b"\x3a\x7fabc", "no ONNX model", id="cut off"),
        pytest.param(b"\x3b\x3c", "no ONNX model", id="group"),
        pytest.param(b"\xff" * 11, "no ONNX model", id="endless number"),
    ],
)
def test_what_may_grow_is_refused_with_the_reason(model: bytes, reason: str) -> None:
    with pytest.raises(ModelError, match=rf"^x: .*{reason}"):
        screen(model, where="x")


def test_too_many_nodes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening, "NODES_MAX", 3)
    screen(model_of(*[PASS] * 3), where="x")
    with pytest.raises(ModelError, match="more than 3 nodes"):
        screen(model_of(*[PASS] * 4), where="x")


def test_a_model_of_tiny_parts_is_refused_before_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening, "FIELDS_MAX", 1000)
    with pytest.raises(ModelError, match="more than 1000 parts"):
        screen(number(1, 1) * 1001, where="x")


def test_a_second_graph_is_looked_at_too_as_a_parser_merges_them() -> None:
    with pytest.raises(ModelError, match="sparse"):
        screen(onnx.model(onnx.graph([PASS], [X], [OUT]), block(7, block(15, sparse()))), where="x")


def test_a_field_number_beyond_32_bits_does_not_hide_a_function() -> None:
    key = (25 << 3 | 2) + (1 << 32)
    with pytest.raises(ModelError, match="field number"):
        screen(onnx.varint(key) + onnx.varint(0), where="x")


def test_damaged_models_end_in_an_answer_and_never_in_another_exception() -> None:
    rng = random.Random(20_260_101)
    whole = nested(4)
    refused = 0
    for _ in range(2000):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 6)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        try:
            screen(bytes(damaged[: rng.randint(1, len(damaged))]), where="x")
        except ModelError:
            refused += 1
    assert 500 < refused < 2000
