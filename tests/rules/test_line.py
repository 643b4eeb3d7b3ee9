from __future__ import annotations

import pytest

from camera_edge.observation import Box
from camera_edge.rules import Line

UP = Line((0.5, 1.0), (0.5, 0.0))
SLANTED = Line((0.2, 0.8), (0.6, 0.4))


def test_right_is_right_of_who_looks_along_the_line() -> None:
    assert UP.side((0.6, 0.5)) > 0 > UP.side((0.4, 0.5))
    assert UP.side((0.5, 0.3)) == 0
    down = Line(UP.end, UP.start)
    assert down.side((0.6, 0.5)) < 0


@pytest.mark.parametrize(
    ("before", "after", "met"),
    [
        ((0.4, 0.5), (0.6, 0.5), True),
        ((0.3, 0.7), (0.35, 0.62), False),
        ((0.1, 0.7), (0.4, 0.9), True),
        ((0.7, 0.1), (0.9, 0.2), False),
    ],
)
def test_a_way_meets_a_line_only_between_its_ends(
    before: tuple[float, float], after: tuple[float, float], met: bool
) -> None:
    line = UP if before[0] == 0.4 else SLANTED
    if (line.side(before) > 0) == (line.side(after) > 0):
        assert not met
    else:
        assert line.is_met(before, after) is met


def test_the_ends_belong_to_the_line() -> None:
    short = Line((0.5, 0.75), (0.5, 0.25))
    assert short.is_met((0.25, 0.25), (0.75, 0.25))
    assert not short.is_met((0.25, 0.1875), (0.75, 0.1875))


def test_what_a_box_reaches_across_a_line_is_measured_as_sides_are() -> None:
    box = Box(0.45, 0.2, 0.1, 0.3)
    assert UP.extent(box) == pytest.approx(UP.side((0.55, 0.5)) - UP.side((0.45, 0.5)))
    flat = Line((0.0, 0.5), (0.5, 0.5))
    assert flat.extent(box) == pytest.approx(0.3 * 0.5)
