"""Decides when the worker's encoder is asked for a key frame.

Invariant: however many viewers ask, however often, the encoder hears of it at most once per interval; a viewer that
still waits asks again.
"""

from __future__ import annotations


class KeyFrameRequests:
    """A limit on how often a key frame is asked for."""

    def __init__(self, interval_s: float) -> None:
        self._interval_ns = round(interval_s * 1e9)
        self._asked_ns: int | None = None

    def allow(self, *, now_ns: int) -> bool:
        """Whether to ask now; saying yes starts the interval."""
        if self._asked_ns is not None and now_ns - self._asked_ns < self._interval_ns:
            return False
        self._asked_ns = now_ns
        return True
