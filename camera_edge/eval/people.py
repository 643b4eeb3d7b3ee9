"""The suite `people`: persons that `objects` finds and follows, against boxes with identities; beside the same model
called natively.

Invariant: two passes over the pipeline. One reports nearly all that the model saw, where it saw it, as the baseline
does, for the curve of precision and recall; one runs as cameras do by default, for tracks and time, beside the baseline
on the same frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from camera_edge.eval.detection import Curve, Floats, Scored, overlaps, precision_recall
from camera_edge.eval.mot import BoxedRecording, find_boxed
from camera_edge.eval.nativedetector import NativeDetector
from camera_edge.eval.replay import ParamValue, Replay, Setup, Site, Timing, beside
from camera_edge.eval.tracking import Tracked, TrackFigures, measure_tracks
from camera_edge.observation import Observation
from camera_edge.sandbox import shipped

ANALYZER, PERSON = "objects", "person"
LEAST_SCORE = 0.01
IOU = 0.5
# parameters by which a box differs from what the model says of this frame alone
AS_FOLLOWED = ("smooth", "predict_s")
# more than an analyzer may report of one frame
OBSERVATIONS_MAX = 1 << 16
_NO_BOXES: Floats = np.zeros((0, 4))


@dataclass(frozen=True, slots=True)
class Boxes:
    """Detections of one or more recordings, frame by frame, beside the true boxes of the same frames.

    found: nearly all that the model saw. reported: what a camera reports by default. native: what the baseline sees.
    """

    truth: list[Floats]
    found: list[Scored]
    reported: list[Scored]
    native: list[Scored]

    def __add__(self, other: Boxes) -> Boxes:
        return Boxes(
            self.truth + other.truth,
            self.found + other.found,
            self.reported + other.reported,
            self.native + other.native,
        )


@dataclass(frozen=True, slots=True)
class Tracks:
    truth: list[Tracked]
    found: list[Tracked]


@dataclass(frozen=True, slots=True)
class PeopleScore:
    """`reported`, `tracks`: of the default run. native: the curve of the baseline, and its time for a frame."""

    curve: Curve
    reported: Curve
    tracks: TrackFigures
    native: Curve
    ms_per_frame: float
    native_ms: float


@dataclass(frozen=True, slots=True)
class PeopleResult:
    """tracks: of the default run, beside the true ones."""

    name: str
    recording: BoxedRecording
    frames: int
    score: PeopleScore
    tracks: Tracks
    timing: Timing


@dataclass(frozen=True, slots=True)
class PeopleFigures:
    """Over all frames of all recordings together."""

    model: str
    score: PeopleScore
    recordings: Sequence[PeopleResult]


def measure_people(data: Path, model: str, site: Site) -> PeopleFigures:
    """`site` has the model. Raises UsageError where `data` holds nothing of the kind, and what a replay raises."""
    measured = []
    for recording in find_boxed(data):
        site.say(f"{recording.name}: {ANALYZER} with {model}, and the model called natively")
        measured.append(_Measured.of(recording, model, site))
    results = [each.result for each in measured]
    boxes, tracks = measured[0].boxes, results[0].tracks
    for each in measured[1:]:
        boxes, tracks = boxes + each.boxes, _joined(tracks, each.result.tracks)
    total = sum(each.frames for each in results)
    return PeopleFigures(
        model=model,
        score=PeopleScore(
            curve=precision_recall(boxes.truth, boxes.found, IOU),
            reported=precision_recall(boxes.truth, boxes.reported, IOU),
            tracks=measure_tracks(tracks.truth, tracks.found, IOU),
            native=precision_recall(boxes.truth, boxes.native, IOU),
            ms_per_frame=sum(each.score.ms_per_frame * each.frames for each in results) / total,
            native_ms=sum(each.score.native_ms * each.frames for each in results) / total,
        ),
        recordings=results,
    )


@dataclass(frozen=True, slots=True)
class _Measured:
    """One recording's result, with what the figures over all of them are made from."""

    result: PeopleResult
    boxes: Boxes

    @classmethod
    def of(cls, recording: BoxedRecording, model: str, site: Site) -> _Measured:
        native = _native(model, site)
        boxes = _detections(recording, model, site)
        tracks, timing = _followed(recording, model, site, native, boxes)
        score = PeopleScore(
            curve=precision_recall(boxes.truth, boxes.found, IOU),
            reported=precision_recall(boxes.truth, boxes.reported, IOU),
            tracks=measure_tracks(tracks.truth, tracks.found, IOU),
            native=precision_recall(boxes.truth, boxes.native, IOU),
            ms_per_frame=timing.analyzers_ms[ANALYZER],
            native_ms=native.ms_per_frame,
        )
        return cls(PeopleResult(recording.name, recording, len(boxes.truth), score, tracks, timing), boxes)


