"""Holds an ONNX file against the contract it was given, before it may enter the registry.

Invariant: what passes loads, takes what the contract says, gives what its decoder reads, and has run once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from camera_edge.errors import ModelError
from camera_edge.inference.contract import Contract, PictureInput
from camera_edge.inference.graph import FREE, Graph, TensorSpec
from camera_edge.inference.model import OutputShape

# of every value that `infer` may give: what a guest has to take in one call
VALUES_MAX = 16 << 20


def probe(onnx: bytes, contract: Contract, *, where: str) -> tuple[OutputShape, ...]:
    """Loads the model and compares it with its contract; gives the shapes of its outputs.

    A model with a picture input is run once on zeros, so its shapes are those it really has. Raises ModelError.
    """
    graph = Graph(onnx, where=where)
    if contract.input is None:
        return tuple(OutputShape(spec.name, spec.shape) for spec in graph.outputs)
    _check_input(graph.inputs, contract.input, where)
    zeros = np.zeros(contract.input.shape, np.float32)
    names = (spec.name for spec in graph.outputs)
    outputs = tuple(OutputShape(name, array.shape) for name, array in zip(names, graph.run([zeros]), strict=True))
    _check_outputs(outputs, contract, where)
    return outputs


def _check_input(inputs: Sequence[TensorSpec], picture: PictureInput, where: str) -> None:
    names = [spec.name for spec in inputs]
    if names != [picture.name]:
        hint = "a contract with [input] is for models whose only input is that picture"
        raise ModelError(f"the contract's input is {picture.name!r}, the model has {names}", where=where, hint=hint)
    found = inputs[0]
    if found.dtype != np.float32:
        raise ModelError(f"input {found.name!r} is {found.dtype}, a picture is float32", where=where)
    if len(found.shape) != 4 or any(
        side not in (FREE, wanted) for side, wanted in zip(found.shape, picture.shape, strict=True)
    ):
        message = f"input {found.name!r} is {_shape(found.shape)}, the contract says {_shape(picture.shape)}"
        raise ModelError(message, where=where, hint="correct width, height, channels or layout in the contract")


def _check_outputs(outputs: tuple[OutputShape, ...], contract: Contract, where: str) -> None:
    if sum(int(np.prod(tensor.shape)) for tensor in outputs) > VALUES_MAX:
        raise ModelError(f"its outputs hold more than {VALUES_MAX} numbers", where=where)
    wanted = _decoded_shape(contract)
    if wanted is not None and not _fits(outputs, wanted):
        found = ", ".join(_shape(tensor.shape) for tensor in outputs)
        message = f"its outputs are {found}, decoder {contract.output.decoder!r} reads {_shape(wanted)}"
        raise ModelError(message, where=where, hint="correct decoder, strides or classes in the contract")


def _fits(outputs: tuple[OutputShape, ...], wanted: tuple[int, ...]) -> bool:
    """Whether there is one output, of this shape."""
    if len(outputs) != 1 or len(outputs[0].shape) != len(wanted):
        return False
    return all(want in (FREE, side) and side > 0 for side, want in zip(outputs[0].shape, wanted, strict=True))


def _decoded_shape(contract: Contract) -> tuple[int, ...] | None:
    """The shape of the one output that the contract's decoder reads; None: nobody here reads it.

    yolox: a row for each cell of each grid, holding box, objectness and classes; fastestdet: one grid of columns; the
    others: as many things as the model proposes, in rows, yolov8 in columns.
    """
    picture, output = contract.input, contract.output
    if picture is None or output.decoder == "none":
        return None
    classes = len(output.class_names)
    proposals = {"yolov5": (1, FREE, 5 + classes), "yolov8": (1, 4 + classes, FREE), "yolov10": (1, FREE, 6)}
    if output.decoder in proposals:
        return proposals[output.decoder]
    values = 5 + classes
    grids = [(picture.height // stride, picture.width // stride) for stride in output.strides]
    if output.decoder == "yolox":
        return 1, sum(rows * columns for rows, columns in grids), values
    return 1, values, *grids[0]


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join("?" if side == FREE else str(side) for side in shape)
