"""The curves of a suite as charts, by the name of their file."""

from __future__ import annotations

import re

from camera_edge.eval.annotation import Span
from camera_edge.eval.change import ChangeFigures
from camera_edge.eval.detection import Curve
from camera_edge.eval.events import EventsFigures, EventsResult
from camera_edge.eval.people import PeopleFigures
from camera_edge.plot import Axis, Band, Chart, Line, Mark, Point

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


def of_events(figures: EventsFigures) -> Charts:
    """Of each recording what happened, as bands, and the events, a row for each kind."""
    return {file_name("events", each.recording.name): _timeline(each) for each in figures.recordings}


def _timeline(result: EventsResult) -> Chart:
    recording = result.recording
    kinds = list(dict.fromkeys(each.kind for each in result.alarms))
    lines = []
    for row, kind in enumerate(kinds, start=1):
        points: list[Point] = []
        for alarm in result.alarms:
            if alarm.kind == kind:
                points += [(alarm.opened_s, row), (alarm.closed_s, row), (alarm.closed_s, float("nan"))]
        lines.append(Line(f"event {kind}", points))
    bands = [Band(f"{kind} there", *_ends(span)) for kind, spans in recording.present.items() for span in spans]
    bands += [Band("the exposure dips", *_ends(span)) for span in recording.dips]
    marks = [Mark(each.at_s, each.kind.removeprefix("object_")) for each in recording.turns]
    rows = Axis("kinds", 0, len(kinds) + 1)
    return Chart(f"{recording.name}: events, and what happened", Axis("time, s", 0), rows, lines, bands, marks)


def _ends(span: Span) -> tuple[float, float]:
    return span.begin_s, span.end_s


def file_name(*parts: str) -> str:
    return "-".join(re.sub(r"[^A-Za-z0-9_]+", "-", part).strip("-") for part in parts)
