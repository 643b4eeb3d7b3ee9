"""Runs one granted model: on regions of pictures as its contract says, and on tensors that a guest brings.

Invariant: the bytes that the runtime loads are the bytes that were hashed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from camera_edge.errors import ModelError
from camera_edge.inference.fitting import crop, fit, normalise
from camera_edge.inference.graph import Graph
from camera_edge.inference.model import Model
from camera_edge.observation import Box


class Session:
    """A model, loaded. Making one loads onnxruntime into the process; one session, one thread at a time."""

    def __init__(self, model: Model, threads: int = 1) -> None:
        """Loads the model. Raises ModelError where its file is missing, damaged or cannot be run."""
        self.model = model
        self._graph = Graph(model.read(), where=str(model.path), threads=threads)

    def infer(self, bgr: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        """Runs the model on the region `box` of `bgr` (uint8, (height, width, 3)).

        Gives every output, flattened and one after the other in the model's order: float32, one dimension.
        Raises ModelError where the model takes no picture, the region lies outside, or inference fails.
        """
        spec = self.model.contract.input
        if spec is None:
            message = f"model {self.model.name!r} takes no picture: its contract has no [input]"
            raise ModelError(message, where=str(self.model.path), hint="a guest runs it through wasi-nn")
        tensor = normalise(fit(crop(bgr, box), spec), spec)
        outputs = self._graph.run([tensor])
        return np.concatenate([np.asarray(output, np.float32).reshape(-1) for output in outputs])

    def graph(self) -> Graph:
        """The model as wasi-nn sees it: names, types and shapes of its tensors, and `run`."""
        return self._graph
