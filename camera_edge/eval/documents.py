"""The figures of a suite as one JSON object.

Invariant: the keys that are promised stand at the top, of all recordings together; `recordings` holds those of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import to_builtins

from camera_edge.eval.change import ChangeFigures
from camera_edge.eval.replay import Timing

Document = dict[str, Any]
DIGITS = 6


def of_change(figures: ChangeFigures) -> Document:
    return _rounded(
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


def timing(spent: Timing) -> Document:
    return {
        "pipeline_ms_per_frame": spent.pipeline_ms,
        "analyzer_ms_per_frame": dict(spent.analyzers_ms),
        "model_ms_per_frame": dict(spent.models_ms),
    }


def _rounded(document: Mapping[str, Any]) -> Document:
    """The same with its numbers rounded: digits that no two runs share are not told."""
    return {key: _short(value) for key, value in document.items()}


def _short(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _rounded(value)
    if isinstance(value, list | tuple):
        return [_short(each) for each in value]
    return round(value, DIGITS) if isinstance(value, float) else value
