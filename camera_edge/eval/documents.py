"""The figures of a suite as one JSON object.

Invariant: the keys that are promised stand at the top, of all recordings together; `recordings` holds those of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import to_builtins

from camera_edge.eval.change import ChangeFigures
from camera_edge.eval.events import EventsFigures
from camera_edge.eval.incidents import Verdict
from camera_edge.eval.normality import NormalityFigures, VariantResult
from camera_edge.eval.people import PeopleFigures, PeopleScore
from camera_edge.eval.replay import Timing
from camera_edge.eval.scores import Roc

Document = dict[str, Any]
DIGITS = 6


def of_change(figures: ChangeFigures) -> Document:
    return rounded(
        {
            "suite": "change",
            **to_builtins(figures.score),
            "baselines": to_builtins(figures.baselines),
            "recordings": [
                {
                    "name": each.name,
                    "frames": each.frames,
                    "labelled": each.labelled,
                    **to_builtins(each.score),
                    "baselines": to_builtins(each.baselines),
                    "timing": timing(each.timing),
                }
                for each in figures.recordings
            ],
        }
    )


def of_people(figures: PeopleFigures) -> Document:
    return rounded(
        {
            "suite": "people",
            **_people_score(figures.score, figures.model),
            "model": figures.model,
            "recordings": [
                {
                    "name": each.name,
                    "frames": each.frames,
                    **_people_score(each.score, figures.model),
                    "timing": timing(each.timing),
                }
                for each in figures.recordings
            ],
        }
    )


def _people_score(score: PeopleScore, model: str) -> Document:
    tracks = score.tracks
    return {
        "ap50": score.curve.ap,
        "best_f1": score.curve.best_f1,
        "best_f1_at": score.curve.best_score,
        "ap50_reported": score.reported.ap,
        "best_f1_reported": score.reported.best_f1,
        "idf1": tracks.idf1,
        "mota": tracks.mota,
        "ms_per_frame": score.ms_per_frame,
        "boxes": tracks.boxes,
        "misses": tracks.misses,
        "false": tracks.false,
        "switches": tracks.switches,
        "baselines": {
            f"{model} by ONNX Runtime": {
                "ap50": score.native.ap,
                "best_f1": score.native.best_f1,
                "ms_per_frame": score.native_ms,
            }
        },
    }


def of_normality(figures: NormalityFigures) -> Document:
    whole = figures.whole
    return rounded(
        {
            "suite": "normality",
            **_variant(whole),
            "frames_per_second": 1000 / whole.ms_per_frame if whole.ms_per_frame else None,
            "pipeline_ms_per_frame": whole.pipeline_ms,
            "variants": {name: _variant(each) for name, each in figures.variants.items()},
            "learned": {
                "recordings": len(figures.camera.training),
                "seconds": figures.learned_s,
                "state_bytes": len(figures.state),
            },
            "unmeasured": list(figures.camera.unmeasured),
            "recordings": [
                {
                    "name": clip.name,
                    "frames": len(clip.labels),
                    "unusual": int(clip.labels.sum()),
                    "auc": _auc(clip.curve),
                    "eer": None if clip.curve is None else clip.curve.eer,
                    "auc_by_variant": {name: _auc(each.clips[at].curve) for name, each in figures.variants.items()},
                    "timing": timing(whole.timing[at]),
                }
                for at, clip in enumerate(whole.clips)
            ],
        }
    )


def _variant(variant: VariantResult) -> Document:
    curve = variant.curve
    return {
        "auc_micro": _auc(curve),
        "auc_minmax": _auc(variant.stretched_curve),
        "auc_micro_revised": _auc(variant.revised_curve),
        "eer": None if curve is None else curve.eer,
        "ms_per_frame": variant.ms_per_frame,
    }


def _auc(curve: Roc | None) -> float | None:
    return None if curve is None else curve.auc


def of_events(figures: EventsFigures) -> Document:
    return rounded(
        {
            "suite": "events",
            **_verdict(figures.verdict),
            "judged": {name: _verdict(each) for name, each in figures.verdicts.items()},
            "recordings": [
                {
                    "name": each.recording.name,
                    "frames": each.frames,
                    **_verdict(each.verdict),
                    "judged": {name: _verdict(verdict) for name, verdict in each.verdicts.items()},
                    "events": to_builtins(each.alarms),
                    "unjudged": list(each.unjudged),
                    "timing": timing(each.timing),
                }
                for each in figures.recordings
            ],
        }
    )


def _verdict(verdict: Verdict) -> Document:
    return {
        "precision": verdict.precision,
        "recall": verdict.recall,
        "false": verdict.false,
        "delay_s": verdict.delay_s,
        "delay_max_s": max(verdict.delays_s, default=None),
        "found": verdict.found,
        "missed": verdict.missed,
        "mistimed": verdict.mistimed,
    }


def timing(spent: Timing) -> Document:
    return {
        "pipeline_ms_per_frame": spent.pipeline_ms,
        "analyzer_ms_per_frame": dict(spent.analyzers_ms),
        "model_ms_per_frame": dict(spent.models_ms),
    }


def rounded(document: Mapping[str, Any]) -> Document:
    """The same with its numbers rounded: digits that no two runs share are not told."""
    return {key: _short(value) for key, value in document.items()}


def _short(value: Any) -> Any:
    if isinstance(value, Mapping):
        return rounded(value)
    if isinstance(value, list | tuple):
        return [_short(each) for each in value]
    return round(value, DIGITS) if isinstance(value, float) else value
