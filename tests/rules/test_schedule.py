from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from camera_edge.rules import Hours, Line, LineCrossed, Rule, Schedule
from tests.rules.scenes import S, rule_of, steps, told_at, walk

BERLIN = ZoneInfo("Europe/Berlin")
ALL_DAYS = frozenset(range(7))
NIGHT = Hours(ALL_DAYS, 22 * 60, 6 * 60)


def holds(hours: Hours, utc: str, zone: ZoneInfo = BERLIN) -> bool:
    moment = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    return Schedule((hours,), zone).holds(round(moment.timestamp()) * 1_000_000_000)


@pytest.mark.parametrize(
    ("local", "inside"),
    [("21:59", False), ("22:00", True), ("23:59", True), ("00:00", True), ("05:59", True), ("06:00", False)],
)
def test_hours_over_midnight_hold_on_both_sides_of_it(local: str, inside: bool) -> None:
    # in June Berlin is two hours ahead; the UTC clock stands at ten the evening before where Berlin begins a day
    hour, minute = map(int, local.split(":"))
    day, hour = (9, hour + 22) if hour < 2 else (10, hour - 2)
    assert holds(NIGHT, f"2026-06-{day:02} {hour:02}:{minute:02}") is inside


def test_hours_over_midnight_belong_to_the_day_they_begin_on() -> None:
    friday_night = Hours(frozenset({4}), 22 * 60, 6 * 60)
    assert not holds(friday_night, "2026-01-02 00:30", ZoneInfo("UTC"))  # Friday, after midnight
    assert holds(friday_night, "2026-01-02 22:30", ZoneInfo("UTC"))
    assert holds(friday_night, "2026-01-03 05:30", ZoneInfo("UTC"))
    assert not holds(friday_night, "2026-01-03 22:30", ZoneInfo("UTC"))


def test_sunday_night_goes_on_into_monday() -> None:
    sunday_night = Hours(frozenset({6}), 22 * 60, 6 * 60)
    assert holds(sunday_night, "2026-01-05 01:00", ZoneInfo("UTC"))
    assert not holds(sunday_night, "2026-01-06 01:00", ZoneInfo("UTC"))


def test_whole_days() -> None:
    weekend = Hours(frozenset({5, 6}))
    assert holds(weekend, "2026-01-03 00:00", ZoneInfo("UTC"))
    assert holds(weekend, "2026-01-04 23:59", ZoneInfo("UTC"))
    assert not holds(weekend, "2026-01-05 00:00", ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("utc", "inside"),
    [
        # clocks go from 02:00 to 03:00 at 01:00 UTC on 29 March 2026
        ("2026-03-29 00:29", False),
        ("2026-03-29 00:30", True),
        ("2026-03-29 00:59", True),
        ("2026-03-29 01:00", True),
        ("2026-03-29 01:29", True),
        ("2026-03-29 01:30", False),
        # and from 03:00 back to 02:00 at 01:00 UTC on 25 October 2026
        ("2026-10-24 23:29", False),
        ("2026-10-24 23:30", True),
        ("2026-10-25 00:30", True),
        ("2026-10-25 01:30", True),
        ("2026-10-25 02:29", True),
        ("2026-10-25 02:30", False),
    ],
)
def test_where_clocks_are_changed_the_clock_on_the_wall_counts(utc: str, inside: bool) -> None:
    """From half past one to half past three: one hour long in spring, three hours in autumn."""
    assert holds(Hours(ALL_DAYS, 90, 210), utc) is inside


def test_a_day_is_the_camera_s_own() -> None:
    monday = Hours(frozenset({0}))
    assert holds(monday, "2026-01-04 23:30")
    assert not holds(monday, "2026-01-04 23:30", ZoneInfo("UTC"))


def test_any_of_several_hours_will_do() -> None:
    both = Schedule((Hours(frozenset({0}), 60, 120), Hours(frozenset({0}), 600, 660)), ZoneInfo("UTC"))
    monday_ns = round(datetime(2026, 1, 5, tzinfo=UTC).timestamp()) * 1_000_000_000
    minutes = [minute for minute in range(24 * 60) if both.holds(monday_ns + minute * 60_000_000_000)]
    assert minutes == [*range(60, 120), *range(600, 660)]


def test_a_rule_with_a_schedule_opens_within_it_and_closes_after_it() -> None:
    at_night = Rule("r", quiet_us=3 * S, schedule=Schedule((NIGHT,), ZoneInfo("UTC")))
    begin_ns = round(datetime(2026, 1, 5, 5, 59, 50, tzinfo=UTC).timestamp()) * 1_000_000_000
    frames = [(number * S, seen) for number, seen in enumerate(walk([0.5] * 30))]
    [event] = told_at(at_night, frames, utc_ns=lambda now_us: begin_ns + now_us * 1000).events
    assert (event.opened_us, event.closed_us) == (0, 9 * S)


def test_a_crossing_counts_only_at_its_hours_though_things_are_followed_always() -> None:
    line = LineCrossed("door", Line((0.5, 0.9), (0.5, 0.3)))
    at_night = replace(rule_of(line), schedule=Schedule((NIGHT,), ZoneInfo("UTC")))
    frames = [(number * S // 5, seen) for number, seen in enumerate(walk([*steps(0.3, 0.7, 21), *steps(0.7, 0.3, 21)]))]

    def begun(hour: int, minute: int, second: int) -> list[str]:
        start_ns = round(datetime(2026, 1, 5, hour, minute, second, tzinfo=UTC).timestamp()) * 1_000_000_000
        return [why[-13:] for why in told_at(at_night, frames, utc_ns=lambda now: start_ns + now * 1000).whys]

    assert begun(12, 0, 0) == []
    assert begun(23, 0, 0) == ["left to right", "right to left"]
    assert begun(5, 59, 56) == ["left to right"]
    assert begun(21, 59, 56) == ["right to left"]
