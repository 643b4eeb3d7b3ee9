"""Average precision and overlap on boxes whose figures are known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from camera_edge.eval.detection import Floats, Scored, overlaps, precision_recall

SQUARE = [0.0, 0.0, 10.0, 10.0]
ELSEWHERE = [50.0, 50.0, 10.0, 10.0]
NOTHING = [90.0, 0.0, 5.0, 5.0]


def boxes(*each: list[float]) -> Floats:
    return np.array(each, np.float64).reshape(-1, 4)


def scored(*each: tuple[list[float], float]) -> Scored:
    return Scored(boxes(*(box for box, _ in each)), np.array([score for _, score in each], np.float64))


def test_overlap_is_intersection_over_union() -> None:
    table = overlaps(boxes(SQUARE), boxes(SQUARE, [5.0, 0.0, 10.0, 10.0], ELSEWHERE, [0.0, 0.0, 0.0, 0.0]))
    assert table[0] == pytest.approx([1, 1 / 3, 0, 0])


def test_perfect_finds_have_an_average_precision_of_one() -> None:
    curve = precision_recall([boxes(SQUARE, ELSEWHERE)], [scored((SQUARE, 0.9), (ELSEWHERE, 0.2))])
    assert (curve.ap, curve.best_f1, curve.best_score) == (1.0, 1.0, 0.2)


def test_a_false_find_between_two_right_ones_costs_what_the_envelope_says() -> None:
    """Precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1: half at 1, half at 2/3."""
    curve = precision_recall(
        [boxes(SQUARE), boxes(ELSEWHERE)], [scored((SQUARE, 0.9), (NOTHING, 0.8)), scored((ELSEWHERE, 0.7))]
    )
    assert curve.precision == pytest.approx([1, 1 / 2, 2 / 3])
    assert curve.recall == pytest.approx([1 / 2, 1 / 2, 1])
    assert curve.ap == pytest.approx(1 / 2 + 1 / 2 * 2 / 3)
    assert curve.best_f1 == pytest.approx(0.8)


def test_the_second_find_of_one_thing_is_false() -> None:
    curve = precision_recall([boxes(SQUARE)], [scored((SQUARE, 0.5), (SQUARE, 0.9))])
    assert curve.precision == pytest.approx([1, 1 / 2])


def test_finds_of_one_score_stand_or_fall_together() -> None:
    curve = precision_recall([boxes(SQUARE)], [scored((SQUARE, 0.5), (NOTHING, 0.5))])
    assert (curve.precision.tolist(), curve.ap) == ([0.5], 0.5)


def test_finds_where_nothing_is_are_false() -> None:
    curve = precision_recall([boxes(), boxes(SQUARE)], [scored((SQUARE, 0.9)), scored((SQUARE, 0.8))])
    assert curve.ap == pytest.approx(0.5)


def test_nothing_found_is_zero_and_no_truth_is_an_error() -> None:
    curve = precision_recall([boxes(SQUARE)], [scored()])
    assert (curve.ap, curve.best_f1, curve.best_score) == (0.0, 0.0, None)
    with pytest.raises(ValueError, match="0 true boxes"):
        precision_recall([boxes()], [scored()])
