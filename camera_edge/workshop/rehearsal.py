"""Runs a module of either kind over what a command line or a golden case names.

Invariant: the same rehearsal of the same module gives the same lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from camera_edge.errors import UsageError
from camera_edge.inference import Registry
from camera_edge.sandbox import ModuleFile
from camera_edge.worker.assembly import Sandboxing
from camera_edge.workshop.daytime import DayTime
from camera_edge.workshop.lines import Line
from camera_edge.workshop.replay import RATE_HZ, ReplayOptions, replay
from camera_edge.workshop.rule_replay import RuleReplayOptions, replay_rule
from camera_edge.workshop.trial import Trial, Wishes, plan_trial


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`source`: the address of a recording, or the file of observations for a rule module.

    `rate_hz` None: every frame. `frames`: so many at most. `copy`: frames are copied into the module, not mapped.
    """

    source: str
    wishes: Wishes = Wishes()
    rate_hz: float | None = RATE_HZ
    frames: int | None = None
    copy: bool = False
    day_time: DayTime = DayTime()


def rehearse(module: ModuleFile, each: Rehearsal, sandboxing: Sandboxing, models: Registry) -> Iterator[Line]:
    """Raises as `replay` and `replay_rule` do, and UsageError for parameters that the module does not have."""
    trial = Trial(plan_trial(module, each.wishes, models), sandboxing, each.wishes.zones)
    if not module.manifest.is_rule:
        return replay(each.source, trial, ReplayOptions(each.rate_hz, each.frames, each.copy))
    if each.copy:
        raise UsageError("a rule module has no frames to copy", hint="leave out --copy")
    return replay_rule(Path(each.source), trial, RuleReplayOptions(each.day_time, each.frames))
