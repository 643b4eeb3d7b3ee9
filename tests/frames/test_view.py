from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from camera_edge.frames import View
from camera_edge.frames.view import scale_into
from camera_edge.picture import Picture, PixelFormat, ViewSpec

MakePicture = Callable[..., Picture]


def drawn(view: View, picture: Picture) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    pixels = np.zeros(view.pixel_bytes, np.uint8)
    view.draw(picture, pixels)
    return pixels


@pytest.mark.parametrize(
    ("picture", "max_width", "expected"),
    [
        ((1920, 1080), 320, (320, 180)),
        ((768, 576), 320, (320, 240)),
        ((160, 120), 320, (160, 120)),
        ((161, 121), 320, (161, 121)),
        ((1080, 1920), 320, (320, 569)),
        ((7680, 16), 320, (320, 1)),
    ],
)
def test_a_view_keeps_the_aspect_and_is_never_scaled_up(
    picture: tuple[int, int], max_width: int, expected: tuple[int, int]
) -> None:
    view = View.fit(ViewSpec(PixelFormat.GRAY8, max_width), *picture)
    assert (view.width, view.height) == expected


def test_an_i420_view_has_even_sizes_rounded_down() -> None:
    assert View.fit(ViewSpec(PixelFormat.I420, 321), 1921, 1081) == View(PixelFormat.I420, 320, 180)
    assert View.fit(ViewSpec(PixelFormat.I420, 320), 161, 121) == View(PixelFormat.I420, 160, 120)


def test_gray8_is_the_exactly_scaled_luma(make_picture: MakePicture) -> None:
    picture = make_picture(161, 121)
    expected = cv2.resize(picture.y, (80, 60), interpolation=cv2.INTER_LINEAR_EXACT)
    assert np.array_equal(drawn(View(PixelFormat.GRAY8, 80, 60), picture).reshape(60, 80), expected)


def test_a_view_of_the_picture_s_own_size_is_its_luma(make_picture: MakePicture) -> None:
    picture = make_picture(161, 121)
    assert np.array_equal(drawn(View(PixelFormat.GRAY8, 161, 121), picture).reshape(121, 161), picture.y)


def test_i420_has_its_planes_one_after_the_other(make_flat: MakePicture) -> None:
    pixels = drawn(View(PixelFormat.I420, 16, 8), make_flat(161, 121, yuv=(50, 90, 200)))
    assert pixels.tolist() == [50] * 128 + [90] * 32 + [200] * 32


@pytest.mark.parametrize(
    ("yuv", "full_range", "rgb"),
    [
        ((16, 128, 128), False, (0, 0, 0)),
        ((235, 128, 128), False, (255, 255, 255)),
        ((0, 128, 128), True, (0, 0, 0)),
        ((255, 128, 128), True, (255, 255, 255)),
        # the primaries of ITU-R BT.601 in video range
        ((81, 90, 240), False, (254, 0, 0)),
        ((145, 54, 34), False, (0, 255, 1)),
        ((41, 240, 110), False, (0, 0, 255)),
        ((76, 85, 255), True, (254, 0, 0)),
    ],
)
def test_rgb24_follows_bt601_and_the_range(
    make_flat: MakePicture, yuv: tuple[int, int, int], full_range: bool, rgb: tuple[int, int, int]
) -> None:
    pixels = drawn(View(PixelFormat.RGB24, 4, 2), make_flat(9, 5, yuv=yuv, full_range=full_range)).reshape(8, 3)
    assert pixels.tolist() == [list(rgb)] * 8


def test_rgb24_is_within_two_of_opencv_s_conversion(make_picture: MakePicture) -> None:
    # footroom and headroom, which OpenCV cuts before and we after the conversion, are left out
    luma = np.clip(make_picture(64, 48).y, 16, 235)
    # of one colour: OpenCV repeats chroma where we interpolate it
    picture = Picture(luma, np.full((24, 32), 90, np.uint8), np.full((24, 32), 170, np.uint8), lambda: luma)
    i420 = np.concatenate([p.ravel() for p in (picture.y, picture.u, picture.v)]).reshape(72, 64)
    ours = drawn(View(PixelFormat.RGB24, 64, 48), picture).reshape(48, 64, 3)
    difference = ours.astype(int) - cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420)
    assert np.abs(difference).max() <= 2


def test_a_target_that_opencv_would_not_draw_into_is_refused() -> None:
    target = np.zeros((4, 8), np.uint8)[:, ::2]
    with pytest.raises((ValueError, cv2.error)):
        scale_into(np.zeros((9, 9), np.uint8), target)
