"""Gives a module all that it asks for, with the models that its parameters name, outside of any camera.

Invariant: what it gets here is what a camera's worker would give it under a grant of everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from camera_edge.errors import ConfigError, ModelError, ModuleError, UsageError
from camera_edge.inference import Graph, Registry, Session, load_runtime
from camera_edge.observation import Box
from camera_edge.picture import Picture
from camera_edge.rules import Polygon
from camera_edge.sandbox import Analyzer, Grants, ModuleFile, Program, RingMap, Services
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.plan import AnalyzerPlan, ParamValue, full_params, grant_model

CAMERA = "replay"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a command line or a golden case gives a module. `state`: what its store holds at the start."""

    params: Mapping[str, ParamValue] = field(default_factory=dict)
    state: bytes = b""
    zones: Mapping[str, Polygon] = field(default_factory=dict)


def plan_trial(module: ModuleFile, wishes: Wishes, models: Registry) -> AnalyzerPlan:
    """Raises UsageError for a parameter that the module does not have, or a model that is not there."""
    manifest = module.manifest
    try:
        model = grant_model(manifest.name, module, wishes.params, models)
        manifest.with_defaults(wishes.params)
    except (ConfigError, ModelError, ModuleError) as error:
        raise UsageError(error.message, where=error.where, hint=error.hint) from error
    camera: dict[str, ParamValue] = {"camera.name": CAMERA, "camera.zones": "\n".join(wishes.zones)}
    params = full_params({**wishes.params, **camera}, model)
    return AnalyzerPlan(
        name=manifest.name,
        module=module,
        capabilities=manifest.grant_all(params),
        params=params,
        models=(model,) if model is not None else (),
        state=wishes.state,
    )


class Trial:
    """A planned module, compiled, with its models loaded. `show` gives them the picture that is being looked at."""

    def __init__(self, plan: AnalyzerPlan, sandboxing: Sandboxing, zones: Mapping[str, Polygon]) -> None:
        """Raises ModuleError, ModelError."""
        self.plan = plan
        self.zones = zones
        self.program: Program = sandboxing.runtime.load(plan.module, sandboxing.cache)
        self.grants = Grants(plan.capabilities, plan.params, plan.state)
        self._sessions = {model.name: Session(model) for model in plan.models}
        self._bgr: NDArray[np.uint8] | None = None
        if plan.brings_models:
            load_runtime()

    @property
    def services(self) -> Services:
        has_models = bool(self._sessions)
        return Services(
            infer=self._infer if has_models else None,
            graph=(lambda name: self._sessions[name].graph()) if has_models else None,
            load=partial(Graph, where=f"a model of {self.plan.name}'s own", foreign=True)
            if self.plan.brings_models
            else None,
        )

    def analyzer(self, ring: RingMap) -> Analyzer:
        return Analyzer(self.program, self.grants, self.services, ring)

    def show(self, picture: Picture) -> None:
        if self._sessions:
            self._bgr = picture.to_bgr()

    def _infer(self, model: str, region: Box) -> NDArray[np.float32]:
        assert self._bgr is not None, "a picture is shown before the module looks"
        return self._sessions[model].infer(self._bgr, region)
