"""The sandboxes of one camera: seats each module of a lineup, swaps in new versions, and keeps count of each.

Invariant: a module whose program, grants and frames are as before keeps its instance; every other gets a new one,
which shares nothing with the old.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from camera_edge.errors import ModuleError
from camera_edge.frames import Ring
from camera_edge.sandbox import Analyzer, Counters, Grants, LogLine, RingMap, RuleModule, Services, Tenant
from camera_edge.worker.lineup import Lineup, Member
from camera_edge.worker.plan import AnalyzerPlan
from camera_edge.worker.rings import Rings

log = logging.getLogger(__name__)

_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)


@dataclass(frozen=True, slots=True)
class ModuleCount:
    """What one module has done on its camera, over all its instances and versions. `version`: the one that runs."""

    name: str
    version: str = ""
    calls: int = 0
    answers: int = 0
    faults: int = 0
    restarts: int = 0
    wakes: int = 0
    skipped: int = 0
    copied: int = 0
    refused: int = 0
    fuel: int = 0
    asleep: bool = False
    quarantined: str | None = None

    def plus(self, counters: Counters) -> ModuleCount:
        return replace(
            self,
            calls=self.calls + counters.calls,
            answers=self.answers + counters.answers,
            faults=self.faults + counters.traps,
            restarts=self.restarts + counters.restarts,
            wakes=self.wakes + counters.wakes,
            skipped=self.skipped + counters.skipped,
            copied=self.copied + counters.copied,
            refused=self.refused + counters.refused,
            fuel=self.fuel + counters.fuel,
        )

    def now(self, tenant: Tenant) -> ModuleCount:
        """With what the instance that has the seat did."""
        present = self.plus(tenant.counters)
        return replace(present, version=tenant.version, asleep=tenant.asleep, quarantined=tenant.quarantined)


@dataclass(frozen=True, slots=True)
class _Seat:
    member: Member
    ring: Ring | None
    tenant: Analyzer | RuleModule


class Crew:
    """Belongs to the analysis; what it counts may be read from other threads."""

    def __init__(self, services: Callable[[AnalyzerPlan], Services]) -> None:
        self._services = services
        # replaced as a whole and never changed: other threads read counters
        self._seats: Mapping[str, _Seat] = {}
        self._careers: dict[str, _Career] = {}
        self.refusals: tuple[str, ...] = ()
        """New versions that did not start, each with the reason; the version before goes on."""

    def seat(self, lineup: Lineup, rings: Rings) -> None:
        """The modules of this lineup over these rings; those that are not in it any more are closed."""
        self.refusals = ()
        seats: dict[str, _Seat] = {}
        for member in lineup.members:
            ring = None if member.plan.is_rule else rings.ring(member.view)
            known = self._seats.get(member.name)
            if known is not None and known.ring is ring:
                seats[member.name] = known if known.member.is_same(member) else self._swapped(known, member)
            else:
                seats[member.name] = _Seat(member, ring, self._tenant(member, ring))
        gone = [each for name, each in self._seats.items() if seats.get(name) is not each]
        self._seats = seats
        self._retire(gone)

    def analyzer(self, name: str) -> Analyzer:
        tenant = self._seats[name].tenant
        assert isinstance(tenant, Analyzer), "a rule module sees no frames"
        return tenant

    def rule_module(self, name: str) -> RuleModule:
        tenant = self._seats[name].tenant
        assert isinstance(tenant, RuleModule), "an analyzer sees no events"
        return tenant

    def pass_on(self, name: str, lines: Sequence[LogLine]) -> None:
        """What a module says, to the log of this process; the sandbox has bounded it."""
        for line in lines:
            log.log(_LEVELS[line.level], "module says name=%s text=%s", name, line.text)

    def note_quarantine(self, name: str, reason: str) -> None:
        self._career(name).quarantine(reason)

    @property
    def quarantined(self) -> dict[str, str]:
        """Modules that are in quarantine, with the reason."""
        tenants = {name: each.tenant.quarantined for name, each in self._seats.items()}
        return {name: reason for name, reason in tenants.items() if reason is not None}

    @property
    def traps(self) -> int:
        """Frames that a module was asked about and gave no answer for."""
        return sum(each.faults for each in self.counts)

    @property
    def counts(self) -> list[ModuleCount]:
        """Of each module that has a seat, or had one."""
        seats = self._seats
        past = {name: career.count for name, career in list(self._careers.items())}
        present = [past.get(name, ModuleCount(name)).now(seat.tenant) for name, seat in seats.items()]
        return present + [count for name, count in past.items() if name not in seats]

    @property
    def broken(self) -> dict[str, str]:
        """Modules that were in quarantine at any time or never gave an answer, with the reason; after `close()`."""
        reasons = {name: career.reason for name, career in self._careers.items()}
        return {name: reason for name, reason in reasons.items() if reason is not None}

    def close(self) -> None:
        seats, self._seats = self._seats, {}
        self._retire(list(seats.values()))

    def _swapped(self, known: _Seat, member: Member) -> _Seat:
        """The new version, started; where it does not start, the one that runs."""
        tenant = self._tenant(member, known.ring)
        try:
            tenant.open()
        except ModuleError as error:
            tenant.close()
            text = f"{member.name} {tenant.version} {error.message}; {known.tenant.version} goes on"
            self.refusals = (*self.refusals, text)
            return known
        return _Seat(member, known.ring, tenant)

    def _tenant(self, member: Member, ring: Ring | None) -> Analyzer | RuleModule:
        plan = member.plan
        grants = Grants(plan.capabilities, plan.params, plan.state)
        if ring is None:
            return RuleModule(member.program, grants)
        return Analyzer(member.program, grants, self._services(plan), RingMap(ring.fd, ring.size_bytes, ring.memory))

    def _retire(self, seats: list[_Seat]) -> None:
        for each in seats:
            each.tenant.close()
            self._career(each.member.name).add(each.tenant)

    def _career(self, name: str) -> _Career:
        return self._careers.setdefault(name, _Career(ModuleCount(name)))


@dataclass(slots=True)
class _Career:
    """What became of one module over all its instances that are gone."""

    count: ModuleCount
    last_fault: str | None = None
    quarantined: str | None = None

    def add(self, closed: Tenant) -> None:
        self.count = replace(self.count.plus(closed.counters), version=closed.version)
        self.last_fault = closed.last_fault or self.last_fault

    def quarantine(self, reason: str) -> None:
        """Only the first one is remembered: it says what went wrong."""
        self.quarantined = self.quarantined or reason

    @property
    def reason(self) -> str | None:
        """Why its silence must not be taken for "nothing seen"."""
        if self.quarantined:
            return f"was quarantined: {self.quarantined}"
        if self.count.calls and not self.count.answers:
            return f"never gave an answer, the last time: {self.last_fault}"
        return None
