"""The curves of a suite as charts, by the name of their file."""

from __future__ import annotations

import re

from camera_edge.eval.change import ChangeFigures
from camera_edge.eval.detection import Curve
from camera_edge.eval.people import PeopleFigures
from camera_edge.plot import Axis, Chart, Line

Charts = dict[str, Chart]


def of_change(figures: ChangeFigures) -> Charts:
    """Of each recording the F over its frames."""
    return {
        file_name("f", each.name): Chart(
            f"{each.name}: F of each labelled frame",
            Axis("frame"),
            Axis("F", 0, 1),
            [Line(method, curve) for method, curve in each.curves.items()],
        )
        for each in figures.recordings
    }


def of_people(figures: PeopleFigures) -> Charts:
    """Precision over recall, of each recording and of all of them."""
    parts = [(each.name, each.score) for each in figures.recordings]
    if len(parts) > 1:
        parts.append(("all", figures.score))
    return {
        file_name("precision-recall", name): Chart(
            f"{name}: persons, precision over recall",
            Axis("recall", 0, 1),
            Axis("precision", 0, 1),
            [_precision_recall("objects", score.curve), _precision_recall("called natively", score.native)],
        )
        for name, score in parts
    }


def _precision_recall(name: str, curve: Curve) -> Line:
    points = list(zip(curve.recall.tolist(), curve.precision.tolist(), strict=True))
    return Line(f"{name}, AP50 {curve.ap:.3f}", points)


def file_name(*parts: str) -> str:
    return "-".join(re.sub(r"[^A-Za-z0-9_]+", "-", part).strip("-") for part in parts)
