"""Small ONNX models, written here byte by byte, so that no test depends on weights that cannot be shipped."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = REPOSITORY.parent / "shared" / "data"

FLOAT = 1

OnnxWriter = Callable[..., bytes]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, *parts: bytes | str) -> bytes:
    """A length-delimited protobuf field; the numbers are those of onnx.proto3."""
    data = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _value_info(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    dims = (_bytes(1, _bytes(2, side) if isinstance(side, str) else _number(1, side)) for side in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, kind), _bytes(2, *dims)))


def _external(path: str, count: int) -> bytes:
    """A weight of `count` floats that lies in another file."""
    place = _bytes(13, _bytes(1, "location"), _bytes(2, path))
    return _number(1, count) + _number(2, FLOAT) + _bytes(8, "weight") + place + _number(14, 1)


def _identity(
    shape: Sequence[int | str], *, kind: int = FLOAT, name: str = "picture", weight_file: str | None = None
) -> bytes:
    """A model that gives back its one input; with `weight_file`, the greater of input (n,) and the n floats in it."""
    if weight_file is None:
        node, initializer = _bytes(1, name) + _bytes(2, "out") + _bytes(4, "Identity"), b""
    else:
        node = _bytes(1, name) + _bytes(1, "weight") + _bytes(2, "out") + _bytes(4, "Max")
        initializer = _bytes(5, _external(weight_file, int(shape[0])))
    ends = _bytes(11, _value_info(name, kind, shape)) + _bytes(12, _value_info("out", kind, shape))
    graph = _bytes(1, node) + _bytes(2, "graph") + initializer + ends
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, ""), _number(2, 13))


@pytest.fixture
def onnx() -> OnnxWriter:
    """Writes a model that gives back its one input: `onnx((1, 3, 8, 8), kind=1, name="picture")`."""
    return _identity


@pytest.fixture
def catalogue_file() -> Path:
    return REPOSITORY / "models" / "catalogue.toml"


@pytest.fixture
def weights() -> Path:
    """The folder of public models, where the evaluation data is present."""
    folder = DATA / "models"
    if not folder.is_dir():
        pytest.skip(f"no evaluation data at {os.path.relpath(DATA, REPOSITORY)}")
    return folder
