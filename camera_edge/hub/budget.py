"""How many messages a worker may send: a bucket of tokens (pure, `now_ns` comes in).

Invariant: a worker that floods is slowed down by not being read; it costs the others and the hub a bounded share.
"""

from __future__ import annotations

from typing import Final

_NS: Final = 1_000_000_000


class MessageBudget:
    """`per_second` messages on average, `burst` at once."""

    def __init__(self, per_second: float = 500, burst: float = 2000) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = burst
        self._last_ns: int | None = None

    def take(self, now_ns: int) -> float:
        """Takes one message; returns the seconds to wait before the next is read."""
        if self._last_ns is not None:
            earned = (now_ns - self._last_ns) / _NS * self._per_second
            self._tokens = min(self._burst, self._tokens + earned)
        self._last_ns = now_ns
        self._tokens -= 1
        return max(0.0, -self._tokens / self._per_second)
