"""The suite `normality`: learns from a camera's usual recordings, then scores every frame of its labelled clips.

Invariant: a score is causal: that of a frame was given when the frame was seen. Figures over all clips put the raw
scores together (micro); those with each clip stretched to 0..1, which nobody can do on a live camera, and those of
scores that were revised later (`score_at`), stand apart under names of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from camera_edge.config import CameraConfig
from camera_edge.errors import UsageError
from camera_edge.eval.ped import LabelledClip, LabelledSite
from camera_edge.eval.replay import ParamValue, Replay, Setup, Site, Timing
from camera_edge.eval.scores import Floats, Labels, Roc, roc, stretched
from camera_edge.observation import Observation
from camera_edge.worker.lessons import Learned, Recording, teach

ANALYZER = "normality"
WHOLE, UNMOVED = "all", "motion=off"
CHANNELS = ("speed", "direction", "size", "place", "shape")
# what is measured: the analyzer as it comes, without what moves and how fast, and each channel alone
VARIANTS: Mapping[str, Mapping[str, ParamValue]] = {
    WHOLE: {},
    UNMOVED: {"motion": "off"},
    **{channel: {"channel": channel} for channel in CHANNELS},
}

Learn = Callable[[Sequence[Path], Site], bytes]


@dataclass(frozen=True, slots=True)
class ClipScores:
    """One score a frame (n,), as it was given, and as it stood when the clip was over."""

    name: str
    labels: Labels
    causal: Floats
    revised: Floats

    @property
    def curve(self) -> Roc | None:
        return roc(self.causal, self.labels)


@dataclass(frozen=True, slots=True)
class VariantResult:
    """One way to run the analyzer, over all clips; `curve` is of the causal scores, put together as they are."""

    clips: Sequence[ClipScores]
    timing: Sequence[Timing]

    @property
    def labels(self) -> Labels:
        return np.concatenate([each.labels for each in self.clips])

    @property
    def curve(self) -> Roc | None:
        return roc(np.concatenate([each.causal for each in self.clips]), self.labels)

    @property
    def stretched_curve(self) -> Roc | None:
        return roc(np.concatenate([stretched(each.causal) for each in self.clips]), self.labels)

    @property
    def revised_curve(self) -> Roc | None:
        return roc(np.concatenate([each.revised for each in self.clips]), self.labels)

    @property
    def ms_per_frame(self) -> float:
        return self._mean([each.analyzers_ms[ANALYZER] for each in self.timing])

    @property
    def pipeline_ms(self) -> float:
        return self._mean([each.pipeline_ms for each in self.timing])

    def _mean(self, values: Sequence[float]) -> float:
        frames = [each.frames for each in self.timing]
        return sum(value * count for value, count in zip(values, frames, strict=True)) / sum(frames)


@dataclass(frozen=True, slots=True)
class NormalityFigures:
    """`variants` by name, WHOLE first. state: what was learned; learned_s: how long that took."""

    variants: Mapping[str, VariantResult]
    camera: LabelledSite
    state: bytes
    learned_s: float

    @property
    def whole(self) -> VariantResult:
        return self.variants[WHOLE]


def measure_normality(camera: LabelledSite, learn: Learn, site: Site) -> NormalityFigures:
    """`learn` gives the analyzer's store after these recordings. Raises what a replay raises, UsageError."""
    site.say(f"learning from {len(camera.training)} recordings of what is usual")
    started_s = time.perf_counter()
    state = learn(camera.training, site)
    learned_s = time.perf_counter() - started_s
    variants = {}
    for name, params in VARIANTS.items():
        site.say(f"{name}: {len(camera.clips)} clips")
        setup = Setup({ANALYZER: params}, state={ANALYZER: state})
        scored = [_score(clip, setup, site) for clip in camera.clips]
        variants[name] = VariantResult([clip for clip, _ in scored], [timing for _, timing in scored])
    return NormalityFigures(variants, camera, state, learned_s)


def learn(sources: Sequence[Path], site: Site) -> bytes:
    """As `camera-edge learn normality` does, every frame of every recording. Raises what `teach` does."""
    recordings = [
        Recording(str(each), CameraConfig.model_validate({"source": str(each), "rate": "native"}).settings())
        for each in sources
    ]
    learned = next(each for each in teach(recordings, site.sandboxing) if isinstance(each, Learned))
    return learned.state


def look_again(clip: LabelledClip, state: bytes, frames: Collection[int], site: Site) -> dict[int, list[Observation]]:
    """What the analyzer says of these frames, however little it is. Raises what a replay raises."""
    setup = Setup({ANALYZER: {"alarm": 0}}, state={ANALYZER: state})
    return {
        step.seen.frame: [each for each in step.seen.observations if each.analyzer == ANALYZER]
        for step in Replay(clip.source, setup, site).steps()
        if step.seen.frame in frames
    }


def _score(clip: LabelledClip, setup: Setup, site: Site) -> tuple[ClipScores, Timing]:
    replay = Replay(clip.source, setup, site)
    causal: list[float] = []
    revised: list[float] = []
    for step in replay.steps():
        given = [each for each in step.seen.scores if each.analyzer == ANALYZER]
        # a frame without a score is one that it finds nothing in
        causal.append(next((each.value for each in given if each.lag == 0), 0.0))
        revised.append(causal[-1])
        for each in given:
            if 0 < each.lag < len(revised):
                revised[-1 - each.lag] = each.value
    if len(causal) != len(clip.labels):
        raise UsageError(
            f"has {len(causal)} frames, and {len(clip.labels)} are labelled",
            where=str(clip.source),
            hint="its labels belong to another recording",
        )
    return ClipScores(clip.name, clip.labels, np.array(causal), np.array(revised)), replay.timing
