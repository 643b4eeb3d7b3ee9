"""The modules of one camera, compiled, with the models they were granted.

Invariant: never changed, only replaced as a whole: what one frame is analysed with is one lineup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from camera_edge.errors import ModuleError
from camera_edge.inference import Session, load_runtime
from camera_edge.picture import ViewSpec
from camera_edge.sandbox import Cache, Program, Runtime
from camera_edge.worker.plan import AnalyzerPlan, CameraPlan


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a module with its program."""

    plan: AnalyzerPlan
    program: Program

    @property
    def view(self) -> ViewSpec:
        return self.plan.module.manifest.view.spec

    @property
    def number(self) -> str:
        return self.plan.module.manifest.version

    def is_same(self, other: Version) -> bool:
        """Whether what runs as the one would be what runs as the other."""
        return (self.plan.module.sha256, self.plan.module.manifest) == (
            other.plan.module.sha256,
            other.plan.module.manifest,
        ) and (self.plan.capabilities, self.plan.params) == (other.plan.capabilities, other.plan.params)


@dataclass(frozen=True, slots=True)
class Member:
    """One module: the versions to try, the wanted one first. `refused`: those before them that could not be loaded."""

    plan: AnalyzerPlan
    versions: tuple[Version, ...]
    refused: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.plan.name


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

        Raises ModuleError where no version of a module can be loaded, ModelError.
        """
        versions = [each for wanted in plan.analyzers for each in (wanted, *wanted.fallbacks)]
        if any(each.brings_models for each in versions):
            load_runtime()
        members = [_member(each, runtime, cache) for each in plan.analyzers]
        loaded = before.sessions if before is not None else {}
        models = {model.name: model for each in versions for model in each.models}
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
        return [version.view for member in self.analyzers for version in member.versions]


def _member(wanted: AnalyzerPlan, runtime: Runtime, cache: Cache) -> Member:
    versions: list[Version] = []
    refused: list[str] = []
    first_fault: ModuleError | None = None
    for plan in (wanted, *wanted.fallbacks):
        try:
            versions.append(Version(plan, runtime.load(plan.module, cache)))
        except ModuleError as error:
            first_fault = first_fault or error
            # of those that would only be tried after one that is there nobody needs to hear
            if not versions:
                refused.append(f"{plan.name} {plan.module.manifest.version} {error.message}")
    if not versions:
        assert first_fault is not None, "a module has one version at least"
        raise first_fault
    return Member(wanted, tuple(versions), tuple(refused))
