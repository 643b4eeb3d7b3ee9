"""Gives a module all that it asks for, with the models that its parameters name, outside of any camera.

Invariant: what it gets here is what a camera's worker would give it under a grant of everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from camera_edge.errors import ConfigError, ModelError, ModuleError, UsageError
from camera_edge.inference import Registry, Session, load_runtime
from camera_edge.picture import Picture
from camera_edge.rules import Polygon
from camera_edge.sandbox import Analyzer, Grants, ModuleFile, Program, RingMap, Services
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.fullpicture import FullPicture
from camera_edge.worker.plan import AnalyzerPlan, ParamValue, full_params, granted_models

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
        granted = granted_models(module, wishes.params, manifest.grant_all(wishes.params), models)
        manifest.with_defaults(wishes.params)
    except (ConfigError, ModelError, ModuleError) as error:
        raise UsageError(error.message, where=error.where, hint=error.hint) from error
    camera: dict[str, ParamValue] = {"camera.name": CAMERA, "camera.zones": "\n".join(wishes.zones)}
    params = full_params({**wishes.params, **camera}, granted)
    return AnalyzerPlan(
        name=manifest.name,
        module=module,
        capabilities=manifest.grant_all(params),
        params=params,
        models=granted,
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
        self._full_picture = FullPicture()
        if plan.brings_models:
            load_runtime()

    @property
    def services(self) -> Services:
        return self._full_picture.services(self.plan, self._sessions)

    def analyzer(self, ring: RingMap) -> Analyzer:
        return Analyzer(self.program, self.grants, self.services, ring)

    def show(self, picture: Picture) -> None:
        self._full_picture.show(picture)
