"""Asks a camera's rule modules about the events of each frame.

Invariant: a module that fails decides nothing: its silence vetoes no event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from functools import cached_property

from camera_edge.clock import time_zone, week_minute
from camera_edge.event import Closed, Opened, Updated
from camera_edge.observation import Box, Observation
from camera_edge.rules import Amendment, Standing, Verdict
from camera_edge.sandbox import Batch, EventNow, Phase, Ruling, Sighting
from camera_edge.worker.analysis import Tick
from camera_edge.worker.crew import Crew
from camera_edge.worker.plan import CameraPlan


class Rulers:
    """All rule modules of one camera. `zones_under` says in which zones a thing stands."""

    def __init__(self, plan: CameraPlan, crew: Crew, zones_under: Callable[[Box], tuple[str, ...]]) -> None:
        self._plan = plan
        self._zones = tuple(plan.zones)
        self._crew = crew
        self._zones_under = zones_under

    @cached_property
    def _zone(self) -> tzinfo:
        return time_zone(self._plan.time_zone)

    def decide(self, tick: Tick, observations: Sequence[Observation], standing: Sequence[Standing]) -> Verdict:
        """What they decide about `standing`, and raise. No rule modules: nothing."""
        if not tick.lineup.rule_modules:
            return Verdict()
        batch = Batch(
            sequence=tick.frame,
            media_us=tick.media_us,
            utc_us=tick.utc_ns // 1000,
            week_minute=week_minute(tick.utc_ns, self._zone),
            zones=self._zones,
            sightings=[Sighting(each, self._zones_under(each.box)) for each in observations],
            events=[EventNow(phase_of(each), each.event) for each in standing],
        )
        rulings = [self._ask(member.name, batch) for member in tick.lineup.rule_modules]
        return verdict_of([each for each in rulings if each is not None])

    def _ask(self, name: str, batch: Batch) -> Ruling | None:
        module = self._crew.seat_of(name).rule_module
        ruling = module.observe(batch)
        if ruling is not None:
            self._crew.pass_on(name, ruling.logs, ruling.metrics)
        elif module.quarantined is not None:
            self._crew.note_quarantine(name, module.quarantined)
        return ruling


def verdict_of(rulings: Sequence[Ruling]) -> Verdict:
    """Of several a veto of one is enough, and the last label holds."""
    return Verdict(
        vetoed=frozenset(event for each in rulings for event in each.vetoed),
        amended={label.event: Amendment(label.kind, label.score) for each in rulings for label in each.relabelled},
        raised=[observation for each in rulings for observation in each.raised],
    )


def phase_of(standing: Standing) -> Phase:
    match standing.change:
        case Opened():
            return Phase.OPENS
        case Updated():
            return Phase.CHANGED
        case Closed():
            return Phase.CLOSES
        case None:
            return Phase.GOES_ON
