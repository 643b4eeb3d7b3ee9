"""Runs one module on the frames of one camera, and survives whatever it does.

Invariant: a frame gets a whole, checked answer or none. After a fault the instance is gone; the next frame gets a new
one.
"""

from __future__ import annotations

import os
import struct
from collections import Counter
from dataclasses import dataclass
from types import TracebackType

from camera_edge.errors import ModuleError
from camera_edge.sandbox.answer import Answer, Draft
from camera_edge.sandbox.guest import Guest, Linked
from camera_edge.sandbox.host import Host
from camera_edge.sandbox.link import Imports
from camera_edge.sandbox.quarantine import Policy, Quarantine
from camera_edge.sandbox.ringmap import RingMap
from camera_edge.sandbox.runtime import Program
from camera_edge.sandbox.services import Grants, Services
from camera_edge.sandbox.status import GuestFault, Reason

# where width and height of the view lie in a slot header
_SIZE = struct.Struct("<II")
_SIZE_OFFSET = 24


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
    """What happened so far. `skipped`: frames that came while it was in quarantine."""

    calls: int
    answers: int
    restarts: int
    skipped: int
    fuel: int
    refused: int
    faults: tuple[FaultCount, ...]
    host_calls: tuple[HostCalls, ...]

    @property
    def traps(self) -> int:
        """Frames without an answer, for whatever reason."""
        return sum(fault.count for fault in self.faults)


class Analyzer:
    """One module on one camera, used by one thread. `open()` acts; `close()` is idempotent.

    `ring` must stay open as long as the analyzer is.
    """

    def __init__(
        self, program: Program, grants: Grants, services: Services, ring: RingMap, policy: Policy | None = None
    ) -> None:
        self.name = program.name
        self.last_fault: str | None = None
        self._program = program
        self._ring = ring
        self._host = Host(program.manifest, grants, services)
        self._imports = Imports(program, self._host)
        self._quarantine = Quarantine(policy or Policy())
        self._linked: Linked | None = None
        self._guest: Guest | None = None
        self._faults: Counter[Reason] = Counter()
        self._calls = self._answers = self._starts = self._skipped = self._fuel = self._refused = 0

    def open(self) -> None:
        """Link and start the first instance, once. Raises ModuleError: not granted, another ABI, bad parameters."""
        if self._linked is not None:
            return
        linked = self._imports.link()
        try:
            self._start(linked)
        except GuestFault as fault:
            self._drop()
            raise ModuleError(
                f"does not start: {fault}", where=f"analyzer {self.name}", hint=self._last_words()
            ) from fault
        self._linked = linked

    def analyze(self, slot_offset: int, frame: int, media_us: int) -> Answer | None:
        """The answer for the frame in the slot at `slot_offset`, or None: it failed, or is in quarantine.

        Opens the analyzer, or wakes it, where that is needed; raises ModuleError only where it was never open.
        """
        if self._linked is None:
            self.open()
        self._host.media_us = media_us
        if not self._quarantine.admits():
            self._skipped += 1
            return None
        self._calls += 1
        try:
            answer = self._answer(slot_offset)
        except GuestFault as fault:
            self._note(fault, frame)
            return None
        finally:
            self._host.draft = None
            self._host.take_metrics()
        self._answers += 1
        self._refused += answer.refused
        return answer

    @property
    def quarantined(self) -> str | None:
        """Why it is left alone at present."""
        return self._quarantine.reason

    @property
    def state(self) -> bytes:
        """What the guest's store holds."""
        return bytes(self._host.state)

    @property
    def counters(self) -> Counters:
        return Counters(
            calls=self._calls,
            answers=self._answers,
            restarts=max(0, self._starts - 1),
            skipped=self._skipped,
            fuel=self._fuel,
            refused=self._refused,
            faults=tuple(FaultCount(reason, self._faults[reason]) for reason in Reason if self._faults[reason]),
            host_calls=tuple(HostCalls(*key, count) for key, count in sorted(self._host.calls.items())),
        )

    def sleep(self) -> None:
        """Let the instance go; the next `analyze` wakes it with a new one."""
        guest = self._guest
        if guest is None:
            return
        try:
            guest.say_goodbye()
        except GuestFault as fault:
            self._faults[fault.reason] += 1
            self.last_fault = f"{self.name}: {fault}"
        finally:
            self._drop()

    def close(self) -> None:
        self.sleep()

    def __enter__(self) -> Analyzer:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, slot_offset: int) -> Answer:
        assert self._linked is not None, "analyze() opens first"
        guest = self._guest or self._start(self._linked)
        width, height = _SIZE.unpack(os.pread(self._ring.fd, _SIZE.size, slot_offset + _SIZE_OFFSET))
        draft = Draft(self._program.manifest, width, height)
        self._host.draft = draft
        try:
            result = guest.analyze(slot_offset)
        finally:
            used = guest.fuel_used
            self._fuel += used
        if self._imports.wasi.exited is not None:
            raise GuestFault(Reason.TRAP, "it returned after its exit")
        if draft.spoiled:
            raise GuestFault(Reason.OUTPUT, draft.spoiled)
        if result < 0:
            raise _Failed(f"analyze returned {result}")
        return Answer(
            observations=tuple(draft.observations),
            mask=draft.mask,
            scores=tuple(draft.scores),
            logs=self._host.take_logs(),
            metrics=self._host.take_metrics(),
            fuel=used,
            refused=draft.refused,
        )

    def _start(self, linked: Linked) -> Guest:
        self._starts += 1
        self._imports.restart()
        guest = Guest(linked, self._ring)
        self._guest = self._host.instance = guest
        guest.start()
        if (result := guest.open()) < 0:
            raise GuestFault(Reason.ERROR, f"open returned {result}")
        return guest

    def _note(self, fault: GuestFault, frame: int) -> None:
        exited = self._imports.wasi.exited
        words = str(fault) if exited is None else f"it ended itself with code {exited}"
        self.last_fault = f"{self.name}: frame {frame}: {words}"
        self._faults[fault.reason if exited is None else Reason.TRAP] += 1
        self._quarantine.fault(words)
        if not isinstance(fault, _Failed):
            self._drop()

    def _drop(self) -> None:
        if self._guest is not None:
            self._guest.close()
        self._guest = self._host.instance = None

    def _last_words(self) -> str:
        lines = self._host.take_logs()
        return f"it says: {lines[-1].text}" if lines else "see its documentation for what it needs"


class _Failed(GuestFault):
    """The guest says itself that it failed on this frame; it goes on with the next."""

    def __init__(self, message: str) -> None:
        super().__init__(Reason.ERROR, message)
