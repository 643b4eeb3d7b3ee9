"""Writes the trained network as ONNX: plain operators, normalisation folded into the convolutions.

Invariant: the bytes follow from the weights alone.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from scripts.blobs.kinds import EXPECTED, KINDS
from scripts.blobs.net import CONVOLUTIONS, EMBEDDING, BlobNet
from scripts.blobs.window import COLUMNS, ROWS

_OPSET = 13
_IR = 8
# BatchNorm2d's
_EPSILON = 1e-5


class _Graph:
    """Nodes and weights as they come, each result feeding the next."""

    def __init__(self, head: str) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.head = head

    def then(self, operator: str, name: str, weights: dict[str, NDArray[np.float32]], **attributes: object) -> None:
        for key, value in weights.items():
            self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), f"{name}.{key}"))
        inputs = [self.head, *(f"{name}.{key}" for key in weights)]
        self.nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        self.head = name


def to_onnx(net: BlobNet, shares: NDArray[np.float64]) -> bytes:
    """The model: `window` (n, 2, ROWS, COLUMNS) to `kinds` (n, 8) and `embedding` (n, EMBEDDING).

    `shares`: how much of what it was trained on each kind was; the model answers as if they were as EXPECTED
    (M. Saerens et al., Adjusting the outputs of a classifier to new a priori probabilities, 2002).
    """
    state = {key: value.detach().numpy() for key, value in net.state_dict().items()}
    graph = _Graph("window")
    for number, (_, _, side, stride) in enumerate(CONVOLUTIONS):
        pads, strides = [side // 2] * 4, [stride] * 2
        graph.then("Conv", f"conv{number}", _folded(state, number), pads=pads, strides=strides)
        graph.then("Relu", f"relu{number}", {})
    graph.then("Flatten", "flat", {}, axis=1)
    weights = {"weight": state["project.weight"], "bias": state["project.bias"]}
    graph.then("Gemm", "project", weights, transB=1)
    graph.then("LpNormalization", "embedding", {}, axis=1, p=2)
    bias = state["kinds.bias"] + np.log(np.array(EXPECTED) / shares)
    weights = {"weight": state["kinds.weight"], "bias": bias.astype(np.float32)}
    graph.then("Gemm", "scores", weights, transB=1)
    graph.then("Softmax", "kinds", {}, axis=1)
    ends = [("window", ("n", 2, ROWS, COLUMNS)), ("kinds", ("n", len(KINDS))), ("embedding", ("n", EMBEDDING))]
    window, *outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ends]
    whole = helper.make_graph(graph.nodes, "blobs", [window], outputs, graph.weights)
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _folded(state: dict[str, NDArray[np.float32]], number: int) -> dict[str, NDArray[np.float32]]:
    """A convolution with the normalisation that follows it."""
    norm = f"norms.{number}"
    gain = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"] + _EPSILON)
    weight = state[f"convolutions.{number}.weight"] * gain[:, None, None, None]
    bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * gain
    return {"weight": weight.astype(np.float32), "bias": bias.astype(np.float32)}
