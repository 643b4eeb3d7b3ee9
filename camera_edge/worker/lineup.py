"""The modules of one camera, compiled, with the models they were granted.

Invariant: never changed, only replaced as a whole: what one frame is analysed with is one lineup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from camera_edge.inference import Session, load_runtime
from camera_edge.picture import ViewSpec
from camera_edge.sandbox import Cache, Program, Runtime
from camera_edge.worker.plan import AnalyzerPlan, CameraPlan


@dataclass(frozen=True, slots=True)
class Member:
    """One module with its program."""

    plan: AnalyzerPlan
    program: Program

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def view(self) -> ViewSpec:
        return self.plan.module.manifest.view.spec

    def is_same(self, other: Member) -> bool:
        """Whether what runs as the one would be what runs as the other."""
        return (self.plan.module.sha256, self.plan.module.manifest) == (
            other.plan.module.sha256,
            other.plan.module.manifest,
        ) and (self.plan.capabilities, self.plan.params) == (other.plan.capabilities, other.plan.params)


@dataclass(frozen=True, slots=True, eq=False)
class Lineup:
    """`analyzers`: those that see frames, wakers first. `sessions`: granted models by name."""

    plan: CameraPlan
    analyzers: Sequence[Member]
    rule_modules: Sequence[Member]
    sessions: Mapping[str, Session]

    @classmethod
    def load(cls, plan: CameraPlan, runtime: Runtime, cache: Cache, before: Lineup | None = None) -> Lineup:
        """Compiles modules or takes them from the cache, loads models or takes them from `before`.

        Raises ModuleError, ModelError.
        """
        if any(each.brings_models for each in plan.analyzers):
            load_runtime()
        members = [Member(each, runtime.load(each.module, cache)) for each in plan.analyzers]
        loaded = before.sessions if before is not None else {}
        models = {model.name: model for each in plan.analyzers for model in each.models}
        return cls(
            plan,
            tuple(each for each in members if not each.plan.is_rule),
            tuple(each for each in members if each.plan.is_rule),
            {
                name: loaded[name] if name in loaded and loaded[name].model == model else Session(model)
                for name, model in models.items()
            },
        )

    @property
    def members(self) -> list[Member]:
        return [*self.analyzers, *self.rule_modules]

    @property
    def views(self) -> list[ViewSpec]:
        return [each.view for each in self.analyzers]
