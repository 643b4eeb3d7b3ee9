"""Says what time of day it is at a moment of a recording.

Invariant: without a start the time of day is unknown, and never today's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from camera_edge.clock import week_minute
from camera_edge.errors import UsageError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# so far from where clocks and 64 bits end that neither a time zone nor ten years of recording get there
_YEARS = range(1971, 2200)
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class DayTime:
    """`start_us`: when the recording began, microseconds since 1970; None: unknown. `zone`: of the camera."""

    start_us: int | None = None
    zone: tzinfo = UTC

    @classmethod
    def read(cls, start: str | None, time_zone: str | None) -> DayTime:
        """`start` as `2026-01-05T08:00`, in `time_zone` (by default UTC). Raises UsageError."""
        zone = UTC if time_zone is None else _zone(time_zone)
        if start is None:
            return cls(None, zone)
        try:
            began = datetime.fromisoformat(start)
        except ValueError as error:
            raise UsageError(f"{start!r} is no date and time", hint="write 2026-01-05T08:00") from error
        if began.year not in _YEARS:
            hint = f"write a year from {_YEARS[0]} to {_YEARS[-1]}"
            raise UsageError(f"{start!r} is no time of a recording", hint=hint)
        if began.tzinfo is None:
            began = began.replace(tzinfo=zone)
        return cls((began - _EPOCH) // timedelta(microseconds=1), zone)

    def utc_us(self, media_us: int) -> int:
        """Microseconds since 1970; where the start is unknown, those of the media time."""
        return media_us + (self.start_us or 0)

    def week_minute(self, media_us: int) -> int:
        """The local minute of the week, Monday 00:00 is 0; -1: unknown."""
        return UNKNOWN if self.start_us is None else week_minute(self.utc_us(media_us) * 1000, self.zone)


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        # known without a data base of zones
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError) as error:
        raise UsageError(f"there is no time zone {name!r}", hint="write Europe/Berlin, or UTC") from error
