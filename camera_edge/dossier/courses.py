"""Draws the scores of each analyzer over time, with its events as bands."""

from __future__ import annotations

from collections.abc import Sequence

from camera_edge.dossier.findings import SourceFindings, Span
from camera_edge.dossier.markup import Html, join, tag
from camera_edge.dossier.moment import SECOND_US, clock, round_times
from camera_edge.dossier.timeline import bars
from camera_edge.dossier.trace import Trace
from camera_edge.plot import Axis, Band, Chart, Line, Palette, Point, svg

HUES = tuple(f"var(--hue{hue})" for hue in range(6))
ON_THE_PAGE = Palette(ink="currentColor", grid="var(--line)", paper="none", lines=HUES)
_WIDTH_PX, _HEIGHT_PX = 1000, 240


def courses(found: SourceFindings) -> Html | None:
    analyzers = dict.fromkeys(trace.analyzer for trace in found.traces)
    if not analyzers:
        return None
    return join(tag("h3", "Scores"), [_course(name, found) for name in analyzers])


def _course(analyzer: str, found: SourceFindings) -> Html:
    traces = [trace for trace in found.traces if trace.analyzer == analyzer]
    marks = {at_us / SECOND_US: clock(at_us, decimals=0) for at_us in round_times(found.length_us)}
    chart = Chart(
        f"{analyzer}, {sum(trace.scores for trace in traces)} scores",
        Axis("media time", 0.0, max(found.length_us, 1) / SECOND_US, marks),
        Axis("score"),
        lines=[Line("afterwards" if trace.revised else "at the time", _points(trace)) for trace in traces],
        bands=_bands([span for span in found.spans if span.analyzer == analyzer], found.length_us),
        width_px=_WIDTH_PX,
        height_px=_HEIGHT_PX,
        palette=ON_THE_PAGE,
    )
    return tag("div", Html(svg(chart)), class_="wide plot", tabindex="0")


def _points(trace: Trace) -> list[Point]:
    """Down to the lowest and up to the highest of each stretch of time."""
    points: list[Point] = []
    for each in trace.stretches:
        at_s = each.from_us / SECOND_US
        points.append((at_s, each.low))
        if each.high > each.low:
            points.append((at_s, each.high))
    return points


def _bands(spans: Sequence[Span], length_us: int) -> list[Band]:
    bands: list[Band] = []
    for kind in dict.fromkeys(span.kind for span in spans):
        of_kind = [span for span in spans if span.kind == kind]
        bands += [Band(kind, bar.opened_us / SECOND_US, bar.closed_us / SECOND_US) for bar in bars(of_kind, length_us)]
    return bands
