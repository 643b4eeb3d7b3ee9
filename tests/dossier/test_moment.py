from __future__ import annotations

import pytest

from camera_edge.dossier.moment import clock, duration, round_times


@pytest.mark.parametrize(
    ("media_us", "said"),
    [
        (0, "0:00.0"),
        (4_160_000, "0:04.2"),
        (59_960_000, "1:00.0"),
        (750_000_000, "12:30.0"),
        (11_100_000_000, "3:05:00.0"),
    ],
)
def test_a_media_time_is_said_in_minutes_and_seconds(media_us: int, said: str) -> None:
    assert clock(media_us) == said


def test_seconds_are_said_without_or_with_more_decimals() -> None:
    assert clock(4_160_000, decimals=0) == "0:04"
    assert clock(4_160_000, decimals=2) == "0:04.16"


def test_a_duration_is_in_seconds_as_long_as_these_can_be_grasped() -> None:
    assert (duration(1_840_000), duration(3_600_000_000)) == ("1.8 s", "1:00:00")


@pytest.mark.parametrize("length_us", [0, 1, 999_999, 79_400_000, 3_600_000_000, 86_400_000_000, 30 * 86_400_000_000])
def test_an_axis_has_few_marks_at_equal_steps_from_zero_on(length_us: int) -> None:
    marks = round_times(length_us)
    assert marks[0] == 0 and 1 <= len(marks) <= 12
    assert marks[-1] <= length_us
    steps = {later - earlier for earlier, later in zip(marks, marks[1:], strict=False)}
    assert len(steps) <= 1
