"""Draws when events went on: a lane for each kind over one axis of time, as SVG.

Invariant: as wide as the page, and with letters of one size on every screen: all places across are percentages. It is
bounded, since what falls into one column of the picture is drawn once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from camera_edge.dossier.findings import Span
from camera_edge.dossier.markup import Html, tag
from camera_edge.dossier.moment import clock, duration, round_times

COLUMNS = 800
HUES = 6
LANES_MAX = 24
_LANE_PX = 38
_BAR_PX = 14
_AXIS_PX = 24
_NARROWEST = 0.3


@dataclass(frozen=True, slots=True)
class Bar:
    """One event, or several that touch in the same columns; `event_id` empty: several."""

    opened_us: int
    closed_us: int
    events: int
    event_id: str


def bars(spans: Sequence[Span], length_us: int) -> list[Bar]:
    """Spans of one lane as bars that do not overlap, in order."""
    column_us = max(length_us, 1) / COLUMNS
    joined: list[Bar] = []
    for span in sorted(spans, key=lambda each: each.opened_us):
        last = joined[-1] if joined else None
        if last is not None and span.opened_us < last.closed_us + column_us:
            closed_us = max(last.closed_us, span.closed_us)
            joined[-1] = Bar(last.opened_us, closed_us, last.events + 1, "")
        else:
            joined.append(Bar(span.opened_us, span.closed_us, 1, span.event_id))
    return joined


def timeline(spans: Sequence[Span], length_us: int, anchors: Mapping[str, str]) -> Html:
    """`anchors`: of the events that stand further down the page where they do; their bars lead there."""
    kinds = list(dict.fromkeys(span.kind for span in sorted(spans, key=lambda each: each.opened_us)))
    lanes = []
    for number, kind in enumerate(kinds[:LANES_MAX]):
        drawn = bars([span for span in spans if span.kind == kind], length_us)
        label = tag("text", f"{kind} ({sum(bar.events for bar in drawn)})", x=0, y=14, class_="lane")
        marks = [_mark(kind, bar, length_us, anchors.get(bar.event_id)) for bar in drawn]
        moved = f"translate(0 {_LANE_PX * number})"
        lanes.append(tag("g", label, marks, class_=f"hue{number % HUES}", transform=moved))
    height_px = _LANE_PX * len(lanes)
    drawing = tag(
        "svg",
        _axis(length_us, height_px),
        lanes,
        class_="timeline",
        role="img",
        width="100%",
        height=height_px + _AXIS_PX,
        aria_label="When events went on, a lane for each kind; the list below says the same in words.",
    )
    further = len(kinds) - len(lanes)
    note = tag("p", f"{further} further kinds have no lane here.", class_="note") if further > 0 else None
    return tag("div", drawing, note, class_="time")


def _mark(kind: str, bar: Bar, length_us: int, anchor: str | None) -> Html:
    left = min(100 * bar.opened_us / max(length_us, 1), 100 - _NARROWEST)
    width = max(100 * (bar.closed_us - bar.opened_us) / max(length_us, 1), _NARROWEST)
    mark = tag(
        "rect",
        tag("title", _said(kind, bar)),
        x=_percent(left),
        y=20,
        width=_percent(min(width, 100 - left)),
        height=_BAR_PX,
        rx=2,
        class_="bar",
    )
    return mark if anchor is None else tag("a", mark, href=f"#{anchor}")


def _said(kind: str, bar: Bar) -> str:
    when = f"{clock(bar.opened_us)} to {clock(bar.closed_us)} ({duration(bar.closed_us - bar.opened_us)})"
    return f"{kind}, {when}" if bar.events == 1 else f"{bar.events} × {kind}, {when}"


def _axis(length_us: int, height_px: int) -> list[Html]:
    parts = []
    for at_us in round_times(length_us):
        across = 100 * at_us / max(length_us, 1)
        anchor = "start" if across < 4 else "end" if across > 96 else "middle"
        parts.append(tag("line", x1=_percent(across), x2=_percent(across), y1=0, y2=height_px + 4, class_="grid"))
        text = clock(at_us, decimals=0 if at_us % 1_000_000 == 0 else 1)
        parts.append(tag("text", text, x=_percent(across), y=height_px + 18, text_anchor=anchor, class_="tick"))
    parts.append(tag("line", x1="0", x2="100%", y1=height_px, y2=height_px, class_="axis"))
    return parts


def _percent(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") + "%"
