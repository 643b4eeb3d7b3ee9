"""What `wasm_analyzers/ABI.md` says of wasi-nn is held against the code here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from camera_edge.inference import graph, screen
from camera_edge.sandbox import nn
from camera_edge.sandbox.nn import Encoding, NnErrno
from tests.sandbox.nn_caller import Guest

TEXT = (Path(__file__).parents[2] / "wasm_analyzers" / "ABI.md").read_text()
SECTION = TEXT[TEXT.index("\n### wasi-nn\n") : TEXT.index("\n### WASI\n")]


def rows(first_column: str) -> list[list[str]]:
    """The cells of the section's table whose head begins with this word."""
    _, _, table = SECTION.partition(f"\n| {first_column} |")
    lines = table.split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]


def test_the_functions_have_the_parameters_of_the_contract() -> None:
    documented = {name: len(parameters.split(",")) for name, parameters, _ in rows("wasi-nn")}
    assert documented == {name: each.parameters for name, each in Guest({}).functions.items()}


def test_the_errors_are_those_of_the_contract() -> None:
    assert {name: int(value) for value, name, _ in rows("error")} == {each.name: each.value for each in NnErrno}
    for _, _, errors in rows("wasi-nn"):
        assert set(errors.split(", ")) < set(NnErrno.__members__)


def test_the_tensor_types_are_those_of_the_contract() -> None:
    documented = re.findall(r"(\d) ([fiu])(\d+)", SECTION[SECTION.index("Types:") :].partition(";")[0])
    letters = [(int(kind), letter, int(bits)) for kind, letter, bits in documented]
    assert letters == [(kind, dtype.kind, dtype.itemsize * 8) for kind, dtype in enumerate(nn.DTYPES)]


@pytest.mark.parametrize(
    "sentence",
    [
        f"A tensor is {nn.TENSOR.size} bytes",
        f"the encodings {Encoding.ONNX} (`onnx`) and {Encoding.AUTODETECT} (`autodetect`) are taken",
        f"Targets {nn.TARGETS[0]} to {nn.TARGETS[-1]} ",
        f"At most {nn.GRAPHS_MAX} graphs, {nn.CONTEXTS_MAX} contexts, {nn.DIMENSIONS_MAX} dimensions",
        f"names of {nn.NAME_BYTES_MAX} bytes; {nn.HELD_BYTES_MAX >> 20} MiB of inputs and outputs",
        f"at most {nn.MODEL_BYTES_MAX >> 20} MiB, {nn.MODELS_BYTES_MAX >> 20} MiB for all that the guest holds",
        f"more than {screen.NODES_MAX:,} nodes, graphs nested more than {screen.DEPTH_MAX} deep",
        f"share {graph.FOREIGN_MEMORY_BYTES >> 20} MiB of memory",
        f"stopped after {graph.FOREIGN_RUN_S:.0f} s",
    ],
)
def test_each_number_in_the_text_is_the_one_in_the_code(sentence: str) -> None:
    assert sentence in re.sub(r"\s+", " ", SECTION)


def test_what_costs_as_much_as_infer_is_named() -> None:
    assert {"load", "compute"} == nn.COSTLY
    assert "`infer` and wasi-nn's `load` and `compute` cost" in TEXT
