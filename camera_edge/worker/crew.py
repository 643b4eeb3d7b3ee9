"""The sandboxes of one camera: seats each module of a lineup, swaps in new versions, and keeps count of each.

Invariant: a module whose program, grants and frames are as before keeps its instance; every other gets a new one,
which shares nothing with the old. Where a version does not start, the next one that may run takes its place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from msgspec.structs import replace

from camera_edge.errors import ModuleError
from camera_edge.frames import Ring, View
from camera_edge.inference import Session
from camera_edge.link import ModuleProgress
from camera_edge.sandbox import (
    Analyzer,
    Grants,
    LogLine,
    Metric,
    Policy,
    RingMap,
    RuleModule,
    Services,
    Tenant,
)
from camera_edge.worker.lineup import Lineup, Member, Version
from camera_edge.worker.plan import AnalyzerPlan
from camera_edge.worker.rings import Rings

log = logging.getLogger(__name__)

METRICS_MAX = 64
# different ones that are remembered of each module
WARNINGS_MAX = 4
WARNING_LEVEL = 2
_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)


@dataclass(frozen=True, slots=True)
class Seat:
    """A module that runs: which version, over which ring (None: a rule module has none), in which sandbox."""

    version: Version
    ring: Ring | None
    tenant: Analyzer | RuleModule

    @property
    def analyzer(self) -> Analyzer:
        assert isinstance(self.tenant, Analyzer), "a rule module sees no frames"
        return self.tenant

    @property
    def rule_module(self) -> RuleModule:
        assert isinstance(self.tenant, RuleModule), "an analyzer sees no events"
        return self.tenant


@dataclass(frozen=True, slots=True)
class CrewPolicy:
    """strict: a module that does not start is an error. Else it is left alone, with the reason, and the others go on.

    slow_us: a live camera's module that takes longer for a frame, again and again, is left alone too. None: it has all
    the time that its fuel gives it.
    """

    strict: bool = True
    slow_us: int | None = None


class Crew:
    """Belongs to the analysis; what it counts may be read from other threads."""

    def __init__(self, services: Callable[[AnalyzerPlan, Mapping[str, Session]], Services], policy: CrewPolicy) -> None:
        self._services = services
        self._policy = policy
        # replaced as a whole and never changed: other threads read counters
        self._seats: Mapping[str, Seat] = {}
        self._careers: dict[str, _Career] = {}
        self._metrics: dict[str, dict[str, float]] = {}
        self.warned: dict[str, dict[str, None]] = {}
        """What each module warned of, the first few, in order."""
        # versions that did not start, so that nobody waits for them twice
        self._failed: dict[_Attempt, ModuleError] = {}
        self.refusals: tuple[str, ...] = ()
        """Versions that were wanted and did not start, each with the reason and what runs instead."""

    def rehearse(self, lineup: Lineup, rings: Rings) -> list[Seat]:
        """Starts, in the thread that calls, what of this lineup does not run yet, so that `seat` need not wait for it.

        Only over rings that are there: a version that wants another view starts when it takes its seat.
        """
        ready: list[Seat] = []
        for member in lineup.members:
            version, known = member.versions[0], self._seats.get(member.name)
            ring = None if member.plan.is_rule else rings.find(version.view)
            if (ring is None and not member.plan.is_rule) or (known is not None and _runs(known, version, ring)):
                continue
            with suppress(ModuleError):
                ready.append(self._started(version, ring, lineup.sessions))
        return ready

    def seat(self, lineup: Lineup, rings: Rings, ready: Sequence[Seat] = ()) -> None:
        """The modules of this lineup over these rings; those that are not in it any more are closed.

        ready: what `rehearse` started. Raises ModuleError where the policy is strict and a module does not start.
        """
        refusals: list[str] = []
        seats: dict[str, Seat] = {}
        for member in lineup.members:
            seats[member.name], refused = self._seat(member, rings, ready, lineup.sessions)
            refusals += refused
        kept = {id(each) for each in seats.values()}
        gone = [each for each in (*self._seats.values(), *ready) if id(each) not in kept]
        self._seats, self.refusals = seats, tuple(refusals)
        self._retire(gone)

    def seat_of(self, name: str) -> Seat:
        return self._seats[name]

    @property
    def versions(self) -> list[AnalyzerPlan]:
        """What really runs."""
        return [seat.version.plan for seat in self._seats.values()]

    def pass_on(self, name: str, lines: Sequence[LogLine], metrics: Sequence[Metric]) -> None:
        """What a module says goes to the log of this process; the sandbox has bounded it. Its newest metrics stay."""
        for line in lines:
            log.log(_LEVELS[line.level], "module says name=%s text=%s", name, line.text)
            if line.level >= WARNING_LEVEL and len(said := self.warned.setdefault(name, {})) < WARNINGS_MAX:
                said[line.text] = None
        if metrics:
            known = self._metrics.get(name, {})
            fresh = {each.name: each.value for each in metrics if each.name in known or len(known) < METRICS_MAX}
            # replaced as a whole: other threads read it
            self._metrics[name] = dict(islice({**known, **fresh}.items(), METRICS_MAX))

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
    def counts(self) -> list[ModuleProgress]:
        """Of each module that has a seat, or had one: over all its instances and versions."""
        seats, metrics = self._seats, self._metrics
        past = {name: career.count for name, career in list(self._careers.items())}
        present = [_plus(past.get(name, _none_yet(name)), seat.tenant) for name, seat in seats.items()]
        gone = [count for name, count in past.items() if name not in seats]
        return [replace(each, metrics=metrics.get(each.name, {})) for each in present + gone]

    @property
    def faults(self) -> dict[str, str]:
        """The last fault of each module that had one."""
        present = {name: seat.tenant.last_fault for name, seat in self._seats.items()}
        past = {name: career.last_fault for name, career in self._careers.items()}
        return {name: fault for name, fault in {**past, **present}.items() if fault is not None}

    @property
    def broken(self) -> dict[str, str]:
        """Modules that were in quarantine at any time or never gave an answer, with the reason; after `close()`."""
        reasons = {name: career.reason for name, career in self._careers.items()}
        return {name: reason for name, reason in reasons.items() if reason is not None}

    @property
    def states(self) -> dict[str, bytes]:
        """What each module's store holds, of those that have a seat or had one."""
        past = {name: career.state for name, career in self._careers.items()}
        return past | {name: seat.tenant.state for name, seat in self._seats.items()}

    def close(self) -> None:
        seats, self._seats = self._seats, {}
        self._retire(list(seats.values()))

    def _seat(
        self, member: Member, rings: Rings, ready: Sequence[Seat], sessions: Mapping[str, Session]
    ) -> tuple[Seat, list[str]]:
        """The first version that runs already or starts; and why those before it do not."""
        known = self._seats.get(member.name)
        present = [*([known] if known is not None else []), *ready]
        refused = list(member.refused)
        faults: list[ModuleError] = []
        for version in member.versions:
            ring = None if member.plan.is_rule else rings.ring(version.view)
            for each in present:
                if _runs(each, version, ring):
                    return each, [f"{reason}; {version.number} runs" for reason in refused]
            try:
                seat = self._started(version, ring, sessions)
            except ModuleError as error:
                faults.append(error)
                refused.append(f"{member.name} {version.number} {error.message}")
                continue
            return seat, [f"{reason}; {version.number} runs" for reason in refused]
        if self._policy.strict:
            raise faults[0]
        return self._left_alone(member, rings, faults[0]), refused[:-1]

    def _left_alone(self, member: Member, rings: Rings, fault: ModuleError) -> Seat:
        """A seat that answers nothing, and says why."""
        version = member.versions[0]
        ring = None if member.plan.is_rule else rings.ring(version.view)
        tenant = self._tenant(version, ring, {})
        tenant.dismiss(f"{fault.message} ({fault.hint})" if fault.hint else fault.message)
        return Seat(version, ring, tenant)

    def _started(self, version: Version, ring: Ring | None, sessions: Mapping[str, Session]) -> Seat:
        """One that is to sleep is asleep again once it has shown that it starts. Raises ModuleError."""
        attempt = _Attempt.of(version, ring)
        if (failed := self._failed.get(attempt)) is not None:
            raise failed
        seat = Seat(version, ring, self._tenant(version, ring, sessions))
        try:
            seat.tenant.open()
        except ModuleError as error:
            seat.tenant.close()
            self._failed[attempt] = error
            raise
        if version.plan.wake_on is not None:
            seat.tenant.sleep()
        return seat

    def _tenant(self, version: Version, ring: Ring | None, sessions: Mapping[str, Session]) -> Analyzer | RuleModule:
        plan = version.plan
        grants, patience = Grants(plan.capabilities, plan.params, plan.state), Policy(slow_us=self._policy.slow_us)
        if ring is None:
            return RuleModule(version.program, grants, patience)
        frames = RingMap(ring.fd, ring.size_bytes, ring.memory)
        return Analyzer(version.program, grants, self._services(plan, sessions), frames, patience)

    def _retire(self, seats: list[Seat]) -> None:
        for each in seats:
            each.tenant.close()
            self._career(each.version.plan.name).add(each.tenant)

    def _career(self, name: str) -> _Career:
        return self._careers.setdefault(name, _Career(_none_yet(name)))


