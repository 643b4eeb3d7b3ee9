"""Keeps one module alive in its sandbox for one camera: starts it, lets it sleep, replaces it after a fault, counts.

Invariant: a question gets a whole, checked answer or none. After a fault the instance is gone; the next question gets a
new one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from camera_edge.errors import ModuleError
from camera_edge.sandbox.answer import Draft
from camera_edge.sandbox.effort import Effort
from camera_edge.sandbox.guest import Guest, Inbox, Linked
from camera_edge.sandbox.host import Host
from camera_edge.sandbox.link import Imports
from camera_edge.sandbox.quarantine import Policy, Quarantine
from camera_edge.sandbox.ringmap import RingMap
from camera_edge.sandbox.ruling import RulingDraft
from camera_edge.sandbox.runtime import Program
from camera_edge.sandbox.services import Grants, Services
from camera_edge.sandbox.status import GuestFault, Reason

T = TypeVar("T")

# of a guest's log, as in ABI.md
ERROR_LEVEL = 3
COMPLAINT_MAX = 200


@dataclass(frozen=True, slots=True)
class HostCalls:
    """How often a host function was called with this result."""

    function: str
    result: str
    count: int


@dataclass(frozen=True, slots=True)
class FaultCount:
    reason: Reason
    count: int


@dataclass(frozen=True, slots=True)
class Counters:
    """What happened so far.

    skipped: frames that came while it was in quarantine. wakes: starts of an instance after it had slept.
    copied: frames that were copied into it, because they could not be mapped. spent_ns: processor time
    from question to answer, with what the host did for it; models_ns: the part of that which granted models took.
    """

    calls: int
    answers: int
    restarts: int
    wakes: int
    skipped: int
    copied: int
    fuel: int
    refused: int
    spent_ns: int
    models_ns: int
    faults: tuple[FaultCount, ...]
    host_calls: tuple[HostCalls, ...]

    @property
    def traps(self) -> int:
        """Frames without an answer for whatever reason, or with one that came too late for a live camera."""
        return sum(fault.count for fault in self.faults)


@dataclass(slots=True)
class _Tally:
    """The counters while they grow."""

    calls: int = 0
    answers: int = 0
    starts: int = 0
    wakes: int = 0
    skipped: int = 0
    copied: int = 0
    fuel: int = 0
    refused: int = 0
    spent_ns: int = 0
    models_ns: int = 0


class Tenant:
    """One module on one camera, used by one thread. `open()` acts; `close()` is idempotent.

    `space` must stay open as long as the tenant is.
    """

    def __init__(
        self, program: Program, grants: Grants, services: Services, space: RingMap | Inbox, policy: Policy | None = None
    ) -> None:
        self.name = program.name
        self.version = program.manifest.version
        self.last_fault: str | None = None
        self._program = program
        self._space = space
        self._host = Host(program.manifest, grants, services)
        self._imports = Imports(program, self._host)
        self._policy = policy or Policy()
        self._quarantine = Quarantine(self._policy)
        self._linked: Linked | None = None
        self._guest: Guest | None = None
        self._faults: Counter[Reason] = Counter()
        self._tally = _Tally()
        self._asleep = False
        self.dismissed: str | None = None

    def open(self) -> None:
        """Link and start the first instance, once. Raises ModuleError: not granted, another ABI, bad parameters."""
        if self._linked is not None:
            return
        self._host.begin_frame()
        linked = self._imports.link()
        try:
            self._start(linked)
        except GuestFault as fault:
            words = self._told(fault)
            self._drop()
            raise ModuleError(
                f"does not start: {words}", where=f"analyzer {self.name}", hint=self._last_words()
            ) from fault
        self._linked = linked

    def dismiss(self, reason: str) -> None:
        """Leave it alone for good: it does not start."""
        self.dismissed = reason

    @property
    def quarantined(self) -> str | None:
        """Why it is left alone at present."""
        return self.dismissed or self._quarantine.reason

    @property
    def asleep(self) -> bool:
        """It was put to sleep, and has no instance and no memory."""
        return self._asleep and self._guest is None

    @property
    def state(self) -> bytes:
        """What the guest's store holds."""
        return bytes(self._host.state)

    @property
    def counters(self) -> Counters:
        tally = self._tally
        return Counters(
            calls=tally.calls,
            answers=tally.answers,
            restarts=max(0, tally.starts - 1 - tally.wakes),
            wakes=tally.wakes,
            skipped=tally.skipped,
            copied=tally.copied,
            fuel=tally.fuel,
            refused=tally.refused,
            spent_ns=tally.spent_ns,
            models_ns=tally.models_ns,
            faults=tuple(FaultCount(reason, self._faults[reason]) for reason in Reason if self._faults[reason]),
            host_calls=tuple(HostCalls(*key, count) for key, count in sorted(self._host.calls.items())),
        )

    def wake(self) -> None:
        """Start an instance ahead of the next question. Raises GuestFault."""
        self.open()
        if self._guest is None:
            self._wake()

    def sleep(self) -> None:
        """Let the instance go; the next question wakes the module with a new one."""
        guest = self._guest
        if guest is None:
            return
        try:
            guest.say_goodbye()
        except GuestFault as fault:
            # a module that spins whenever it goes to sleep is to be left alone too
            self._blame(fault, f"{self.name}: {self._told(fault)}")
        finally:
            self._drop()
        self._asleep = True

    def close(self) -> None:
        self.sleep()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, frame: int, media_us: int, question: Callable[[Guest], T]) -> T | None:
        """What the instance answers, or None: it failed, or is in quarantine. Opens or wakes it where needed."""
        if self.dismissed is not None:
            self._tally.skipped += 1
            return None
        if self._linked is None:
            self.open()
        self._host.media_us = media_us
        if not self._quarantine.admits():
            self._tally.skipped += 1
            return None
        self._tally.calls += 1
        self._host.begin_frame()
        started = Effort.now()
        try:
            answer = question(self._guest or self._wake())
        except GuestFault as fault:
            self._note(fault, frame)
            return None
        finally:
            self._host.draft = None
            self._host.take_metrics()
            spent = Effort.now() - started
            self._tally.spent_ns += spent.cpu_ns
            self._tally.models_ns += self._host.granted_models.cpu_ns
        self._tally.answers += 1
        self._look_at_the_clock(spent.wall_ns, frame)
        return answer

    def _look_at_the_clock(self, wall_ns: int, frame: int) -> None:
        """Blame it where it took too long for a live camera; what the operator's models took is not its own."""
        slow_us = self._policy.slow_us
        own_ms = (wall_ns - self._host.granted_models.wall_ns) // 1_000_000
        if slow_us is not None and own_ms * 1000 > slow_us:
            words = f"it took {own_ms} ms for a frame"
            self._blame(GuestFault(Reason.SLOW, words), f"{self.name}: frame {frame}: {words}")

    def _put(self, guest: Guest, draft: Draft | RulingDraft, call: Callable[[], int]) -> int:
        """One call with this draft before it, whose outputs are checked; returns the fuel it took."""
        self._host.draft = draft
        try:
            result = call()
        finally:
            used = guest.fuel_used
            self._tally.fuel += used
        if draft.spoiled:
            raise GuestFault(Reason.OUTPUT, draft.spoiled)
        if result < 0:
            called = "observe" if isinstance(draft, RulingDraft) else "analyze"
            raise _Failed(f"{called} returned {result}{self._complaint()}")
        self._tally.refused += draft.refused
        self._tally.copied += guest.copies
        return used

    def _complaint(self) -> str:
        """What the guest itself has just said is wrong."""
        errors = [line.text for line in self._host.logs if line.level == ERROR_LEVEL]
        return f"; it says: {errors[-1][:COMPLAINT_MAX]}" if errors else ""

    def _wake(self) -> Guest:
        assert self._linked is not None, "a question opens first"
        self._tally.wakes += self._asleep
        return self._start(self._linked)

    def _start(self, linked: Linked) -> Guest:
        self._tally.starts += 1
        self._asleep = False
        self._imports.restart()
        guest = Guest(linked, self._space)
        self._guest = self._host.instance = guest
        guest.start()
        if (result := guest.open()) < 0:
            raise GuestFault(Reason.ERROR, f"open returned {result}")
        return guest

    def _note(self, fault: GuestFault, frame: int) -> None:
        self._blame(fault, f"{self.name}: frame {frame}: {self._told(fault)}")
        if not isinstance(fault, _Failed):
            self._drop()

    def _blame(self, fault: GuestFault, said: str) -> None:
        self.last_fault = said
        self._faults[fault.reason] += 1
        self._quarantine.fault(self._told(fault))

    def _told(self, fault: GuestFault) -> str:
        """The fault in words; to wasmtime an exit is a trap like others."""
        code = self._imports.wasi.exited
        if code is not None:
            return f"it ended itself with code {code}"
        return self._host.ended or str(fault)

    def _drop(self) -> None:
        if self._guest is not None:
            self._guest.close()
        self._guest = self._host.instance = None
        # models that it brought go with it
        self._imports.restart()

    def _last_words(self) -> str:
        lines = self._host.take_logs()
        return f"it says: {lines[-1].text}" if lines else "see its documentation for what it needs"


class _Failed(GuestFault):
    """The guest says itself that it failed on this frame; it goes on with the next."""

    def __init__(self, message: str) -> None:
        super().__init__(Reason.ERROR, message)
