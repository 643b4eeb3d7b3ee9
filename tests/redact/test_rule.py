from __future__ import annotations

import numpy as np
import pytest

from camera_edge.observation import Box
from camera_edge.redact import ALL, Answered, Grid, HiddenMap, RedactionPolicy, hidden_for

MS = 1_000
GRID = Grid.for_size(640, 480)
POLICY = RedactionPolicy(required=frozenset({"motion"}), period_us=200 * MS)


def at(x: float) -> HiddenMap:
    return GRID.cover([Box(x, 0.4, 0.05, 0.2)], [])


def answered(ms: int, hidden: HiddenMap, *, fresh: bool = True) -> Answered:
    return Answered(frame=ms // 40, media_us=ms * MS, fresh=fresh, hidden=hidden)


def test_the_union_of_both_sides_and_what_is_held_is_hidden() -> None:
    hidden = hidden_for(100 * MS, answered(0, at(0.1)), answered(200, at(0.3)), [at(0.8)], POLICY)
    assert isinstance(hidden, HiddenMap)
    assert np.array_equal(hidden.cells, at(0.1).cells | at(0.3).cells | at(0.8).cells)


def test_an_analysed_frame_is_its_own_neighbour_on_both_sides() -> None:
    own = answered(200, at(0.3))
    hidden = hidden_for(200 * MS, own, own, [], POLICY)
    assert isinstance(hidden, HiddenMap)
    assert np.array_equal(hidden.cells, at(0.3).cells)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, answered(200, at(0.3))),
        (answered(0, at(0.3)), None),
        (None, None),
        (answered(0, at(0.3), fresh=False), answered(200, at(0.3))),
        (answered(0, at(0.3)), answered(200, at(0.3), fresh=False)),
        (answered(0, at(0.3)), answered(301, at(0.3))),
        (answered(101, at(0.3)), answered(200, at(0.3))),
        (answered(0, at(0.3)), answered(99, at(0.3))),
        (answered(0, at(0.3)), answered(200, Grid.for_size(320, 240).nothing())),
    ],
    ids=["first", "last", "alone", "stale", "not yet", "too far", "in the past", "in the future", "resized"],
)
def test_without_two_complete_results_around_it_all_is_hidden(before: Answered | None, after: Answered | None) -> None:
    assert hidden_for(100 * MS, before, after, [], POLICY) is ALL


def test_what_was_held_of_another_picture_size_hides_everything() -> None:
    held = [Grid.for_size(320, 240).nothing()]
    assert hidden_for(100 * MS, answered(0, at(0.1)), answered(200, at(0.1)), held, POLICY) is ALL


def test_frames_that_do_not_keep_step_with_the_ticks_are_tolerated() -> None:
    assert hidden_for(100 * MS, answered(0, at(0.1)), answered(280, at(0.1)), [], POLICY) is not ALL
