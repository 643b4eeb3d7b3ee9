"""Runs one rule module over what analyzers observed in a recording, and gives what it said as lines.

Invariant: that of `replay.py`; observations take the place of views.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from camera_edge.sandbox import RuleModule
from camera_edge.workshop.daytime import DayTime
from camera_edge.workshop.hearing import Hearing
from camera_edge.workshop.lines import MICROSECONDS, FaultLine, Line, ReplayLine, ruling_line
from camera_edge.workshop.replay import fault_of
from camera_edge.workshop.sighted import Moment, read_moments
from camera_edge.workshop.trial import Trial


@dataclass(frozen=True, slots=True)
class RuleReplayOptions:
    """`frames`: batches at most; None: all."""

    day_time: DayTime = DayTime()
    frames: int | None = None


def replay_rule(observations: Path, trial: Trial, options: RuleReplayOptions) -> Iterator[Line]:
    """Lines for one recording. Raises UsageError for a file that cannot be read, ModuleError."""
    yield ReplayLine(trial.plan.name, observations.name)
    hearing = Hearing(trial, options.day_time)
    with RuleModule(trial.program, trial.grants) as module:
        for number, moment in enumerate(read_moments(observations)):
            if number == options.frames:
                return
            yield _rule(moment, module, hearing)


def _rule(moment: Moment, module: RuleModule, hearing: Hearing) -> Line:
    ruling = module.observe(hearing.tell(moment))
    changes = hearing.settle(moment, ruling)
    if ruling is None:
        return FaultLine(moment.frame, moment.media_us / MICROSECONDS, fault_of(module))
    return ruling_line(moment.frame, moment.media_us, ruling, changes)
