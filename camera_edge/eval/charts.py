"""The curves of a suite as charts, by the name of their file."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from camera_edge.eval.annotation import Span
from camera_edge.eval.change import ChangeFigures
from camera_edge.eval.detection import Curve
from camera_edge.eval.events import EventsFigures, EventsResult
from camera_edge.eval.normality import UNMOVED, ClipScores, NormalityFigures
from camera_edge.eval.people import PeopleFigures, PeopleResult
from camera_edge.eval.scores import Labels, Roc
from camera_edge.eval.tamper import LIMIT_S, TamperFigures
from camera_edge.eval.tampering import Kind
from camera_edge.eval.tracking import pair_up
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
    """Precision over recall, of each recording and of all of them; of each the mistakes over time."""
    parts = [(each.name, each.score) for each in figures.recordings]
    if len(parts) > 1:
        parts.append(("all", figures.score))
    curves = {
        file_name("precision-recall", name): Chart(
            f"{name}: persons, precision over recall",
            Axis("recall", 0, 1),
            Axis("precision", 0, 1),
            [
                _precision_recall("objects, as seen", score.curve),
                _precision_recall("called natively", score.native),
                _precision_recall("objects, as reported", score.reported),
            ],
        )
        for name, score in parts
    }
    return curves | {file_name("mistakes", each.name): _mistakes(each) for each in figures.recordings}


def _mistakes(result: PeopleResult) -> Chart:
    """What went wrong up to each frame: lines that rise where it does."""
    truth, found = result.tracks.truth, result.tracks.found
    frames = pair_up(truth, found)
    counts = {
        "boxes missed": [len(true.boxes) - len(frame.pairs) for true, frame in zip(truth, frames, strict=True)],
        "boxes too much": [len(seen.boxes) - len(frame.pairs) for seen, frame in zip(found, frames, strict=True)],
    }
    return Chart(
        f"{result.name}: mistakes so far, and where a person got another number",
        Axis("frame"),
        Axis("boxes", 0),
        [Line(name, list(enumerate(np.cumsum(each).tolist()))) for name, each in counts.items()],
        marks=[Mark(at) for at, frame in enumerate(frames) for _ in frame.switched],
    )


def _precision_recall(name: str, curve: Curve) -> Line:
    points = list(zip(curve.recall.tolist(), curve.precision.tolist(), strict=True))
    return Line(f"{name}, AP50 {curve.ap:.3f}", points)


def of_normality(figures: NormalityFigures) -> Charts:
    """ROC of all variants and of each clip, and of each clip the scores over time with what is labelled."""
    whole = figures.whole
    charts = {
        "roc-variants": _roc_chart(
            "ROC over all clips, causal scores", {name: each.curve for name, each in figures.variants.items()}
        ),
        "roc-clips": _roc_chart("ROC of each clip, causal scores", {clip.name: clip.curve for clip in whole.clips}),
    }
    unmoved = figures.variants.get(UNMOVED)
    for at, clip in enumerate(whole.clips):
        lines = [Line("score", list(enumerate(clip.causal.tolist())))]
        if (clip.causal != clip.revised).any():
            lines.append(Line("revised later", list(enumerate(clip.revised.tolist()))))
        if unmoved is not None:
            lines.append(Line(f"with {UNMOVED}", list(enumerate(unmoved.clips[at].causal.tolist()))))
        bands = [Band("labelled unusual", begin - 0.5, end - 0.5) for begin, end in _stretches(clip.labels)]
        marks = [Mark(frame, name) for name, frame in doubtful_frames(clip).items()]
        charts[file_name("score", clip.name)] = Chart(
            f"{clip.name}: score of each frame", Axis("frame"), Axis("score"), lines, bands, marks
        )
    return charts


def doubtful_frames(scores: ClipScores) -> dict[str, int]:
    """The usual frame of the highest causal score, the unusual one of the lowest."""
    chosen = {}
    if not scores.labels.all():
        chosen["highest usual"] = int(np.where(scores.labels, -np.inf, scores.causal).argmax())
    if scores.labels.any():
        chosen["lowest unusual"] = int(np.where(scores.labels, scores.causal, np.inf).argmin())
    return chosen


def _roc_chart(title: str, curves: Mapping[str, Roc | None]) -> Chart:
    lines = [
        Line(f"{name}, {curve.auc:.3f}", list(zip(curve.false_rate.tolist(), curve.true_rate.tolist(), strict=True)))
        for name, curve in curves.items()
        if curve is not None
    ]
    return Chart(title, Axis("usual frames alarmed", 0, 1), Axis("unusual frames found", 0, 1), lines, height_px=420)


def _stretches(labels: Labels) -> list[tuple[int, int]]:
    """First frame, and the one after the last, of each run of true ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], labels, [False]]).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


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
        lines.append(Line("", points))
    bands = [Band(f"{kind} there", *_ends(span)) for kind, spans in recording.present.items() for span in spans]
    bands += [Band("the exposure dips", *_ends(span)) for span in recording.dips]
    marks = [Mark(each.at_s, each.kind.removeprefix("object_")) for each in recording.turns]
    rows = Axis("events", 0, len(kinds) + 1, dict(enumerate(kinds, start=1)))
    return Chart(
        f"{recording.name}: events, and what happened",
        Axis("time, s", 0),
        rows,
        lines,
        bands,
        marks,
        height_px=130 + 40 * len(kinds),
    )


def _ends(span: Span) -> tuple[float, float]:
    return span.begin_s, span.end_s


def of_tamper(figures: TamperFigures) -> Charts:
    """What part of the tampering of each kind was told within so many seconds."""
    lines = []
    for kind in Kind:
        told = figures.of_kind(kind)
        tried = told.found + told.missed
        points = [(0.0, 0.0)]
        for number, delay_s in enumerate(sorted(told.delays_s), start=1):
            points += [(delay_s, points[-1][1]), (delay_s, number / tried)]
        lines.append(Line(f"{kind}, {told.found} of {tried}", [*points, (LIMIT_S, points[-1][1])]))
    return {
        "tamper": Chart(
            "Tampering told within so many seconds", Axis("seconds", 0, LIMIT_S), Axis("part of all", 0, 1), lines
        )
    }


def file_name(*parts: str) -> str:
    return "-".join(re.sub(r"[^A-Za-z0-9_]+", "-", part).strip("-") for part in parts)
