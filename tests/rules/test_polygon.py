from __future__ import annotations

import pytest

from camera_edge.rules import Polygon

SQUARE = Polygon(((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)))
# a U, open at the top
CONCAVE = Polygon(((0.0, 0.0), (0.3, 0.0), (0.3, 0.7), (0.7, 0.7), (0.7, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))
BOW_TIE = Polygon(((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)))


@pytest.mark.parametrize(
    ("polygon", "x", "y", "inside"),
    [
        (SQUARE, 0.5, 0.5, True),
        (SQUARE, 0.1, 0.5, False),
        (SQUARE, 0.5, 0.81, False),
        (SQUARE, 0.9, 0.2, False),
        (CONCAVE, 0.5, 0.3, False),
        (CONCAVE, 0.15, 0.3, True),
        (CONCAVE, 0.5, 0.9, True),
        (BOW_TIE, 0.1, 0.5, True),
        (BOW_TIE, 0.5, 0.1, False),
    ],
)
def test_a_point_is_inside_by_the_even_odd_rule(polygon: Polygon, x: float, y: float, inside: bool) -> None:
    assert polygon.contains(x, y) is inside


@pytest.mark.parametrize(
    ("x", "y"), [(0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.5), (0.8, 0.5), (0.5, 0.2), (0.5, 0.8)]
)
def test_edges_and_corners_belong_to_the_polygon(x: float, y: float) -> None:
    assert SQUARE.contains(x, y)


def test_a_slanted_edge_belongs_to_the_polygon() -> None:
    triangle = Polygon(((0.0, 0.0), (0.9, 0.3), (0.0, 0.6)))
    assert triangle.contains(0.3, 0.1)
    assert not triangle.contains(0.3, 0.0999)


def test_orientation_does_not_matter() -> None:
    turned = Polygon(tuple(reversed(CONCAVE.points)))
    for x in range(0, 101, 7):
        for y in range(0, 101, 7):
            assert turned.contains(x / 100, y / 100) is CONCAVE.contains(x / 100, y / 100)
