"""Says what made a clip: modules, models, decoder, runtimes, redaction."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace

from camera_edge.clips import Fingerprint, ModelRecord, ModuleRecord, RedactionRecord, RuntimeRecord
from camera_edge.inference import fingerprint as inference_fingerprint
from camera_edge.installed import installed_version
from camera_edge.redact import Mode, RedactionPolicy
from camera_edge.worker.plan import AnalyzerPlan, CameraPlan


@dataclass(frozen=True, slots=True)
class Provenance:
    source: str
    modules: tuple[ModuleRecord, ...]
    models: tuple[ModelRecord, ...]
    fingerprint: Fingerprint
    redaction: RedactionRecord

    def joined(self, later: Provenance) -> Provenance:
        """With the modules and models of a later time: a new version may have come while a clip was made."""
        modules = dict.fromkeys((*self.modules, *later.modules))
        models = dict.fromkeys((*self.models, *later.models))
        return replace(later, modules=tuple(modules), models=tuple(models))


def provenance(plan: CameraPlan, running: Sequence[AnalyzerPlan], decoder: str) -> Provenance:
    """running: what really runs, and may be older than what is wanted. decoder: the source's own fingerprint."""
    models = {model.name: model for each in running for model in each.models}
    with_models = bool(models) or any(each.brings_models for each in running)
    return Provenance(
        source=plan.source,
        modules=_modules(running),
        models=tuple(ModelRecord(name=model.name, sha256=model.sha256) for model in models.values()),
        fingerprint=Fingerprint(decoder=decoder, machine=platform.machine(), runtimes=_runtimes(with_models)),
        redaction=_redaction(plan.redaction, plan.mode, len(plan.privacy_masks)),
    )


def _modules(analyzers: Sequence[AnalyzerPlan]) -> tuple[ModuleRecord, ...]:
    return tuple(
        ModuleRecord(name=each.name, version=each.module.manifest.version, sha256=each.module.sha256)
        for each in analyzers
    )


def _runtimes(with_models: bool) -> tuple[RuntimeRecord, ...]:
    names = ["camera-edge", "wasmtime", "opencv-python-headless", "av"]
    records = [RuntimeRecord(name=name, version=installed_version(name)) for name in names]
    if with_models:
        # it would load onnxruntime, so it is asked only where a model does that anyway
        records.append(RuntimeRecord(name="onnxruntime", version=inference_fingerprint()))
    return tuple(records)


def _redaction(policy: RedactionPolicy, mode: Mode, masks: int) -> RedactionRecord:
    return RedactionRecord(
        mode=mode.value,
        required=tuple(sorted(policy.required)),
        pad=policy.pad,
        hold_s=policy.hold_us / 1e6,
        period_s=policy.period_us / 1e6,
        static_masks=masks,
    )
