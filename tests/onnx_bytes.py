"""Small ONNX models, written byte by byte, so that no test depends on weights that cannot be shipped.

Field numbers are those of onnx.proto3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FLOAT16, FLOAT, DOUBLE, UINT8, INT32, INT64, BOOL, STRING = 10, 1, 11, 2, 6, 7, 9, 8
# in the order of wasi-nn's tensor types
KINDS = {"f2": FLOAT16, "f4": FLOAT, "f8": DOUBLE, "u1": UINT8, "i4": INT32, "i8": INT64}

_GRAPH_ATTRIBUTE = 5
_OPSET = 14

Shape = Sequence[int | str]


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def block(field: int, *parts: bytes | str) -> bytes:
    """A length-delimited field."""
    data = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return varint(field << 3 | 2) + varint(len(data)) + data


def value(name: str, kind: int, shape: Shape) -> bytes:
    """An input or output; a side that is a text is free."""
    dims = (block(1, block(2, side) if isinstance(side, str) else number(1, side)) for side in shape)
    return block(1, name) + block(2, block(1, number(1, kind), block(2, *dims)))


def tensor(name: str, array: NDArray[np.generic]) -> bytes:
    """A weight, inside the file."""
    kind = BOOL if array.dtype == np.bool_ else KINDS[array.dtype.str[1:]]
    dims = b"".join(number(1, side) for side in array.shape)
    return dims + number(2, kind) + block(8, name) + block(9, array.tobytes())


def external(name: str, count: int, path: str) -> bytes:
    """A weight of `count` floats that lies in another file."""
    place = block(13, block(1, "location"), block(2, path))
    return number(1, count) + number(2, FLOAT) + block(8, name) + place + number(14, 1)


def node(operator: str, inputs: Sequence[str], outputs: Sequence[str], *attributes: bytes, domain: str = "") -> bytes:
    ends = [block(1, name) for name in inputs] + [block(2, name) for name in outputs]
    return b"".join((*ends, block(4, operator), *(block(5, each) for each in attributes), block(7, domain)))


def graph_attribute(name: str, graph: bytes) -> bytes:
    return block(1, name) + block(6, graph) + number(20, _GRAPH_ATTRIBUTE)


def graph(
    nodes: Sequence[bytes], inputs: Sequence[bytes], outputs: Sequence[bytes], weights: Sequence[bytes] = ()
) -> bytes:
    parts = [block(1, each) for each in nodes] + [block(2, "graph")] + [block(5, each) for each in weights]
    return b"".join(parts + [block(11, each) for each in inputs] + [block(12, each) for each in outputs])


def model(graph: bytes, *more: bytes) -> bytes:
    """`more`: further fields of the model, such as functions."""
    return number(1, 8) + block(7, graph) + block(8, block(1, ""), number(2, _OPSET)) + b"".join(more)


def identity(shape: Shape, *, kind: int = FLOAT, name: str = "picture", weight_file: str | None = None) -> bytes:
    """A model that gives back its one input; with `weight_file`, the greater of input (n,) and the n floats in it."""
    weights: list[bytes] = []
    if weight_file is None:
        only = node("Identity", [name], ["out"])
    else:
        only = node("Max", [name, "weight"], ["out"])
        weights.append(external("weight", int(shape[0]), weight_file))
    return model(graph([only], [value(name, kind, shape)], [value("out", kind, shape)], weights))


def sum_of_two(dtype: str, shape: Shape) -> bytes:
    """A model that adds its two inputs, `a` and `b`."""
    ends = [value(name, KINDS[dtype], shape) for name in ("a", "b", "out")]
    return model(graph([node("Add", ["a", "b"], ["out"])], ends[:2], ends[2:]))


def filled(numbers: int) -> bytes:
    """A model of few bytes whose output holds so many float32 zeros, whatever goes in."""
    shape = tensor("shape", np.array([numbers], "<i8"))
    ends = [value("x", FLOAT, (1,))], [value("out", FLOAT, ("n",))]
    return model(graph([node("ConstantOfShape", ["shape"], ["out"])], *ends, [shape]))


def endless() -> bytes:
    """A model whose one node loops 2^62 times over a body that changes nothing."""
    body = graph(
        [node("Identity", ["go"], ["goes"]), node("Identity", ["v"], ["w"])],
        [value("i", INT64, ()), value("go", BOOL, ()), value("v", FLOAT, (1,))],
        [value("goes", BOOL, ()), value("w", FLOAT, (1,))],
    )
    weights = [tensor("trips", np.array(1 << 62, "<i8")), tensor("yes", np.array(True))]
    loop = node("Loop", ["trips", "yes", "x"], ["out"], graph_attribute("body", body))
    return model(graph([loop], [value("x", FLOAT, (1,))], [value("out", FLOAT, (1,))], weights))


def constant(shape: Shape, numbers: NDArray[np.float32], *, name: str = "picture") -> bytes:
    """A model that gives the same numbers whatever picture of this shape goes in."""
    ends = [value(name, FLOAT, shape)], [value("out", FLOAT, numbers.shape)]
    return model(graph([node("Identity", ["numbers"], ["out"])], *ends, [tensor("numbers", numbers)]))
