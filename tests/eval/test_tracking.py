"""CLEAR MOT and IDF1 on tracks whose figures are known by hand; the assignment against trying all."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from camera_edge.eval.tracking import Tracked, assign, measure_tracks, pair_up

# three places that do not touch
LEFT, MIDDLE, RIGHT = 0.0, 100.0, 200.0


def frame(**tracks: float) -> Tracked:
    """Tracks by number (t1=LEFT), each a square of side 10 at that place."""
    numbers = np.array([int(name[1:]) for name in tracks], np.int64)
    return Tracked(numbers, np.array([[x, 0.0, 10.0, 10.0] for x in tracks.values()], np.float64).reshape(-1, 4))


def test_tracks_that_agree_are_perfect_whatever_their_numbers() -> None:
    figures = measure_tracks([frame(t1=LEFT, t2=RIGHT)] * 3, [frame(t8=RIGHT, t9=LEFT)] * 3)
    assert (figures.mota, figures.idf1) == (1.0, 1.0)


def test_misses_and_false_finds_cost_one_each() -> None:
    """Of four true boxes one is missed and one is found where nothing is: 1 - 2 / 4, 2 * 3 / (4 + 4)."""
    truth = [frame(t1=LEFT, t2=RIGHT)] * 2
    figures = measure_tracks(truth, [frame(t1=LEFT, t2=RIGHT), frame(t1=LEFT, t3=MIDDLE)])
    assert (figures.misses, figures.false, figures.switches) == (1, 1, 0)
    assert figures.mota == pytest.approx(0.5)
    assert figures.idf1 == pytest.approx(0.75)


def test_a_number_that_changes_costs_one_switch_and_the_rest_of_the_identity() -> None:
    """Three frames under number 7, then one under 8: one switch of four boxes, three of four identified."""
    figures = measure_tracks([frame(t1=LEFT)] * 4, [frame(t7=LEFT)] * 3 + [frame(t8=LEFT)])
    assert (figures.switches, figures.identified) == (1, 3)
    assert figures.mota == pytest.approx(0.75)
    assert figures.idf1 == pytest.approx(0.75)


def test_a_change_of_number_over_a_gap_is_a_switch_too() -> None:
    figures = measure_tracks([frame(t1=LEFT)] * 3, [frame(t7=LEFT), frame(), frame(t8=LEFT)])
    assert (figures.misses, figures.switches) == (1, 1)


def test_two_that_swap_their_numbers_are_two_switches() -> None:
    truth = [frame(t1=LEFT, t2=RIGHT)] * 2
    figures = measure_tracks(truth, [frame(t1=LEFT, t2=RIGHT), frame(t1=RIGHT, t2=LEFT)])
    assert figures.switches == 2
    assert figures.idf1 == pytest.approx(0.5)


def test_what_went_together_stays_together_while_it_overlaps_enough() -> None:
    """The second find lies better in the second frame, but the first still overlaps by 2/3 and keeps its place."""
    found = [frame(t1=LEFT), frame(t1=LEFT + 2, t2=LEFT)]
    figures = measure_tracks([frame(t5=LEFT)] * 2, found)
    assert (figures.switches, figures.false) == (0, 1)


def test_boxes_that_overlap_by_less_than_half_are_a_miss_and_a_false_find() -> None:
    figures = measure_tracks([frame(t1=LEFT)], [frame(t1=LEFT + 4)])
    assert (figures.misses, figures.false, figures.identified) == (1, 1, 0)


def test_as_many_boxes_go_together_as_can() -> None:
    """Greedily the nearest pair would leave the other two without a partner."""
    truth, found = frame(t1=0.0, t2=3.0), frame(t1=2.5, t2=-2.5)
    assert measure_tracks([truth], [found]).misses == 0


def test_an_identity_is_given_to_the_one_that_has_it_longest() -> None:
    """Number 7 follows the first for one frame and the second for three; 8 the first for three."""
    truth = [frame(t1=LEFT, t2=RIGHT)] * 4
    found = [frame(t7=LEFT)] + [frame(t7=RIGHT, t8=LEFT)] * 3
    assert measure_tracks(truth, found).identified == 6


def test_nothing_found_is_all_missed_and_no_truth_is_an_error() -> None:
    figures = measure_tracks([frame(t1=LEFT)], [frame()])
    assert (figures.mota, figures.idf1) == (0.0, 0.0)
    with pytest.raises(ValueError, match="0 true boxes"):
        measure_tracks([frame()], [frame()])
    with pytest.raises(ValueError, match="2 frames of finds"):
        measure_tracks([frame(t1=LEFT)], [frame()] * 2)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 5), (3, 3), (4, 6), (6, 4), (6, 6), (0, 3), (3, 0)])
def test_no_assignment_is_cheaper(rows: int, columns: int) -> None:
    generator = np.random.default_rng(rows * 10 + columns)
    for _ in range(20):
        cost = generator.integers(-5, 6, (rows, columns)).astype(np.float64)
        pairs = assign(cost)
        assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == min(rows, columns)
        table = cost if rows <= columns else cost.T
        least = min(
            sum(table[row, column] for row, column in enumerate(order))
            for order in permutations(range(table.shape[1]), table.shape[0])
        )
        assert sum(cost[pair] for pair in pairs) == least


def test_pairs_and_switches_are_told_frame_by_frame() -> None:
    first, second = pair_up([frame(t7=LEFT, t8=RIGHT)] * 2, [frame(t1=LEFT), frame(t2=RIGHT, t3=LEFT)])
    assert (first.pairs, first.switched) == ([(0, 0)], [])
    assert (sorted(second.pairs), second.switched) == ([(0, 1), (1, 0)], [0])
