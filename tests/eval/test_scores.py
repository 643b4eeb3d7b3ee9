from __future__ import annotations

import numpy as np
import pytest

from camera_edge.eval.scores import Roc, roc, stretched


def curve(scores: list[float], labels: list[int]) -> Roc:
    found = roc(np.array(scores, np.float64), np.array(labels, np.bool_))
    assert found is not None
    return found


def test_all_told_apart_is_one_and_all_the_wrong_way_round_is_none() -> None:
    assert curve([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]).auc == 1
    assert curve([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1]).auc == 0
    assert curve([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]).eer == 0
    assert curve([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1]).eer == 1


def test_a_tie_counts_half_in_whatever_order_the_frames_come() -> None:
    # pairs (unusual, usual): 0.5 = 0.5 half, 0.5 > 0.1, 0.9 > both: 3.5 of 4
    for labels, scores in (([1, 0, 0, 1], [0.5, 0.5, 0.1, 0.9]), ([0, 1, 0, 1], [0.5, 0.5, 0.1, 0.9])):
        assert curve(scores, labels).auc == pytest.approx(3.5 / 4)
    assert curve([7, 7, 7, 7], [0, 1, 0, 1]).auc == pytest.approx(0.5)
    assert curve([7, 7, 7, 7], [0, 1, 0, 1]).eer == pytest.approx(0.5)


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    random = np.random.default_rng(1)
    scores, labels = random.integers(0, 20, 200).astype(np.float64), random.random(200) < 0.3
    unusual, usual = scores[labels][:, np.newaxis], scores[~labels]
    pairs = (unusual > usual).mean() + (unusual == usual).mean() / 2
    found = roc(scores, labels)
    assert found is not None
    assert found.auc == pytest.approx(pairs)


def test_equal_error_rate_lies_between_two_points_where_it_must() -> None:
    # thresholds in turn: (0, 1/2), (1/3, 1/2), (1/3, 1): missed falls from 1/2 to 0 while 1/3 are alarmed
    assert curve([0.9, 0.8, 0.7, 0.2, 0.1], [1, 0, 1, 0, 0]).eer == pytest.approx(1 / 3)
    # one line from (0, 0) to (1/2, 1/2) and on to (1, 1) ... crosses missed = false at 1/2
    assert curve([0.9, 0.9, 0.1, 0.1], [1, 0, 1, 0]).eer == pytest.approx(0.5)


def test_frames_of_one_kind_have_no_curve_and_what_is_not_finite_is_refused() -> None:
    assert roc(np.zeros(3), np.zeros(3, np.bool_)) is None
    assert roc(np.zeros(3), np.ones(3, np.bool_)) is None
    with pytest.raises(ValueError, match="not finite"):
        roc(np.array([0.0, np.nan]), np.array([True, False]))


def test_a_clip_is_stretched_from_nothing_to_one() -> None:
    assert stretched(np.array([2.0, 4.0, 3.0])).tolist() == [0, 1, 0.5]
    assert stretched(np.array([2.0, 2.0])).tolist() == [0, 0]
    assert stretched(np.zeros(0)).shape == (0,)
