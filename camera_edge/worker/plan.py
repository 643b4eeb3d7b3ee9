"""Turns a camera's configuration into what its worker builds: modules with grants, rules, redaction.

Invariant: decides and acts not. What is missing (a module, a model, a grant) is an error here, before a camera opens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from camera_edge.errors import ConfigError, ModelError, ModuleError
from camera_edge.inference import Model, Registry, model_params
from camera_edge.redact import Mode, RedactionPolicy
from camera_edge.rules import Polygon, Rule
from camera_edge.sandbox import ModuleFile, shipped, shipped_names
from camera_edge.settings import AnalyzerSettings, CameraSettings, ClipSettings

MICROSECONDS = 1_000_000
REDACTION_DEFAULT = "motion"
ONNX = "onnx:"
MODELS_FOLDER = "models"
# where every frame is analysed, a gap that is longer than this hides the pictures in it
NATIVE_HZ = 5.0

ParamValue = str | float


@dataclass(frozen=True, slots=True)
class AnalyzerPlan:
    """One analyzer of a camera. `reported` False: it runs so that what moves is hidden, and opens no events."""

    name: str
    module: ModuleFile
    capabilities: frozenset[str]
    params: Mapping[str, ParamValue]
    models: tuple[Model, ...] = ()
    wake_on: str | None = None
    reported: bool = True
    state: bytes = b""


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """All that a pipeline is built from. `rate_hz` None: every frame is analysed."""

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


def plan_camera(camera: str, config: CameraSettings, registry: Registry) -> CameraPlan:
    """Raises ConfigError where the camera cannot run as configured."""
    try:
        analyzers = [_shipped_analyzer(camera, name, each, registry) for name, each in config.analyzers.items()]
    except (ModuleError, ModelError) as exc:
        raise ConfigError(f"cameras.{camera}: {exc.message}", where=exc.where, hint=exc.hint) from exc
    return assemble(camera, config, with_redaction(analyzers))


def assemble(camera: str, config: CameraSettings, analyzers: Sequence[AnalyzerPlan]) -> CameraPlan:
    """A plan of these analyzers under the rest of the configuration."""
    reported = frozenset(each.name for each in analyzers if each.reported)
    for name in config.redact.required or ():
        if name not in {each.name for each in analyzers}:
            raise ConfigError(
                f"pictures are shown only where {name!r} answered (redact.with), and it does not run",
                hint=f"name it too: --analyzer {name}",
            )
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
        rules=_rules(config, reported),
        analyzers=wakers_first(analyzers),
    )


def unreported_kinds(plan: CameraPlan) -> list[tuple[str, str]]:
    """Rules and the kinds they wait for that no analyzer of the camera reports: those never open an event."""
    known = {kind for each in plan.analyzers if each.reported for kind in each.module.manifest.kinds}
    return [(rule.name, kind) for rule in plan.rules for kind in sorted(rule.kinds - known)]


def with_redaction(analyzers: Sequence[AnalyzerPlan]) -> list[AnalyzerPlan]:
    """Adds `motion`, unreported, where nothing else would say what moves."""
    if any(each.name == REDACTION_DEFAULT for each in analyzers):
        return list(analyzers)
    module = shipped(REDACTION_DEFAULT)
    hidden = AnalyzerPlan(REDACTION_DEFAULT, module, frozenset(module.manifest.capabilities), {}, reported=False)
    return [hidden, *analyzers]


def grant_model(name: str, module: ModuleFile, params: Mapping[str, ParamValue], registry: Registry) -> Model | None:
    """The model that the parameter `model` names, where the module asks for one."""
    if not any(capability.startswith(ONNX) for capability in module.manifest.capabilities):
        return None
    model = params.get("model")
    if not isinstance(model, str):
        raise ConfigError(
            f"analyzer {name} needs a detector and no parameter `model` names one",
            hint="add one with `camera-edge model add FILE`, then name it: model=NAME",
        )
    return registry.get(model)


def full_params(params: Mapping[str, ParamValue], model: Model | None) -> dict[str, ParamValue]:
    return {**params, **(model_params(model) if model is not None else {})}


def wakers_first(analyzers: Sequence[AnalyzerPlan]) -> tuple[AnalyzerPlan, ...]:
    """A sleeper comes after its waker, so that it is woken by the same frame."""
    ordered: list[AnalyzerPlan] = []
    waiting = list(analyzers)
    while waiting:
        done = {each.name for each in ordered}
        ready = [each for each in waiting if each.wake_on is None or each.wake_on in done]
        if not ready:
            names = ", ".join(each.name for each in waiting)
            raise ConfigError(f"analyzers {names} wait for each other to wake", hint="let one of them run always")
        ordered += ready
        waiting = [each for each in waiting if each not in ready]
    return tuple(ordered)


def _shipped_analyzer(camera: str, name: str, config: AnalyzerSettings, registry: Registry) -> AnalyzerPlan:
    if name not in shipped_names():
        raise ConfigError(
            f"cameras.{camera}.analyzers.{name}: there is no shipped analyzer of this name",
            hint=f"use one of: {', '.join(shipped_names())}",
        )
    module = shipped(name)
    params: dict[str, ParamValue] = {
        key: value if isinstance(value, str) else float(value) for key, value in config.params.items()
    }
    module.manifest.with_defaults(params)
    granted = _granted(camera, name, module, config.grant)
    model = grant_model(name, module, params, registry)
    if model is not None and ONNX + model.name not in granted:
        raise ConfigError(
            f"cameras.{camera}.analyzers.{name}: the model {model.name} is not granted",
            hint=f"add `grant: [{ONNX}{model.name}]`",
        )
    models = (model,) if model is not None else ()
    return AnalyzerPlan(name, module, granted, full_params(params, model), models, config.wake_on)


def _granted(camera: str, name: str, module: ModuleFile, grants: Sequence[str]) -> frozenset[str]:
    """What the operator grants of what the module asks. `pixels` is granted by naming an analyzer for a camera."""
    asked = frozenset(module.manifest.capabilities)
    for grant in grants:
        if grant not in asked and not (grant.startswith(ONNX) and f"{ONNX}*" in asked):
            raise ConfigError(
                f"cameras.{camera}.analyzers.{name} grants {grant!r}, which the module does not ask for",
                hint=f"it asks for: {', '.join(sorted(asked))}",
            )
    return frozenset({"pixels"} & asked | set(grants))


def _redaction_default(analyzers: Sequence[AnalyzerPlan]) -> list[str]:
    """Never none: nothing would have to have answered then for a picture to be shown."""
    names = [each.name for each in analyzers if each.name == REDACTION_DEFAULT or each.models]
    return names or [each.name for each in analyzers]


def _rules(config: CameraSettings, reported: frozenset[str]) -> tuple[Rule, ...]:
    if not config.rules:
        return (Rule("any", analyzers=reported, quiet_us=3 * MICROSECONDS),)
    return tuple(
        Rule(
            name=name,
            kinds=frozenset(rule.kinds),
            zones=tuple(rule.zones),
            min_score=rule.min_score,
            hold_us=round(rule.hold_s * MICROSECONDS),
            quiet_us=round(rule.quiet_s * MICROSECONDS),
            analyzers=frozenset(rule.analyzers) or reported,
        )
        for name, rule in config.rules.items()
    )
