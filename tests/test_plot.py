from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from camera_edge.plot import COLOURS, Axis, Band, Chart, Line, Mark, Palette, svg, ticks

SVG = "{http://www.w3.org/2000/svg}"


def drawn(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(svg(chart))


def strokes(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [path for path in root.iter(f"{SVG}path") if path.get("stroke-width") == "1.6"]


def chart(*lines: Line, bands: tuple[Band, ...] = (), marks: tuple[Mark, ...] = ()) -> Chart:
    return Chart("a title", Axis("time, s"), Axis("score", 0, 1), lines, bands, marks)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-5, 5, [-4, -2, 0, 2, 4]),
        (0.3, 0.31, [0.3, 0.302, 0.304, 0.306, 0.308, 0.31]),
        (3, 3, []),
        (0, math.inf, []),
    ],
)
def test_ticks_are_round_numbers_within_the_axis(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_points_lie_where_the_axes_say() -> None:
    root = drawn(chart(Line("motion", [(0, 0), (10, 1)])))
    (stroke,) = strokes(root)
    path = stroke.get("d") or ""
    begin, end = (tuple(map(float, point.split())) for point in path.removeprefix("M").split("L"))
    assert end[0] == 760 - 18 and end[1] == 34
    assert begin[1] == 300 - 44 and begin[0] < 100


def test_texts_are_escaped_and_what_xml_forbids_is_replaced() -> None:
    root = drawn(chart(Line("a < b & c\x00", [(0, 0), (1, 1)]), marks=(Mark(0.5, "<opened>"),)))
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert "a < b & c\ufffd" in texts
    assert "<opened>" in texts


def test_an_axis_says_what_it_is_given_where_it_is_given() -> None:
    marks = Axis("time", 0, 100, ticks={0.0: "0:00", 60.0: "1:00 <", 120.0: "2:00"})
    root = drawn(Chart("title", marks, Axis("score"), lines=[Line("a", [(0, 0), (100, 1)])]))
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert "0:00" in texts and "1:00 <" in texts
    assert "2:00" not in texts and "100" not in texts


def test_a_chart_takes_the_colours_of_its_palette() -> None:
    palette = Palette("currentColor", "var(--line)", "none", lines=("var(--first)", "var(--second)"))
    lines = [Line(name, [(0, 0), (1, 1)]) for name in "abc"]
    text = svg(Chart("title", Axis("x"), Axis("y"), lines=lines, marks=[Mark(0.5, "m")], palette=palette))
    assert all(colour in text for colour in ("currentColor", "var(--line)", 'fill="none"', "var(--second)"))
    assert not re.search("#[0-9a-f]{6}", text)


def test_a_number_that_is_not_finite_leaves_a_gap() -> None:
    (stroke,) = strokes(drawn(chart(Line("a", [(0, 0.5), (1, 0.5), (2, math.nan), (3, 0.5), (4, math.inf), (5, 1)]))))
    assert (stroke.get("d") or "").count("M") == 3
    assert "nan" not in (stroke.get("d") or "")


def test_every_line_looks_different_and_stands_in_the_legend() -> None:
    names = [f"line {number}" for number in range(len(COLOURS) * 2)]
    root = drawn(chart(*(Line(name, [(0, 0), (1, 1)]) for name in names)))
    looks = {(each.get("stroke"), each.get("stroke-dasharray")) for each in strokes(root)}
    assert len(looks) == len(names)
    assert set(names) <= {each.text for each in root.iter(f"{SVG}text")}
    height = float(root.get("height") or 0)
    assert all("translate" not in (g.get("transform") or "") or _down(g) < height for g in root.iter(f"{SVG}g"))


def test_bands_of_one_name_have_one_colour_and_one_place_in_the_legend() -> None:
    root = drawn(chart(bands=(Band("dip", 1, 2), Band("dip", 4, 3), Band("person", 5, 5))))
    shaded = [each for each in root.iter(f"{SVG}rect") if each.find(f"{SVG}title") is not None]
    assert [each.get("fill") for each in shaded[:2]] == [shaded[0].get("fill")] * 2
    assert shaded[2].get("fill") != shaded[0].get("fill")
    assert all(float(each.get("width") or 0) > 0 for each in shaded)
    assert [each.text for each in root.iter(f"{SVG}text")].count("dip") == 1


def test_an_empty_chart_and_one_of_a_single_value_are_drawn() -> None:
    assert strokes(drawn(chart())) == []
    assert len(strokes(drawn(Chart("", Axis(""), Axis(""), [Line("flat", [(2, 7), (2, 7)])])))) == 1


def test_an_hour_of_scores_is_a_small_picture_that_keeps_its_peaks() -> None:
    points = [(second / 25, 1.0 if second == 45_001 else 0.2) for second in range(90_000)]
    text = svg(chart(Line("score", points)))
    assert len(text) < 100_000
    assert " 34L" in text


def _down(group: ElementTree.Element) -> float:
    return float((group.get("transform") or "").split()[1].rstrip(")"))


def test_words_of_marks_close_together_stand_below_one_another() -> None:
    marks = [Mark(1, "highest usual"), Mark(1.1, "lowest unusual"), Mark(8, "end")]
    picture = drawn(Chart("a", Axis("x", 0, 10), Axis("y", 0, 1), marks=marks))
    rows = {each.text: each.get("y") for each in picture.iter(f"{SVG}text")}
    assert rows["highest usual"] != rows["lowest unusual"]
    assert rows["highest usual"] == rows["end"]
