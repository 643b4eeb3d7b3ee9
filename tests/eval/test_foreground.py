from __future__ import annotations

import numpy as np
import pytest

from camera_edge.eval.foreground import Confusion, compare, stretched


def test_shadows_are_background_and_what_nobody_knows_does_not_count() -> None:
    #                  still shadow outside unknown moving
    labels = np.array([[0, 50, 85, 170, 255], [0, 50, 85, 170, 255]], np.uint8)
    all_found = compare(np.full((2, 5), 1, np.uint8), labels)
    assert all_found == Confusion(hits=2, false=4, missed=0, quiet=0)
    assert compare(np.zeros((2, 5), np.uint8), labels) == Confusion(hits=0, false=0, missed=2, quiet=4)


def test_what_lies_outside_of_the_region_does_not_count() -> None:
    labels = np.array([[255, 255, 0, 0]], np.uint8)
    region = np.array([[1, 0, 1, 0]], np.uint8)
    assert compare(np.array([[9, 0, 9, 9]], np.uint8), labels, region) == Confusion(hits=1, false=1, missed=0, quiet=0)
    half = np.array([[0, 1]], np.uint8)
    assert compare(np.array([[9, 0, 9, 9]], np.uint8), labels, half) == Confusion(hits=0, false=2, missed=0, quiet=0)


def test_figures_by_hand() -> None:
    found = Confusion(hits=6, false=2, missed=4, quiet=88)
    assert found.precision == pytest.approx(0.75)
    assert found.recall == pytest.approx(0.6)
    assert found.f == pytest.approx(2 * 0.75 * 0.6 / 1.35)
    assert found.pwc == pytest.approx(6.0)
    assert (found + found).f == pytest.approx(found.f)


def test_nothing_to_find_and_nothing_found_is_no_division_by_zero() -> None:
    assert (Confusion().f, Confusion().precision, Confusion().recall, Confusion().pwc) == (0, 0, 0, 0)


def test_a_smaller_mask_is_stretched_to_the_labels() -> None:
    small = np.array([[0, 255], [255, 0]], np.uint8)
    assert stretched(small, (4, 6)).tolist() == [[0, 0, 0, 255, 255, 255]] * 2 + [[255, 255, 255, 0, 0, 0]] * 2
    labels = np.zeros((4, 6), np.uint8)
    labels[:2, 3:] = labels[2:, :3] = 255
    assert compare(small, labels).f == 1
