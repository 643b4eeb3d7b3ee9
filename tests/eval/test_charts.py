from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from camera_edge.eval import charts
from camera_edge.eval.annotation import REMOVED, AnnotatedRecording, Span, Turn
from camera_edge.eval.events import EventsFigures, EventsResult
from camera_edge.eval.incidents import Alarm, Verdict
from camera_edge.eval.normality import UNMOVED, WHOLE, ClipScores, NormalityFigures, VariantResult
from camera_edge.eval.ped import LabelledSite
from camera_edge.eval.replay import Timing
from camera_edge.plot import Chart, svg

TIMING = Timing(4, 2.0, {"normality": 1.0}, {})


def texts(chart: Chart) -> list[str | None]:
    return [each.text for each in ElementTree.fromstring(svg(chart)).iter("{http://www.w3.org/2000/svg}text")]


def test_a_timeline_has_a_row_for_each_kind_and_says_what_happened() -> None:
    recording = AnnotatedRecording(
        name="clips/door.mp4",
        source=Path("door.mp4"),
        present={"person": [Span(2, 5)]},
        turns=[Turn(REMOVED, 6, 1)],
        counted=True,
        dips=[Span(7, 8)],
        tolerance_s=0.5,
        turn_tolerance_s=1.0,
    )
    alarms = [Alarm("person", 2, 5), Alarm(REMOVED, 6.5, 9)]
    result = EventsResult(recording, 100, {"person": Verdict(found=1, true=1)}, alarms, TIMING)
    (name, chart), *others = charts.of_events(EventsFigures(result.verdict, result.verdicts, [result])).items()
    assert (name, others) == ("events-clips-door-mp4", [])
    assert {"person", REMOVED, "person there", "the exposure dips", "removed"} <= set(texts(chart))


def test_scores_are_drawn_over_what_is_labelled_and_curves_say_their_area() -> None:
    labels = np.array([False, True, True, False])
    causal = np.array([0.1, 0.9, 0.8, 0.2])
    clips = [ClipScores("testing_01", labels, causal, causal), ClipScores("testing_02", labels, causal, causal + 1)]
    whole = VariantResult(clips, [TIMING, TIMING])
    drawn = charts.of_normality(NormalityFigures({WHOLE: whole, UNMOVED: whole}, LabelledSite([], [], []), b"", 1.0))
    assert drawn.keys() == {"roc-variants", "roc-clips", "score-testing_01", "score-testing_02"}
    assert {"all, 1.000", "motion=off, 1.000"} <= set(texts(drawn["roc-variants"]))
    (band,) = drawn["score-testing_01"].bands
    assert (band.begin, band.end) == (0.5, 2.5)
    assert {"highest usual", "lowest unusual"} <= set(texts(drawn["score-testing_01"]))
    assert [len(drawn[f"score-testing_0{clip}"].lines) for clip in (1, 2)] == [2, 3]
