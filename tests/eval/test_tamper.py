from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from camera_edge.errors import UsageError
from camera_edge.eval.replay import Site
from camera_edge.eval.tamper import (
    Clip,
    KindFigures,
    Sighting,
    TamperFigures,
    Trial,
    Untouched,
    document_of,
    find_clips,
    judge,
    measure_tamper,
)
from camera_edge.eval.tampering import Frame, Kind, synthesise
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.plan import Supply

TREES = Path(__file__).resolve().parents[3] / "shared/data/video/wallflower_wavingtrees/wavingtrees_160x120.mp4"


def walk(count: int) -> list[Frame]:
    wall = np.random.default_rng(1).integers(40, 200, (60, 80, 3)).astype(np.uint8)
    return [np.roll(wall, number, axis=1) for number in range(count)]


def trial(kind: Kind, delay_s: float | None, what: str = "", early: int = 0) -> Trial:
    return Trial("a", kind, 0, delay_s, what, early, 4.0)


@pytest.mark.parametrize("kind", list(Kind))
def test_the_same_seed_tampers_in_the_same_way_and_another_otherwise(kind: Kind) -> None:
    first, again = synthesise(kind, walk(12), 5, 3), synthesise(kind, walk(12), 5, 3)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert {frame.shape for frame in first} == {(60, 80, 3)}
    assert {frame.dtype for frame in first} == {np.dtype(np.uint8)}
    others = [synthesise(kind, walk(12), 5, seed)[-1] for seed in range(8)]
    assert any(not np.array_equal(first[-1], other) for other in others)


@pytest.mark.parametrize("kind", list(Kind))
def test_what_was_tampered_with_differs_from_what_was_there(kind: Kind) -> None:
    shown = walk(20)
    tampered = synthesise(kind, shown, 5, 1)
    assert np.abs(tampered[-1].astype(int) - shown[-1]).mean() > 1.5


def test_of_no_frames_nothing_is_made() -> None:
    assert synthesise(Kind.NOISE, [], 5, 0) == []


def test_the_first_event_from_the_onset_on_counts() -> None:
    seen = [Sighting(1.0, "noise"), Sighting(5.5, "covered"), Sighting(6.5, "moved")]
    assert judge(seen, 4.0) == (1.5, "covered", 1)


def test_an_event_that_comes_too_late_is_missed() -> None:
    assert judge([Sighting(7.2, "covered")], 4.0) == (None, "", 0)
    assert judge([], 4.0) == (None, "", 0)


def test_figures_count_what_was_found_missed_and_false() -> None:
    trials = (
        trial(Kind.COVERED, 1.0, "covered"),
        trial(Kind.COVERED, 2.0, "moved", early=1),
        trial(Kind.NOISE, None),
    )
    figures = TamperFigures(trials, (Untouched("a", 48.0, (Sighting(3.0, "moved"),), 0.5),))
    assert (figures.found, figures.missed, figures.false, figures.delay_s) == (2, 1, 2, 1.5)
    assert figures.false_per_hour == pytest.approx(120.0)
    assert figures.of_kind(Kind.COVERED) == KindFigures(2, 0, 1, (1.0, 2.0))
    document = document_of(figures)
    assert (document["found"], document["missed"], document["delay_s"]) == (2, 1, 1.5)
    assert document["kinds"]["noise"]["missed"] == 1
    assert document["recordings"][0]["false"] == [{"opened_s": 3.0, "what": "moved"}]


def test_figures_of_nothing_are_none() -> None:
    figures = TamperFigures((), ())
    assert (figures.delay_s, figures.false_per_hour, figures.ms_per_frame) == (None, None, None)


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no recording"):
        find_clips(tmp_path)


@pytest.mark.skipif(not TREES.is_file(), reason="no evaluation data: shared/data/video")
def test_the_suite_runs_the_pipeline_over_a_recording(cache: Path, tmp_path: Path) -> None:
    site = Site(Sandboxing.of(cache, read_only=False), Supply.of(tmp_path / "state"), lambda _: None)
    (clip,) = find_clips(TREES)
    assert clip == Clip("wavingtrees_160x120", TREES, 15.0)
    figures = measure_tamper([clip], site)
    assert (figures.missed, figures.false) == (0, 0)
    assert figures.found == len(Kind)