def _runs(seat: Seat, version: Version, ring: Ring | None) -> bool:
    return seat.ring is ring and seat.version.is_same(version) and not seat.tenant.dismissed


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What a start depends on, beside the module's own state file, which does not change while a camera runs."""

    sha256: str
    version: str
    granted: frozenset[str]
    params: tuple[tuple[str, str | float], ...]
    view: View | None

    @classmethod
    def of(cls, version: Version, ring: Ring | None) -> _Attempt:
        plan = version.plan
        view = None if ring is None else ring.view
        return cls(plan.module.sha256, version.number, plan.capabilities, tuple(sorted(plan.params.items())), view)


@dataclass(slots=True)
class _Career:
    """What became of one module over all its instances that are gone."""

    count: ModuleProgress
    last_fault: str | None = None
    quarantined: str | None = None
    state: bytes = b""

    def add(self, closed: Tenant) -> None:
        self.state = closed.state
        self.count = replace(_plus(self.count, closed), asleep=False)
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


def _none_yet(name: str) -> ModuleProgress:
    return ModuleProgress(name, version="")


def _plus(past: ModuleProgress, tenant: Tenant) -> ModuleProgress:
    """With what this instance did, in its version."""
    counters = tenant.counters
    return replace(
        past,
        version=tenant.version,
        calls=past.calls + counters.calls,
        answers=past.answers + counters.answers,
        faults=past.faults + counters.traps,
        restarts=past.restarts + counters.restarts,
        wakes=past.wakes + counters.wakes,
        skipped=past.skipped + counters.skipped,
        copied=past.copied + counters.copied,
        refused=past.refused + counters.refused,
        fuel=past.fuel + counters.fuel,
        spent_ns=past.spent_ns + counters.spent_ns,
        models_ns=past.models_ns + counters.models_ns,
        asleep=tenant.asleep,
    )
