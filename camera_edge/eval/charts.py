"""The curves of a suite as charts, by the name of their file."""

from __future__ import annotations

import re

from camera_edge.eval.change import ChangeFigures
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


def file_name(*parts: str) -> str:
    return "-".join(re.sub(r"[^A-Za-z0-9_]+", "-", part).strip("-") for part in parts)
