"""What a rule module is told of a recording, frame by frame, and what becomes of its words.

The events are those of a camera without rules of its own, one for each kind that goes on, and what the module raised.

Invariant: `tell` and `settle` take turns, once for each frame.
"""

from __future__ import annotations

from camera_edge.event import Change, Closed, Opened, Updated
from camera_edge.rules import Rule, RuleEngine
from camera_edge.sandbox import Batch, EventNow, Phase, Ruling, Sighting
from camera_edge.worker.plan import QUIET_US
from camera_edge.worker.rulers import verdict_of
from camera_edge.workshop.daytime import DayTime
from camera_edge.workshop.lines import MICROSECONDS
from camera_edge.workshop.sighted import Moment
from camera_edge.workshop.trial import CAMERA, Trial

_PHASES = {Opened: Phase.OPENS, Updated: Phase.CHANGED, Closed: Phase.CLOSES}


class Hearing:
    """One rule module on one recording."""

    def __init__(self, trial: Trial, day_time: DayTime) -> None:
        self._zones = tuple(trial.zones)
        self._day_time = day_time
        self._engine = RuleEngine(CAMERA, [Rule("any", quiet_us=QUIET_US), _raised(trial)], trial.zones)

    def tell(self, moment: Moment) -> Batch:
        standing = self._engine.propose(moment.observations, frame=moment.frame, now_us=moment.media_us)
        return Batch(
            sequence=moment.frame,
            media_us=moment.media_us,
            utc_us=self._day_time.utc_us(moment.media_us),
            week_minute=self._day_time.week_minute(moment.media_us),
            zones=self._zones,
            sightings=[Sighting(seen, self._engine.zones_under(seen.box)) for seen in moment.observations],
            events=[EventNow(_phase(each.change), each.event) for each in standing],
        )

    def settle(self, moment: Moment, ruling: Ruling | None) -> list[Change]:
        """What changed; a module that failed (None) decides nothing."""
        verdict = verdict_of([] if ruling is None else [ruling])
        return self._engine.settle(verdict, frame=moment.frame, now_us=moment.media_us)


def _raised(trial: Trial) -> Rule:
    name = trial.plan.name
    quiet_s = trial.plan.module.manifest.with_defaults(trial.plan.params).get("quiet_s")
    quiet_us = round(quiet_s * MICROSECONDS) if isinstance(quiet_s, float | int) and quiet_s > 0 else QUIET_US
    return Rule(name, analyzers=frozenset({name}), quiet_us=quiet_us, raised=True)


def _phase(change: Change | None) -> Phase:
    return Phase.GOES_ON if change is None else _PHASES[type(change)]
