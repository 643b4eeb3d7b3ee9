"""What a rule module is told of a recording, frame by frame, and what becomes of its words.

The events are those of a camera without rules of its own, one for each kind that goes on, and what the module raised.

Invariant: `tell` and `settle` take turns, once for each frame.
"""

from __future__ import annotations

from camera_edge.event import Change
from camera_edge.rules import Rule, RuleEngine
from camera_edge.sandbox import Batch, EventNow, Ruling, Sighting
from camera_edge.worker.rulebook import QUIET_US, UNASKED, raised_rule, thing_rules
from camera_edge.worker.rulers import phase_of, verdict_of
from camera_edge.workshop.daytime import DayTime
from camera_edge.workshop.sighted import Moment
from camera_edge.workshop.trial import CAMERA, Trial


class Hearing:
    """One rule module on one recording."""

    def __init__(self, trial: Trial, day_time: DayTime) -> None:
        self._zones = tuple(trial.zones)
        self._day_time = day_time
        unasked = frozenset(kind for kinds in UNASKED.values() for kind in kinds)
        rules = [Rule("any", quiet_us=QUIET_US, unasked=unasked), *thing_rules(), raised_rule(trial.plan)]
        self._engine = RuleEngine(CAMERA, rules, trial.zones)

    def tell(self, moment: Moment) -> Batch:
        standing = self._engine.propose(moment.observations, frame=moment.frame, now_us=moment.media_us)
        return Batch(
            sequence=moment.frame,
            media_us=moment.media_us,
            utc_us=self._day_time.utc_us(moment.media_us),
            week_minute=self._day_time.week_minute(moment.media_us),
            zones=self._zones,
            sightings=[Sighting(seen, self._engine.zones_under(seen.box)) for seen in moment.observations],
            events=[EventNow(phase_of(each), each.event) for each in standing],
        )

    def settle(self, moment: Moment, ruling: Ruling | None) -> list[Change]:
        """What changed; a module that failed (None) decides nothing."""
        verdict = verdict_of([] if ruling is None else [ruling])
        return self._engine.settle(verdict, frame=moment.frame, now_us=moment.media_us)
