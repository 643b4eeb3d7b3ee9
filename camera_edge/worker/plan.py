"""Turns a camera's configuration into what its worker builds: modules with grants, rules, redaction.

Invariant: decides and acts not. What is missing (a module, a model, a grant) is an error here, before a camera opens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from camera_edge.errors import ConfigError, ModelError, ModuleError
from camera_edge.inference import Model, Registry, model_params
from camera_edge.redact import Mode, RedactionPolicy
from camera_edge.rules import Polygon, Rule
from camera_edge.sandbox import (
    Capabilities,
    ModuleFile,
    Shelf,
    follows,
    models_named,
    shipped,
    shipped_names,
    ungranted,
)
from camera_edge.sandbox.capability import NN_LOAD
from camera_edge.sandbox.version import ModuleVersion
from camera_edge.settings import REDACTION_DEFAULT, SHELF_FOLDER, AnalyzerSettings, CameraSettings, ClipSettings
from camera_edge.worker.choice import choose, implied
from camera_edge.worker.rulebook import rules_of

MICROSECONDS = 1_000_000
ONNX = "onnx:"
STATE = "state:"
MODELS_FOLDER = "models"
# where every frame is analysed, a gap that is longer than this hides the pictures in it
NATIVE_HZ = 5.0

ParamValue = str | float


@dataclass(frozen=True, slots=True)
class AnalyzerPlan:
    """One module of a camera. `reported` False: it runs so that what moves is hidden, and opens no events.

    fallbacks: other versions, to be tried in this order where this one does not start. waiting: newer versions that are
    not run, each with the reason.
    """

    name: str
    module: ModuleFile
    capabilities: frozenset[str]
    params: Mapping[str, ParamValue]
    models: tuple[Model, ...] = ()
    wake_on: str | None = None
    reported: bool = True
    state: bytes = b""
    fallbacks: tuple[AnalyzerPlan, ...] = ()
    waiting: tuple[str, ...] = ()

    @property
    def is_rule(self) -> bool:
        return self.module.manifest.is_rule

    @property
    def follows(self) -> str | None:
        """The analyzer that it is told about, where that saw something."""
        return follows(self.module, self.params, self.wake_on)

    @property
    def brings_models(self) -> bool:
        """It may hand models of its own to onnxruntime."""
        return NN_LOAD in self.capabilities


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """All that a pipeline is built from. `rate_hz` None: every frame is analysed.

    lacking: modules that the camera does without, each with the reason.
    """

    camera: str
    source: str
    rate_hz: float | None
    clip: ClipSettings
    redaction: RedactionPolicy
    mode: Mode
    privacy_masks: Sequence[Sequence[tuple[float, float]]]
    zones: Mapping[str, Polygon]
    rules: Sequence[Rule]
    analyzers: Sequence[AnalyzerPlan] = field(default_factory=tuple)
    time_zone: str = "UTC"
    lacking: tuple[str, ...] = ()

    @property
    def pixel_analyzers(self) -> list[AnalyzerPlan]:
        """Those that see frames, wakers first."""
        return [each for each in self.analyzers if not each.is_rule]

    @property
    def rule_modules(self) -> list[AnalyzerPlan]:
        return [each for each in self.analyzers if each.is_rule]

    @property
    def waiting(self) -> list[str]:
        """Modules that the camera does without, and versions that are not run, each with the reason."""
        return [*self.lacking, *(text for each in self.analyzers for text in each.waiting)]


@dataclass(frozen=True, slots=True)
class Supply:
    """Where plans take models and installed modules from."""

    models: Registry
    modules: Shelf

    @classmethod
    def of(cls, state: Path) -> Supply:
        """That of a state folder."""
        return cls(Registry(state / MODELS_FOLDER), Shelf(state / SHELF_FOLDER))


def plan_camera(camera: str, config: CameraSettings, supply: Supply, *, may_lack: bool = False) -> CameraPlan:
    """Raises ConfigError where the camera cannot run as configured.

    may_lack: where no version of an installed module may run (it was removed, revoked, damaged), the camera does
    without it and says so, unless its pictures are shown only where that module answered.
    """
    analyzers: list[AnalyzerPlan] = []
    lacking: dict[str, str] = {}
    for name, each in config.analyzers.items():
        try:
            analyzers.append(_analyzer(camera, name, each, supply))
        except (ModuleError, ModelError, ConfigError) as exc:
            if may_lack and name not in shipped_names() and name not in (config.redact.required or ()):
                lacking[name] = exc.message
                continue
            if isinstance(exc, ConfigError):
                raise
            raise ConfigError(f"cameras.{camera}: {exc.message}", where=exc.where, hint=exc.hint) from exc
    present = [replace(each, wake_on=None) if each.wake_on in lacking else each for each in analyzers]
    plan = assemble(camera, config, with_redaction(present))
    return replace(plan, lacking=tuple(f"without {name}: {reason}" for name, reason in lacking.items()))


def assemble(camera: str, config: CameraSettings, analyzers: Sequence[AnalyzerPlan]) -> CameraPlan:
    """A plan of these analyzers under the rest of the configuration."""
    for name in config.redact.required or ():
        if name not in {each.name for each in analyzers if not each.is_rule}:
            raise ConfigError(
                f"pictures are shown only where {name!r} answered (redact.with), and it does not run",
                hint=f"name it too: --analyzer {name}",
            )
    _check_company(analyzers, config)
    rate_hz = None if config.rate == "native" else float(config.rate)
    return CameraPlan(
        camera=camera,
        source=config.safe_source,
        rate_hz=rate_hz,
        clip=config.clip,
        redaction=RedactionPolicy(
            required=frozenset(config.redact.required or _redaction_default(analyzers)),
            period_us=round(MICROSECONDS / (rate_hz or NATIVE_HZ)),
            hold_us=round(config.redact.hold_s * MICROSECONDS),
            pad=config.redact.pad,
        ),
        mode=Mode(config.redact.mode),
        privacy_masks=config.privacy_masks,
        zones={name: Polygon(tuple(outline)) for name, outline in config.zones.items()},
        rules=rules_of(config, analyzers),
        analyzers=wakers_first([_in_place(each, camera, config) for each in analyzers]),
        time_zone=config.time_zone,
    )


def unreported_kinds(plan: CameraPlan) -> list[tuple[str, str]]:
    """Rules and the kinds they wait for that no analyzer of the camera reports: those never open an event."""
    known = {kind for each in plan.pixel_analyzers if each.reported for kind in each.module.manifest.kinds}
    return [(rule.name, kind) for rule in plan.rules for kind in sorted(rule.kinds - known)]


def with_redaction(analyzers: Sequence[AnalyzerPlan]) -> list[AnalyzerPlan]:
    """Adds `motion`, unreported, where nothing else would say what moves."""
    if any(each.name == REDACTION_DEFAULT for each in analyzers):
        return list(analyzers)
    module = shipped(REDACTION_DEFAULT)
    hidden = AnalyzerPlan(REDACTION_DEFAULT, module, frozenset(module.manifest.capabilities), {}, reported=False)
    return [hidden, *analyzers]


def asks_for_models(module: ModuleFile) -> bool:
    return any(capability.startswith(ONNX) for capability in module.manifest.capabilities)


def state_bytes(plan: AnalyzerPlan) -> int:
    """How much a module may keep."""
    return Capabilities.read(plan.capabilities, where=plan.name).state_bytes


def granted_models(
    module: ModuleFile, params: Mapping[str, ParamValue], granted: Set[str], registry: Registry
) -> tuple[Model, ...]:
    """The models that the module may run: first those that its parameters name, then all that were granted.

    Raises ConfigError where it asks for whichever `model` names, and that names none; ModelError.
    """
    if not asks_for_models(module):
        return ()
    model = params.get("model")
    if f"{ONNX}*" in module.manifest.capabilities and not isinstance(model, str):
        raise ConfigError(
            f"analyzer {module.manifest.name} needs a detector and no parameter `model` names one",
            hint="add one with `camera-edge model add FILE`, then name it: model=NAME",
        )
    names = dict.fromkeys(models_named(params).values())
    names |= dict.fromkeys(name.removeprefix(ONNX) for name in sorted(granted) if name.startswith(ONNX))
    return tuple(registry.get(name) for name in names)


def full_params(params: Mapping[str, ParamValue], models: Sequence[Model]) -> dict[str, ParamValue]:
    """With what a guest must know of the models that its parameters name."""
    by_name = {each.name: each for each in models}
    known: dict[str, ParamValue] = {}
    for param, name in models_named(params).items():
        if name in by_name:
            known |= model_params(by_name[name], param)
    return {**params, **known}


def wakers_first(analyzers: Sequence[AnalyzerPlan]) -> tuple[AnalyzerPlan, ...]:
    """A sleeper comes after its waker, so that it is woken by the same frame; one that follows another after that."""
    ordered: list[AnalyzerPlan] = []
    waiting = list(analyzers)
    while waiting:
        done = {each.name for each in ordered}
        ready = [each for each in waiting if {each.wake_on, each.follows} - {None} <= done]
        if not ready:
            names = ", ".join(each.name for each in waiting)
            raise ConfigError(f"analyzers {names} wait for each other", hint="let one of them wait for none")
        ordered += ready
        waiting = [each for each in waiting if each not in ready]
    return tuple(ordered)


def _check_company(analyzers: Sequence[AnalyzerPlan], config: CameraSettings) -> None:
    """What cannot be beside one another. Raises ConfigError."""
    seeing = {each.name for each in analyzers if not each.is_rule}
    for each in analyzers:
        if each.follows is not None and each.follows not in seeing - {each.name}:
            raise ConfigError(
                f"analyzer {each.name} looks where {each.follows!r} saw something, and no such analyzer runs beside it",
                hint=f"name one of {', '.join(sorted(seeing - {each.name})) or 'none'} by its parameter `regions`",
            )
    rule_modules = {each.name for each in analyzers if each.is_rule}
    for each in analyzers:
        if each.wake_on in rule_modules or (each.is_rule and each.wake_on is not None):
            raise ConfigError(
                f"analyzer {each.name} wakes on {each.wake_on}, and a rule module neither wakes nor is woken",
                hint="leave out wake_on: rule modules are asked after every analysed frame",
            )
    for name, rule in config.rules.items():
        for named in sorted(rule_modules & set(rule.analyzers)):
            raise ConfigError(
                f"rule {name} names the rule module {named}, which opens its events by itself",
                hint=f"take {named} out of rules.{name}.analyzers",
            )
    if rule_modules and not any(each.reported and not each.is_rule for each in analyzers):
        raise ConfigError(
            f"{', '.join(sorted(rule_modules))} would see nothing: no analyzer is reported beside it",
            hint="name an analyzer too, such as motion",
        )


def _in_place(each: AnalyzerPlan, camera: str, config: CameraSettings) -> AnalyzerPlan:
    """With what a module may know of its camera."""
    known: dict[str, ParamValue] = {"camera.name": camera, "camera.zones": "\n".join(config.zones)}
    fallbacks = tuple(_in_place(other, camera, config) for other in each.fallbacks)
    return replace(each, params={**each.params, **known}, fallbacks=fallbacks)


def _analyzer(camera: str, name: str, config: AnalyzerSettings, supply: Supply) -> AnalyzerPlan:
    params: dict[str, ParamValue] = {
        key: value if isinstance(value, str) else float(value) for key, value in config.params.items()
    }
    candidates = _candidates(camera, name, config.grant, supply.modules)
    choice = choose(candidates, frozenset(config.grant), params)
    first = _version(camera, choice.order[0], config, params, supply.models)
    fallbacks = []
    for module in choice.order[1:]:
        # one that cannot be planned is none to fall back to
        with suppress(ConfigError, ModelError):
            fallbacks.append(_version(camera, module, config, params, supply.models))
    waiting = (*_withheld(first.module, supply.modules), *choice.waiting)
    return replace(first, fallbacks=tuple(fallbacks), waiting=waiting)


def _version(
    camera: str, module: ModuleFile, config: AnalyzerSettings, params: Mapping[str, ParamValue], registry: Registry
) -> AnalyzerPlan:
    name = module.manifest.name
    granted = implied(module) | frozenset(config.grant)
    module.manifest.with_defaults(params)
    models = granted_models(module, params, granted, registry)
    for wanted in models_named(params).values():
        if asks_for_models(module) and ONNX + wanted not in granted:
            raise ConfigError(
                f"cameras.{camera}.analyzers.{name}: the model {wanted} is not granted",
                hint=f"add `grant: [{ONNX}{wanted}]`",
            )
    lacking = ungranted(module, granted)
    if lacking:
        raise ConfigError(
            f"cameras.{camera}.analyzers.{name}: it imports {lacking[0]}, and that is not granted",
            hint=f"it asks for: {', '.join(module.manifest.capabilities)}; grant: [...] says what it gets",
        )
    return AnalyzerPlan(name, module, granted, full_params(params, models), models, config.wake_on)


def _withheld(chosen: ModuleFile, shelf: Shelf) -> tuple[str, ...]:
    """Newer versions than the chosen one that may not run, and versions that are damaged, each with the reason."""
    if chosen.origin != "installed":
        return ()
    name, version = chosen.manifest.name, chosen.manifest.version
    present = ModuleVersion.read(version, where=name)
    withheld = (
        f"{name} {record.version} is not run: {reason}; {version} runs"
        for record in shelf.records(name)
        if ModuleVersion.read(record.version, where=name) > present and (reason := shelf.withheld(record)) is not None
    )
    return (*withheld, *(str(fault) for fault in shelf.damaged(name)))


def _candidates(camera: str, name: str, grants: Sequence[str], shelf: Shelf) -> Sequence[ModuleFile]:
    """The versions of a shipped or installed module that may run, newest first; at least one."""
    candidates = (shipped(name),) if name in shipped_names() else shelf.candidates(name)
    if not candidates:
        reasons = [f"{each.version}: {shelf.withheld(each)}" for each in shelf.records(name)]
        names = sorted({*shipped_names(), *shelf.names()})
        raise ConfigError(
            f"cameras.{camera}.analyzers.{name}: "
            + (f"no version of it may run ({'; '.join(reasons)})" if reasons else "no analyzer of this name is there"),
            hint=f"use one of: {', '.join(names)}; or install it with `camera-edge analyzer install PACKAGE`",
        )
    asked = {capability for each in candidates for capability in each.manifest.capabilities}
    for grant in grants:
        if not _is_asked(grant, asked):
            raise ConfigError(
                f"cameras.{camera}.analyzers.{name} grants {grant!r}, which the module does not ask for",
                hint=f"it asks for: {', '.join(sorted(asked))}",
            )
    return candidates


def _is_asked(grant: str, asked: Set[str]) -> bool:
    """A state may be granted larger than it is asked for."""
    family = grant.partition(":")[0] + ":"
    if family == ONNX:
        return grant in asked or f"{ONNX}*" in asked
    return grant in asked or (family == STATE and any(each.startswith(STATE) for each in asked))


def _redaction_default(analyzers: Sequence[AnalyzerPlan]) -> list[str]:
    """Never none: nothing would have to have answered then for a picture to be shown."""
    pixel = [each for each in analyzers if not each.is_rule]
    # a shipped model finds nobody whom `motion` does not see
    names = [
        each.name
        for each in pixel
        if each.name == REDACTION_DEFAULT or not all(model.is_shipped for model in each.models)
    ]
    return names or [each.name for each in pixel]
