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
    """What `infer` looks at; shown and looked at by the thread that analyses."""

    def __init__(self) -> None:
        self._picture: Picture | None = None
        self._bgr: NDArray[np.uint8] | None = None

    def show(self, picture: Picture | None) -> None:
        """From now on this is the picture. None: there is none."""
        self._picture, self._bgr = picture, None

    def services(self, plan: AnalyzerPlan, sessions: Mapping[str, Session]) -> Services:
        """What this module was granted of models; `sessions`: the loaded ones by name."""

        def infer(model: str, region: Box) -> NDArray[np.float32]:
            return sessions[model].infer(self._look(), region)

        def graph(model: str) -> Graph:
            return sessions[model].graph()

        load = partial(Graph, where=f"a model of {plan.name}'s own", foreign=True) if plan.brings_models else None
        if not plan.models:
            return Services(load=load)
        return Services(infer=infer, graph=graph, load=load)

    def _look(self) -> NDArray[np.uint8]:
        if self._bgr is None:
            if self._picture is None:
                raise RuntimeError("infer was called outside of a frame")
            self._bgr = self._picture.to_bgr()
        return self._bgr
