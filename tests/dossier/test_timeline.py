from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from camera_edge.dossier import Span
from camera_edge.dossier.timeline import COLUMNS, LANES_MAX, Bar, bars, timeline

SECOND_US = 1_000_000


def span(opened_s: float, closed_s: float, kind: str = "motion", event_id: str = "e") -> Span:
    return Span(kind, "motion", round(opened_s * SECOND_US), round(closed_s * SECOND_US), event_id)


def percent(text: str | None) -> float:
    assert text is not None and text.endswith("%")
    return float(text.removesuffix("%"))


def test_events_apart_are_bars_of_their_own() -> None:
    assert bars([span(50, 60, event_id="b"), span(1, 2, event_id="a")], 100 * SECOND_US) == [
        Bar(1 * SECOND_US, 2 * SECOND_US, 1, "a"),
        Bar(50 * SECOND_US, 60 * SECOND_US, 1, "b"),
    ]


def test_events_of_the_same_columns_are_one_bar() -> None:
    (bar,) = bars([span(10, 30), span(12, 15), span(30.05, 31)], 100 * SECOND_US)
    assert bar == Bar(10 * SECOND_US, 31 * SECOND_US, 3, "")


def test_bars_lie_where_the_time_is() -> None:
    drawn = ElementTree.fromstring(timeline([span(25, 75)], 100 * SECOND_US, {}))
    (rect,) = drawn.iter("rect")
    assert (percent(rect.get("x")), percent(rect.get("width"))) == (25, 50)


def test_an_event_of_no_length_at_the_end_can_be_seen() -> None:
    drawn = ElementTree.fromstring(timeline([span(100, 100)], 100 * SECOND_US, {}))
    (rect,) = drawn.iter("rect")
    assert percent(rect.get("width")) > 0
    assert percent(rect.get("x")) + percent(rect.get("width")) <= 100


@pytest.mark.parametrize("length_us", [0, 1])
def test_a_recording_of_one_frame_has_a_timeline(length_us: int) -> None:
    drawn = ElementTree.fromstring(timeline([span(0, 0)], length_us, {}))
    assert len(list(drawn.iter("rect"))) == 1


def test_a_bar_leads_to_its_event_where_that_is_told() -> None:
    spans = [span(0, 1, event_id="a"), span(50, 51, event_id="b")]
    drawn = ElementTree.fromstring(timeline(spans, 100 * SECOND_US, {"b": "e0-b"}))
    assert [link.get("href") for link in drawn.iter("a")] == ["#e0-b"]


def test_fifty_thousand_events_are_drawn_in_as_many_bars_as_there_are_columns() -> None:
    spans = [span(number, number + 0.5) for number in range(50_000)]
    made = timeline(spans, 50_000 * SECOND_US, {})
    assert made.count("<rect") <= COLUMNS + 1
    assert "motion (50000)" in made


def test_lanes_are_bounded_and_the_rest_is_named() -> None:
    spans = [span(number, number + 1, kind=f"kind-{number}") for number in range(LANES_MAX + 3)]
    made = timeline(spans, 100 * SECOND_US, {})
    assert made.count('class="lane"') == LANES_MAX
    assert "3 further kinds" in made
