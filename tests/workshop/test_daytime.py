"""The time of day of a recording is what its start says, in the camera's time zone."""

from __future__ import annotations

import pytest

from camera_edge.errors import UsageError
from camera_edge.workshop.daytime import DayTime
from camera_edge.workshop.lines import MEDIA_S_MAX, MICROSECONDS

MINUTE_US = 60_000_000


def test_without_a_start_the_minute_is_unknown() -> None:
    day = DayTime.read(None, "UTC")
    assert (day.week_minute(0), day.utc_us(5)) == (-1, 5)


def test_the_week_begins_on_monday_at_midnight() -> None:
    sunday = DayTime.read("2026-01-04T23:59", None)
    assert [sunday.week_minute(0), sunday.week_minute(MINUTE_US)] == [7 * 24 * 60 - 1, 0]


def test_a_start_with_an_offset_is_that_moment() -> None:
    assert DayTime.read("2026-01-05T08:00+02:00", None).utc_us(0) == DayTime.read("2026-01-05T06:00", "UTC").utc_us(0)


@pytest.mark.parametrize(
    ("start", "zone"),
    [
        ("tomorrow", None),
        ("2026-01-05T08:00", "Europe/Atlantis"),
        ("0001-01-01T00:00", "Asia/Tokyo"),
        ("1970-12-31T23:59", None),
        ("2200-01-01T00:00", None),
        ("9999-12-31T23:59-12:00", None),
    ],
)
def test_what_is_no_time_is_refused(start: str, zone: str | None) -> None:
    with pytest.raises(UsageError):
        DayTime.read(start, zone)


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Pacific/Kiritimati"])
@pytest.mark.parametrize("start", ["1971-01-01T00:00", "2199-12-31T23:59"])
def test_the_longest_recording_has_a_minute_at_each_end(start: str, zone: str) -> None:
    day = DayTime.read(start, zone)
    assert all(0 <= day.week_minute(media_us) < 7 * 24 * 60 for media_us in (0, MEDIA_S_MAX * MICROSECONDS))
