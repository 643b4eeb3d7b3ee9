"""The suite `change`: the foreground mask of `motion` against labelled frames, beside OpenCV's MOG2 and KNN.

Invariant: all see the same frames, in turn, in one pass; the figures over several recordings are means of theirs, as
in the CDnet benchmark.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import numpy as np

from camera_edge.eval.backgrounds import NAMES, Background, one_thread
from camera_edge.eval.cdnet import LabelledRecording, find_labelled
from camera_edge.eval.foreground import Areas, Confusion, Pixels, areas, compare
from camera_edge.eval.picturefile import read_gray
from camera_edge.eval.replay import Replay, Setup, Site, Timing, beside
from camera_edge.worker.pipeline import Step

ANALYZER = "motion"
# as cameras run it: its mask tells what was found from what is hidden beside it
SETUP = Setup({ANALYZER: {}})


@dataclass(frozen=True, slots=True)
class ChangeScore:
    """How well one method told foreground from background."""

    f: float
    precision: float
    recall: float
    pwc: float
    ms_per_frame: float


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """One recording. answers: of `motion`, by labelled frame. curves: by method the F of each labelled frame that has
    something to find: (frame, F)."""

    name: str
    recording: LabelledRecording
    frames: int
    labelled: int
    score: ChangeScore
    timing: Timing
    baselines: Mapping[str, ChangeScore]
    answers: Mapping[int, Confusion]
    curves: Mapping[str, Sequence[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class ChangeFigures:
    score: ChangeScore
    baselines: Mapping[str, ChangeScore]
    recordings: Sequence[ChangeResult]


@dataclass(slots=True)
class _Tally:
    """What one method has answered so far."""

    answers: dict[int, Confusion] = field(default_factory=dict)

    @property
    def curve(self) -> list[tuple[float, float]]:
        return [(frame, answer.f) for frame, answer in self.answers.items() if answer.hits + answer.missed]

    def add(self, frame: int, answer: Confusion) -> None:
        self.answers[frame] = answer

    def score(self, ms_per_frame: float) -> ChangeScore:
        found = sum(self.answers.values(), Confusion())
        return ChangeScore(found.f, found.precision, found.recall, found.pwc, ms_per_frame)


def measure_change(data: Path, site: Site) -> ChangeFigures:
    """Raises UsageError where `data` holds nothing of the kind, and what a replay raises."""
    results = []
    for recording in find_labelled(data):
        site.say(f"{recording.name}: motion, MOG2 and KNN over {len(recording.numbers) or 'all'} frames")
        results.append(_measure(recording, site))
    return ChangeFigures(
        score=_mean([each.score for each in results]),
        baselines={name: _mean([each.baselines[name] for each in results]) for name in NAMES},
        recordings=results,
    )


def _measure(recording: LabelledRecording, site: Site) -> ChangeResult:
    replay = Replay(recording.source, SETUP, site)
    own = _Tally()
    backgrounds = {name: (Background(name), _Tally()) for name in NAMES}
    with one_thread():
        for step, bgr in beside(replay, recording.images):
            labels = _labels(recording, step.seen.frame)
            if labels is not None:
                own.add(step.seen.frame, compare(_mask(step, labels), labels, recording.region))
            for background, tally in backgrounds.values():
                foreground = background.apply(bgr)
                if labels is not None:
                    tally.add(step.seen.frame, compare(foreground, labels, recording.region))
    return ChangeResult(
        name=recording.name,
        recording=recording,
        frames=replay.frames,
        labelled=len(recording.labels),
        score=own.score(replay.timing.analyzers_ms[ANALYZER]),
        timing=replay.timing,
        baselines={name: tally.score(each.ms_per_frame) for name, (each, tally) in backgrounds.items()},
        answers=own.answers,
        curves={ANALYZER: own.curve, **{name: tally.curve for name, (_, tally) in backgrounds.items()}},
    )


def look_again(recording: LabelledRecording, frames: Collection[int], site: Site) -> dict[int, Areas]:
    """What `motion` found in these labelled frames; a second pass gives the same, and keeping every mask would cost too
    much. Raises what a replay raises."""
    seen = {}
    for step in Replay(recording.source, SETUP, site).steps():
        labels = _labels(recording, step.seen.frame) if step.seen.frame in frames else None
        if labels is not None:
            seen[step.seen.frame] = areas(_mask(step, labels), labels, recording.region)
    return seen


def _labels(recording: LabelledRecording, frame: int) -> Pixels | None:
    path = recording.labels_of(frame)
    return None if path is None else read_gray(path)


def _mask(step: Step, labels: Pixels) -> Pixels:
    """What `motion` gave; nothing, where it gave no mask."""
    mask = next((each.foreground for each in step.seen.masks if each.analyzer == ANALYZER), None)
    return np.zeros_like(labels) if mask is None else mask


def _mean(scores: Sequence[ChangeScore]) -> ChangeScore:
    return ChangeScore(
        f=fmean(each.f for each in scores),
        precision=fmean(each.precision for each in scores),
        recall=fmean(each.recall for each in scores),
        pwc=fmean(each.pwc for each in scores),
        ms_per_frame=fmean(each.ms_per_frame for each in scores),
    )
