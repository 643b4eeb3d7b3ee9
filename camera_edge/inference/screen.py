"""Looks through an ONNX model that nobody vouches for, before the runtime parses it: may it grow?

Invariant: only the skeleton is decoded (graphs, nodes, the heads of tensors); weights are stepped over. What is refused
would make the runtime take memory or time out of proportion to the file: local functions are written out at every call,
sparse tensors become dense, strings live outside of the bounded memory, weights in another file are read from a path.

Field numbers are those of onnx.proto3. A message that stands twice is looked at twice, as a parser merges the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from camera_edge.errors import ModelError

NODES_MAX = 20_000
DEPTH_MAX = 8
# a model with weights of tens of megabytes has some ten thousand
FIELDS_MAX = 500_000
DOMAINS = frozenset({b"", b"ai.onnx"})

_VARINT, _BYTES = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}
_VARINT_BYTES_MAX = 10
_U32 = 0xFFFFFFFF
_EXTERNAL = 1

# model
_GRAPH, _FUNCTIONS = 7, 25
# graph
_NODE, _INITIALIZER, _SPARSE_INITIALIZER = 1, 5, 15
# node
_OPERATOR, _ATTRIBUTE, _DOMAIN = 4, 5, 7
# attribute
_TENSOR, _SUBGRAPH, _TENSORS, _SUBGRAPHS, _SPARSE_TENSOR, _SPARSE_TENSORS = 5, 6, 10, 11, 22, 23
# tensor
_STRINGS, _EXTERNAL_DATA, _DATA_LOCATION = 6, 13, 14


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a message: `data` is empty unless it is bytes; `number` is cut to 32 bits."""

    tag: int
    number: int
    data: memoryview


class _RefusedError(Exception):
    """The reason is its message."""


def screen(onnx: bytes, *, where: str) -> None:
    """Raises ModelError for a model that may grow, or whose skeleton is no protocol buffer; `where` names it."""
    try:
        _Screening().model(memoryview(onnx))
    except _RefusedError as refused:
        hint = "export it as one graph of standard operators on plain, dense tensors, all in one file"
        raise ModelError(f"this model is refused: {refused}", where=where, hint=hint) from refused


class _Screening:
    """One look through one model. Every method raises _RefusedError."""

    def __init__(self) -> None:
        self._nodes = 0
        self._steps = 0

    def model(self, message: memoryview) -> None:
        for field in self._fields(message):
            if field.tag == _FUNCTIONS:
                raise _RefusedError("it has functions of its own")
            if field.tag == _GRAPH:
                self._graph(field.data, 1)

    def _graph(self, message: memoryview, depth: int) -> None:
        if depth > DEPTH_MAX:
            raise _RefusedError(f"its graphs are nested more than {DEPTH_MAX} deep")
        for field in self._fields(message):
            if field.tag == _SPARSE_INITIALIZER:
                raise _RefusedError("it has a sparse tensor")
            if field.tag == _NODE:
                self._node(field.data, depth)
            elif field.tag == _INITIALIZER:
                self._tensor(field.data)

    def _node(self, message: memoryview, depth: int) -> None:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise _RefusedError(f"it has more than {NODES_MAX} nodes")
        for field in self._fields(message):
            if field.tag == _ATTRIBUTE:
                self._attribute(field.data, depth)
            elif field.tag == _DOMAIN and bytes(field.data) not in DOMAINS:
                raise _RefusedError("it has an operator that is not of the ONNX standard")
            elif field.tag == _OPERATOR and bytes(field.data[:6]) == b"String":
                raise _RefusedError("it works on strings")

    def _attribute(self, message: memoryview, depth: int) -> None:
        for field in self._fields(message):
            if field.tag in (_SPARSE_TENSOR, _SPARSE_TENSORS):
                raise _RefusedError("it has a sparse tensor")
            if field.tag in (_SUBGRAPH, _SUBGRAPHS):
                self._graph(field.data, depth + 1)
            elif field.tag in (_TENSOR, _TENSORS):
                self._tensor(field.data)

    def _tensor(self, message: memoryview) -> None:
        for field in self._fields(message):
            if field.tag == _STRINGS:
                raise _RefusedError("it works on strings")
            if field.tag == _EXTERNAL_DATA or (field.tag == _DATA_LOCATION and field.number == _EXTERNAL):
                raise _RefusedError("its weights lie in another file")

    def _fields(self, message: memoryview) -> Iterator[_Field]:
        """The fields of one message, in their order."""
        at = 0
        while at < len(message):
            self._steps += 1
            if self._steps > FIELDS_MAX:
                raise _RefusedError(f"it has more than {FIELDS_MAX} parts")
            key, at = _varint(message, at)
            # a parser may drop the bits above these, and see another field than this one
            if key > _U32:
                raise _RefusedError("it is no ONNX model (a field number that is too large)")
            kind = key & 7
            number, length = 0, _FIXED_BYTES.get(kind)
            if length is None:
                number, at = _varint(message, at)
                length = {_VARINT: 0, _BYTES: number}.get(kind)
            if length is None or length > len(message) - at:
                raise _RefusedError("it is no ONNX model, or not all of one")
            yield _Field(key >> 3, number & _U32, message[at : at + length] if kind == _BYTES else message[:0])
            at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number at `at`, and where the next byte after it stands."""
    value = 0
    for place, byte in enumerate(message[at : at + _VARINT_BYTES_MAX]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise _RefusedError("it is no ONNX model, or not all of one")
