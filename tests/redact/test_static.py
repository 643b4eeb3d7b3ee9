from __future__ import annotations

import numpy as np
import pytest

from camera_edge.redact import StaticMask

CORNER = ((0.0, 0.0), (0.2, 0.0), (0.2, 0.3), (0.0, 0.3))


@pytest.mark.parametrize(("width", "height"), [(640, 480), (161, 121), (1280, 720), (3, 3), (1, 1)])
def test_every_pixel_that_an_outline_touches_is_masked_in_luma_and_chroma(width: int, height: int) -> None:
    mask = StaticMask((CORNER,))
    luma, chroma = mask.luma(width, height), mask.chroma(width, height)
    assert luma.shape == (height, width)
    assert chroma.shape == ((height + 1) // 2, (width + 1) // 2)
    right, bottom = int(np.ceil(0.2 * width)), int(np.ceil(0.3 * height))
    assert luma[:bottom, :right].all()
    assert chroma[: (bottom + 1) // 2, : (right + 1) // 2].all()


def test_no_more_than_a_few_pixels_beyond_the_outline_are_masked() -> None:
    luma = StaticMask((CORNER,)).luma(1280, 720)
    assert not luma[:, 260:].any()
    assert not luma[220:].any()


def test_outlines_that_overlap_do_not_cancel_each_other() -> None:
    luma = StaticMask((CORNER, CORNER)).luma(640, 480)
    assert luma[10, 10]


def test_an_outline_that_crosses_itself_hides_its_middle_too() -> None:
    angles = np.deg2rad(np.arange(5) * 144 - 90)
    star = tuple((float(0.5 + 0.4 * np.cos(a)), float(0.5 + 0.4 * np.sin(a))) for a in angles)
    assert StaticMask((star,)).luma(640, 480)[240, 320]


def test_no_outline_masks_nothing() -> None:
    assert not StaticMask().luma(640, 480).any()