def _native(model: str, site: Site) -> NativeDetector:
    nms_iou = shipped(ANALYZER).manifest.with_defaults({})["nms_iou"]
    assert isinstance(nms_iou, float | int), "the manifest says how much boxes may overlap"
    return NativeDetector(site.supply.models.get(model), PERSON, least_score=LEAST_SCORE, nms_iou=nms_iou)


def _detections(recording: BoxedRecording, model: str, site: Site) -> Boxes:
    """What the pipeline finds; what the baseline does comes later."""
    boxes = Boxes([], [], [], [])
    known = shipped(ANALYZER).manifest.params or {}
    as_seen: dict[str, ParamValue] = {name: 0.0 for name in AS_FOLLOWED if name in known}
    setup = Setup({ANALYZER: {"model": model, "min_score": LEAST_SCORE, **as_seen}})
    for step in Replay(recording.source, setup, site).steps():
        truth, ignored = _truth(recording, step.seen.frame).boxes, _ignored(recording, step.seen.frame)
        persons = _of_people(step.seen.observations)
        boxes.truth.append(truth)
        boxes.found.append(_judged(_scored(persons), truth, ignored))
    return boxes


def _followed(
    recording: BoxedRecording, model: str, site: Site, native: NativeDetector, boxes: Boxes
) -> tuple[Tracks, Timing]:
    """The tracks, and in `boxes` what is reported and what the baseline finds."""
    replay = Replay(recording.source, Setup({ANALYZER: {"model": model}}), site)
    tracks = Tracks([], [])
    for step, bgr in beside(replay, recording.images):
        truth, ignored = _truth(recording, step.seen.frame), _ignored(recording, step.seen.frame)
        persons = _of_people(step.seen.observations)
        boxes.native.append(_judged(native.detect(bgr), truth.boxes, ignored))
        boxes.reported.append(_judged(_scored(persons), truth.boxes, ignored))
        # a person without a number is one that nobody followed: a track of its own, below 0
        first = -1 - step.seen.frame * OBSERVATIONS_MAX
        numbers = [each.track if each.track >= 0 else first - at for at, each in enumerate(persons)]
        places = _places(persons)
        kept = ~_beside_the_point(places, truth.boxes, ignored)
        tracks.truth.append(truth)
        tracks.found.append(Tracked(np.array(numbers, np.int64)[kept], places[kept]))
    return tracks, replay.timing


def _of_people(observations: Sequence[Observation]) -> list[Observation]:
    return [each for each in observations if each.analyzer == ANALYZER and each.kind == PERSON]


def _scored(persons: Sequence[Observation]) -> Scored:
    return Scored(_places(persons), np.array([each.score for each in persons], np.float64))


def _places(observations: Sequence[Observation]) -> Floats:
    return np.array([[each.box.x, each.box.y, each.box.w, each.box.h] for each in observations]).reshape(-1, 4)


def _truth(recording: BoxedRecording, frame: int) -> Tracked:
    if frame < len(recording.people):
        return recording.people[frame]
    return Tracked(np.zeros(0, np.int64), _NO_BOXES)


def _ignored(recording: BoxedRecording, frame: int) -> Floats:
    return recording.ignored[frame] if frame < len(recording.ignored) else _NO_BOXES


def _judged(found: Scored, truth: Floats, ignored: Floats) -> Scored:
    kept = ~_beside_the_point(found.boxes, truth, ignored)
    return Scored(found.boxes[kept], found.scores[kept])


def _beside_the_point(boxes: Floats, truth: Floats, ignored: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of `boxes` lie on one that does not count, and on none that does."""
    on_ignored = (overlaps(boxes, ignored) >= IOU).any(1)
    return np.asarray(on_ignored & ~(overlaps(boxes, truth) >= IOU).any(1))


def _joined(first: Tracks, second: Tracks) -> Tracks:
    """As one recording after the other; the numbers of the second go on after those of the first."""
    return Tracks(
        first.truth + _renumbered(second.truth, first.truth), first.found + _renumbered(second.found, first.found)
    )


def _renumbered(tracks: Sequence[Tracked], after: Sequence[Tracked]) -> list[Tracked]:
    offset = max((int(np.abs(each.tracks).max()) for each in after if each.tracks.size), default=-1) + 1
    return [Tracked(each.tracks + np.where(each.tracks < 0, -offset, offset), each.boxes) for each in tracks]
