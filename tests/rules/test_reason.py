from __future__ import annotations

import pytest

from camera_edge.observation import AttributeValue
from camera_edge.rules.reason import WHY_MAX, seconds, sentence, told


def test_an_observation_without_a_reason_says_nothing() -> None:
    assert told({"area": 0.5}) == ""


@pytest.mark.parametrize("value", [3, 0.5, True])
def test_a_reason_that_is_no_text_is_none(value: AttributeValue) -> None:
    assert told({"why": value}) == ""


def test_a_reason_is_one_printable_line() -> None:
    assert told({"why": " too\n\x1b[31mfast\t\u202e! "}) == "too [31mfast !"


def test_a_long_reason_is_cut() -> None:
    assert sentence("a" * WHY_MAX) == "a" * WHY_MAX
    assert sentence("a" * 5000) == "a" * (WHY_MAX - 1) + "…"


@pytest.mark.parametrize(
    ("duration_us", "text"), [(0, "0 s"), (400_000, "0.4 s"), (12_000_000, "12 s"), (12_340_000, "12.3 s")]
)
def test_a_duration_is_said_as_people_say_it(duration_us: int, text: str) -> None:
    assert seconds(duration_us) == text
