"""Runs a camera's pipeline over one recording for a suite to watch, and keeps the time that it takes.

Invariant: what the watcher does between two steps is in no figure. A module that broke, or gave no answer for a frame,
is an error: its figures would be of something else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from camera_edge.config import CameraConfig
from camera_edge.errors import QuarantineError, UndecodableError
from camera_edge.eval.picturefile import Pixels, frames
from camera_edge.event import Event
from camera_edge.sandbox import shipped
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.pipeline import Step
from camera_edge.worker.plan import CameraPlan, Supply, plan_camera
from camera_edge.worker.recordings import EventEnded, RecordingRun, Summary

ParamValue = str | float


@dataclass(frozen=True, slots=True)
class Site:
    """Where recordings are replayed: compiled modules, models and installed modules, and who hears how far it is."""

    sandboxing: Sandboxing
    supply: Supply
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Setup:
    """Analyzers with their parameters, `rate_hz` None: every frame. `state`: the store of an analyzer, by its name."""

    analyzers: Mapping[str, Mapping[str, ParamValue]]
    rate_hz: float | None = None
    state: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of processor time for an analysed frame; a pipeline on a recording has one thread.

    pipeline_ms: all of it, from the file to the rules. analyzers_ms: from the question to a module in its sandbox to
    its checked answer, by its name. models_ms: what of that a granted model took.
    """

    frames: int
    pipeline_ms: float
    analyzers_ms: Mapping[str, float]
    models_ms: Mapping[str, float]


class Replay:
    """One pass over one recording: `steps()` once, then `timing` and `events`."""

    def __init__(self, source: Path, setup: Setup, site: Site) -> None:
        """Raises ConfigError, ModelError, ModuleError: what the setup names is not there."""
        self.source = source
        self._plan = plan(source, setup, site.supply)
        self._sandboxing = site.sandboxing
        self._summary: Summary | None = None
        self._pipeline_ns = 0
        self.events: list[Event] = []

    def steps(self) -> Iterator[Step]:
        """Every analysed frame. Raises SourceError, UndecodableError; QuarantineError where a module is not whole."""
        run = RecordingRun(str(self.source), self._plan, self._sandboxing, None)
        with closing(run.run()) as news:
            while True:
                started_ns = time.thread_time_ns()
                each = next(news, None)
                self._pipeline_ns += time.thread_time_ns() - started_ns
                if isinstance(each, Step):
                    yield each
                elif isinstance(each, EventEnded):
                    self.events.append(each.event)
                elif isinstance(each, Summary):
                    self._summary = each
                else:
                    break
        self._refuse_half_answers(self._done)

    def run(self) -> None:
        """All steps, for who wants the events alone."""
        for _ in self.steps():
            pass

    @property
    def frames(self) -> int:
        """How many the recording has, analysed or not."""
        return self._done.frames

    @property
    def timing(self) -> Timing:
        analysed = max(self._done.analysed, 1)
        modules = self._done.modules
        return Timing(
            frames=self._done.analysed,
            pipeline_ms=self._pipeline_ns / 1e6 / analysed,
            analyzers_ms={each.name: each.spent_ns / 1e6 / analysed for each in modules},
            models_ms={each.name: each.models_ns / 1e6 / analysed for each in modules if each.models_ns},
        )

    @property
    def _done(self) -> Summary:
        assert self._summary is not None, "the replay has come to its end"
        return self._summary

    def _refuse_half_answers(self, summary: Summary) -> None:
        reasons = [f"{name} {reason}" for name, reason in summary.broken.items()]
        reasons += [f"{each.name} gave no answer {each.faults} times" for each in summary.modules if each.faults]
        if reasons:
            raise QuarantineError(
                "; ".join(reasons),
                where=str(self.source),
                hint="mend the module; its figures would be of something else",
            )


def beside(replay: Replay, images: list[Path] | None) -> Iterator[tuple[Step, Pixels]]:
    """Every step with the BGR picture of its frame as OpenCV reads it; `images`: the frames, if they are not a video.

    Raises UndecodableError where OpenCV reads fewer frames.
    """
    native = enumerate(frames(replay.source, images))
    for step in replay.steps():
        bgr = next((bgr for number, bgr in native if number == step.seen.frame), None)
        if bgr is None:
            raise UndecodableError(
                f"OpenCV reads no frame {step.seen.frame} of it", where=str(replay.source), hint="check the file"
            )
        yield step, bgr


def plan(source: Path, setup: Setup, supply: Supply) -> CameraPlan:
    """A camera's plan as from a configuration: default rules, each shipped analyzer granted what it asks for."""
    analyzers = {
        name: {"params": dict(params), "grant": sorted(shipped(name).manifest.grant_all(params))}
        for name, params in setup.analyzers.items()
    }
    settings = CameraConfig.model_validate(
        {"source": str(source), "rate": setup.rate_hz or "native", "analyzers": analyzers}
    ).settings()
    planned = plan_camera("eval", settings, supply)
    told = [replace(each, state=setup.state.get(each.name, b"")) for each in planned.analyzers]
    return replace(planned, analyzers=tuple(told))
