"""Writes down what the guest of a real sandbox asks and is told.

Invariant: the host's answers, its checks and its fuel stay what they are; a listener never raises into the host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from camera_edge.sandbox.guest import Guest
from camera_edge.sandbox.host import Host
from camera_edge.sandbox.memory import GuestError
from scripts.portability.transcript import ANALYZE, CALLS, DID_NOT_RETURN, Transcript, write_answer, write_fields


@contextmanager
def witnessed(transcript: Transcript) -> Iterator[None]:
    """Every sandbox that this process links meanwhile speaks into `transcript`: one at a time."""
    function, analyze = Host.function, Guest.analyze

    def listening(host: Host, name: str) -> Callable[..., int | float]:
        answer, call = function(host, name), CALLS[name]

        def read(pointer: int, length: int) -> bytes | None:
            try:
                return host.present_memory().read(pointer, length)
            except GuestError:
                return None

        def told(*arguments: int | float) -> int | float:
            fields = write_fields(call, arguments, read)
            result = answer(*arguments)
            transcript.add(name, fields, write_answer(call.answer, result))
            return result

        return told

    def returned(guest: Guest, slot_offset: int) -> int:
        result = DID_NOT_RETURN
        try:
            result = analyze(guest, slot_offset)
        finally:
            transcript.add(ANALYZE, b"", write_answer("i32", result))
        return result

    Host.function = listening  # type: ignore[assignment,method-assign]
    Guest.analyze = returned  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        Host.function = function  # type: ignore[method-assign]
        Guest.analyze = analyze  # type: ignore[method-assign]
