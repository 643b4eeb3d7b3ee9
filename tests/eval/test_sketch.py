from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from camera_edge.eval.sketch import FALSE, MISSED, RIGHT, Area, Cell, Grid, Outline, Sketch, svg, svg_of_grid

NS = "{http://www.w3.org/2000/svg}"


def texts(picture: str) -> list[str | None]:
    return [each.text for each in ElementTree.fromstring(picture).iter(f"{NS}text")]


def test_every_run_of_pixels_is_one_stroke() -> None:
    pixels = np.array([[True, True, False, True], [False, False, False, False], [False, True, True, True]])
    picture = svg(Sketch("a", 4, 3, areas=[Area(RIGHT, pixels)]))
    (path,) = ElementTree.fromstring(picture).iter(f"{NS}path")
    assert path.get("d") == "M0 0.5h2M3 0.5h1M1 2.5h3"


def test_an_area_of_nothing_is_in_the_legend_alone() -> None:
    picture = svg(Sketch("a", 4, 3, areas=[Area(MISSED, np.zeros((3, 4), np.bool_))]))
    assert not list(ElementTree.fromstring(picture).iter(f"{NS}path"))
    assert MISSED.name in texts(picture)


def test_boxes_lie_where_their_fractions_say_and_each_ink_is_explained_once() -> None:
    sides = (0.5, 0.25, 0.25, 0.5)
    picture = svg(Sketch("a", 200, 100, outlines=[Outline(FALSE, sides, "two"), Outline(FALSE, (0, 0, 0.1, 0.1))]))
    (box,) = [each for each in ElementTree.fromstring(picture).iter(f"{NS}rect") if each.get("x") == "100.0"]
    assert [box.get(name) for name in ("y", "width", "height")] == ["25.0", "50.0", "50.0"]
    assert texts(picture).count(FALSE.name) == 1


def test_texts_cannot_break_the_picture() -> None:
    words = "<b>&\x00"
    for picture in (
        svg(Sketch(words, 10, 10, outlines=[Outline(RIGHT, (0, 0, 1, 1), words)], notes=[words])),
        svg_of_grid(Grid(words, [words], [(words, [Cell(words, MISSED)])], [words])),
    ):
        assert texts(picture).count("<b>&\ufffd") >= 3


def test_a_table_has_every_cell_inside_the_picture() -> None:
    rows = [(f"clip {number}", [Cell("missed", MISSED), Cell("1.4 s")]) for number in range(5)]
    root = ElementTree.fromstring(svg_of_grid(Grid("a", ["covered", "moved"], rows)))
    width, height = (float(root.get(side, "0")) for side in ("width", "height"))
    cells = [each for each in root.iter(f"{NS}rect") if each.get("x")]
    assert len(cells) == 10
    assert all(float(each.get("x", "")) + float(each.get("width", "")) <= width for each in cells)
    assert all(float(each.get("y", "")) + float(each.get("height", "")) <= height for each in cells)
