"""The full picture of the frame that is being looked at, and the models that modules may run on it.

Invariant: converted at most once a frame, and only where a model asks for it; between frames there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from camera_edge.inference import Graph, Session
from camera_edge.observation import Box
from camera_edge.picture import Picture
from camera_edge.sandbox import Services
from camera_edge.worker.plan import AnalyzerPlan


class FullPicture:
    """What `infer` looks at. One thread."""

    def __init__(self) -> None:
        self._sessions: Mapping[str, Session] = {}
        self._picture: Picture | None = None
        self._bgr: NDArray[np.uint8] | None = None

    def show(self, picture: Picture | None, sessions: Mapping[str, Session]) -> None:
        """From now on this is the picture, None: there is none; `sessions`: the models by name."""
        self._picture, self._bgr, self._sessions = picture, None, sessions

    def services(self, plan: AnalyzerPlan) -> Services:
        """What this module was granted of models."""
        load = partial(Graph, where=f"a model of {plan.name}'s own", foreign=True) if plan.brings_models else None
        if not plan.models:
            return Services(load=load)
        return Services(infer=self._infer, graph=self._graph, load=load)

    def _infer(self, model: str, region: Box) -> NDArray[np.float32]:
        if self._bgr is None:
            if self._picture is None:
                raise RuntimeError("infer was called outside of a frame")
            self._bgr = self._picture.to_bgr()
        return self._sessions[model].infer(self._bgr, region)

    def _graph(self, model: str) -> Graph:
        return self._sessions[model].graph()
