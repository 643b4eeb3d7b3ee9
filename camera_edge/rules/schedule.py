"""Says whether a rule applies at a time of day.

Invariant: what counts is what a clock on the wall shows where the camera stands, also where clocks are changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from camera_edge.clock import week_minute

DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Hours:
    """Minutes of the day, from the first to before the last, on these days (0: Monday).

    Hours that end before they begin go on over midnight, and belong to the day on which they began.
    """

    days: frozenset[int]
    from_minute: int = 0
    to_minute: int = DAY

    def holds(self, minute_of_week: int) -> bool:
        day, minute = divmod(minute_of_week, DAY)
        if self.from_minute < self.to_minute:
            return day in self.days and self.from_minute <= minute < self.to_minute
        begun_today = day in self.days and minute >= self.from_minute
        return begun_today or ((day - 1) % 7 in self.days and minute < self.to_minute)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Hours, any of which will do, in the time zone of the camera."""

    hours: Sequence[Hours]
    zone: tzinfo

    def holds(self, utc_ns: int) -> bool:
        minute = week_minute(utc_ns, self.zone)
        return any(each.holds(minute) for each in self.hours)
