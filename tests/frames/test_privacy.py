from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from camera_edge.frames import PrivacyMask, View
from camera_edge.picture import Picture, PixelFormat

MakePicture = Callable[..., Picture]
TOP_LEFT = [(0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5)]
BOTTOM_RIGHT = [(0.5, 0.5), (1.0, 0.5), (1.0, 1.0), (0.5, 1.0)]


@pytest.mark.parametrize(("full_range", "black"), [(False, 16), (True, 0)])
def test_a_mask_is_black_in_every_plane_and_in_bgr(make_picture: MakePicture, full_range: bool, black: int) -> None:
    picture = make_picture(160, 120, full_range=full_range)
    masked = PrivacyMask([TOP_LEFT]).apply(picture)
    assert np.all(masked.y[:60, :80] == black)
    assert np.all(masked.u[:30, :40] == 128) and np.all(masked.v[:30, :40] == 128)
    assert np.all(masked.to_bgr()[:60, :80] == 0)


def test_what_is_not_masked_stays_as_it_is(make_picture: MakePicture) -> None:
    picture = make_picture(160, 120)
    masked = PrivacyMask([TOP_LEFT]).apply(picture)
    # the rim is one pixel of luma, and one of chroma beyond that
    assert np.array_equal(masked.y[62:], picture.y[62:]) and np.array_equal(masked.y[:, 82:], picture.y[:, 82:])
    assert np.array_equal(masked.u[31:], picture.u[31:]) and np.array_equal(masked.v[:, 41:], picture.v[:, 41:])
    assert np.array_equal(masked.to_bgr()[62:], picture.to_bgr()[62:])


def test_the_picture_itself_is_not_changed(make_picture: MakePicture) -> None:
    picture = make_picture(160, 120)
    before = picture.y.tobytes(), picture.u.tobytes(), picture.to_bgr().tobytes()
    PrivacyMask([TOP_LEFT]).apply(picture).to_bgr()
    assert (picture.y.tobytes(), picture.u.tobytes(), picture.to_bgr().tobytes()) == before


def test_without_polygons_the_picture_is_passed_through(make_picture: MakePicture) -> None:
    picture = make_picture(160, 120)
    assert PrivacyMask([]).apply(picture) is picture


def test_odd_sizes_are_masked_to_the_last_pixel(make_picture: MakePicture) -> None:
    whole = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    masked = PrivacyMask([whole]).apply(make_picture(161, 121))
    assert np.all(masked.y == 16) and np.all(masked.u == 128) and np.all(masked.v == 128)
    assert np.all(masked.to_bgr() == 0)


def test_a_sliver_thinner_than_a_pixel_is_masked(make_picture: MakePicture) -> None:
    sliver = [(0.25, 0.2), (0.251, 0.2), (0.251, 0.8), (0.25, 0.8)]
    masked = PrivacyMask([sliver]).apply(make_picture(160, 120))
    assert np.all(masked.y[24:96, 40] == 16)


def test_an_outline_that_crosses_itself_leaves_no_hole(make_picture: MakePicture) -> None:
    star = [(0.5, 0.05), (0.78, 0.95), (0.05, 0.38), (0.95, 0.38), (0.22, 0.95)]
    masked = PrivacyMask([star]).apply(make_picture(160, 120))
    assert np.all(masked.y[55:65, 75:85] == 16)


def test_the_map_has_a_bit_for_each_of_the_first_seven_zones() -> None:
    view = View(PixelFormat.GRAY8, 80, 60)
    zones = [TOP_LEFT] * 2 + [BOTTOM_RIGHT] * 6
    bits = PrivacyMask([]).zones_map(view, zones)
    assert bits.shape == (60, 80) and bits.dtype == np.uint8
    assert bits[5, 5] == 0b0000_0111
    assert bits[55, 75] == 0b1111_1001
    assert bits[5, 75] == 1


def test_a_masked_pixel_of_a_zone_is_zero_in_the_map() -> None:
    view = View(PixelFormat.GRAY8, 80, 60)
    bits = PrivacyMask([TOP_LEFT]).zones_map(view, [TOP_LEFT, BOTTOM_RIGHT])
    assert np.all(bits[:30, :40] == 0)
    assert bits[40, 50] == 0b101


def test_a_masked_place_is_black_in_the_view_that_analyzers_see(make_picture: MakePicture) -> None:
    view = View(PixelFormat.GRAY8, 40, 30)
    privacy = PrivacyMask([TOP_LEFT])
    pixels = np.zeros(view.pixel_bytes, np.uint8)
    view.draw(privacy.apply(make_picture(160, 120)), pixels)
    assert np.all(pixels.reshape(30, 40)[:15, :20] == 16)
