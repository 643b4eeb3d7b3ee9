"""The words that host and guest have for how a call went.

Invariant: the numbers are those of `wasm_analyzers/ABI.md`, and never change their meaning within one ABI version.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from camera_edge.errors import SandboxError

ABI_VERSION = 1


class Status(IntEnum):
    """What a host function returns to the guest; a number above zero is a count or a length."""

    OK = 0
    BAD_POINTER = -1
    BAD_VALUE = -2
    NOT_FOUND = -3
    NOT_GRANTED = -4
    TOO_MANY = -5
    TOO_LARGE = -6
    NOT_NOW = -7
    FAILED = -8
    INTERNAL = -9


class RefusedError(Exception):
    """Ends a host function with a status; `words` say more to people. It ends at the host-function wall."""

    def __init__(self, status: Status, words: str = "") -> None:
        super().__init__(status.name)
        self.status = status
        self.words = words


class GuestEndError(Exception):
    """Ends the guest's call at once, from within a host function that it called. `raw.py` makes a trap of it."""


class OutOfFuelError(GuestEndError):
    """The guest cannot pay for what it asked for."""


class Reason(StrEnum):
    """Why a frame got no answer, or (slow) an answer that came too late for a live camera."""

    FUEL = "fuel"
    MEMORY = "memory"
    TRAP = "trap"
    OUTPUT = "output"
    SLOW = "slow"
    ERROR = "error"


class GuestFault(SandboxError):
    """The guest did not come to a proper end. `reason` is what is counted, the message is for people."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
