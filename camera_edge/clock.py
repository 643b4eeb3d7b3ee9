"""The only place that asks the operating system for the time.

Monotonic time is for durations, UTC for records, media time (a source's own, in microseconds) for frames; never mixed.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, tzinfo
from typing import Protocol


class Clock(Protocol):
    """What needs the time takes one of these, so that a test lets hours pass in no time."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since an arbitrary start; never runs backwards."""

    def utc_ns(self) -> int:
        """Nanoseconds since 1970-01-01T00:00:00Z."""


class SystemClock:
    """The machine's clocks."""

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def utc_ns(self) -> int:
        return time.time_ns()


class ManualClock:
    """A clock that stands still until it is told to advance."""

    def __init__(self, utc_ns: int = 0) -> None:
        self._monotonic_ns = 0
        self._utc_start_ns = utc_ns

    def advance(self, seconds: float) -> None:
        self._monotonic_ns += round(seconds * 1e9)

    def monotonic_ns(self) -> int:
        return self._monotonic_ns

    def utc_ns(self) -> int:
        return self._utc_start_ns + self._monotonic_ns


def time_zone(name: str) -> tzinfo:
    """A zone by its IANA name. Raises KeyError (ZoneInfoNotFoundError) for one that is not known."""
    # a quarter of a megabyte that only cameras with rule modules need
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def week_minute(utc_ns: int, zone: tzinfo) -> int:
    """The local minute of the week: 0 is Monday, 00:00."""
    local = datetime.fromtimestamp(utc_ns / 1e9, zone)
    return (local.weekday() * 24 + local.hour) * 60 + local.minute


def iso_utc(utc_ns: int) -> str:
    """ISO 8601 with milliseconds and a `Z`, as records carry it."""
    stamp = datetime.fromtimestamp(utc_ns / 1e9, UTC)
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
