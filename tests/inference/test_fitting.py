from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.errors import ModelError
from camera_edge.inference.contract import PictureInput
from camera_edge.inference.fitting import crop, fit, normalise
from camera_edge.observation import Box

YOLOX = PictureInput(name="images", width=416, height=416, channels="bgr", fit="letterbox")


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("height", "width"), [(360, 480), (1080, 1920), (121, 161), (416, 416), (900, 30)])
def test_letterbox_equals_the_preprocessing_of_yolox(height: int, width: int) -> None:
    picture = noise(height, width)
    ratio = min(416 / height, 416 / width)
    inner = cv2.resize(picture, (int(width * ratio), int(height * ratio)), interpolation=cv2.INTER_LINEAR)
    padded = np.ones((416, 416, 3), np.uint8) * 114
    padded[: int(height * ratio), : int(width * ratio)] = inner
    expected = np.ascontiguousarray(padded.transpose(2, 0, 1), np.float32)[None]

    tensor = normalise(fit(picture, YOLOX), YOLOX)

    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous
    np.testing.assert_array_equal(tensor, expected)


def test_stretch_equals_the_preprocessing_of_fastestdet() -> None:
    spec = PictureInput(name="i", width=352, height=352, channels="bgr", std=(255.0,), fit="stretch")
    picture = noise(360, 480)
    resized = cv2.resize(picture, (352, 352), interpolation=cv2.INTER_LINEAR)
    expected = resized.transpose(2, 0, 1).reshape(1, 3, 352, 352).astype(np.float32) / 255
    np.testing.assert_array_equal(normalise(fit(picture, spec), spec), expected)


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"), [(32, 64, (16, 48), (0, 64)), (65, 40, (0, 64), (12, 51))]
)
def test_letterbox_in_the_middle_pads_both_sides(
    height: int, width: int, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    """What is left over is split, an odd pixel goes to the right and below."""
    spec = PictureInput(name="x", width=64, height=64, channels="bgr", fit="letterbox_centre", pad=7)
    fitted = fit(np.full((height, width, 3), 200, np.uint8), spec)
    ys, xs = np.nonzero((fitted == 200).all(-1))
    assert ((ys.min(), ys.max() + 1), (xs.min(), xs.max() + 1)) == (rows, columns)
    assert (fitted == 7).all(-1).sum() == 64 * 64 - len(ys)


def test_a_sliver_keeps_one_pixel_when_it_is_letterboxed() -> None:
    fitted = fit(np.full((1000, 1, 3), 9, np.uint8), YOLOX)
    assert (fitted[:, 0] == 9).all()
    assert (fitted[:, 1:] == 114).all()


def test_rgb_mean_and_std_apply_in_the_order_of_the_model() -> None:
    spec = PictureInput(
        name="i", width=1, height=1, channels="rgb", scale=2.0, mean=(1.0, 2.0, 3.0), std=(1.0, 2.0, 4.0), fit="stretch"
    )
    blue_green_red = np.array([[[10, 20, 30]]], np.uint8)
    values = normalise(fit(blue_green_red, spec), spec)
    assert values.ravel().tolist() == [(30 * 2 - 1) / 1, (20 * 2 - 2) / 2, (10 * 2 - 3) / 4]


def test_channels_last_layout_keeps_rows_and_applies_its_own_statistics() -> None:
    spec = PictureInput(
        name="i", width=2, height=1, layout="nhwc", channels="bgr", mean=(0.0, 10.0, 20.0), fit="stretch"
    )
    picture = np.array([[[1, 12, 23], [4, 15, 26]]], np.uint8)
    values = normalise(fit(picture, spec), spec)
    assert values.shape == (1, 1, 2, 3)
    assert values.ravel().tolist() == [1, 2, 3, 4, 5, 6]


def test_gray_weighs_the_channels_as_luma() -> None:
    spec = PictureInput(name="i", width=1, height=1, channels="gray", fit="stretch")
    values = normalise(fit(np.array([[[0, 255, 0]]], np.uint8), spec), spec)
    assert values.shape == (1, 1, 1, 1)
    assert values.item() == 150


def test_crop_rounds_edges_to_whole_pixels_and_copies_nothing() -> None:
    picture = noise(100, 200)
    region = crop(picture, Box(0.25, 0.1, 0.5, 0.2))
    assert np.shares_memory(region, picture)
    np.testing.assert_array_equal(region, picture[10:30, 50:150])


def test_crop_of_everything_is_the_picture() -> None:
    picture = noise(121, 161)
    assert crop(picture, Box(0, 0, 1, 1)).shape == picture.shape


@pytest.mark.parametrize("box", [Box(1.0, 1.0, 1e-9, 1e-9), Box(0.999, 0.999, 1.0, 1.0), Box(0, 0, 1e-9, 1e-9)])
def test_crop_never_is_empty(box: Box) -> None:
    assert crop(noise(10, 10), box).size > 0


@pytest.mark.parametrize(
    "box",
    [
        Box(float("nan"), 0, 1, 1),
        Box(0, float("inf"), 1, 1),
        Box(-0.1, 0, 1, 1),
        Box(0, 1.1, 1, 1),
        Box(0, 0, 0, 1),
        Box(0, 0, 1, -1),
        Box(0, 0, 1.5, 1),
    ],
)
def test_crop_refuses_a_region_outside_the_picture(box: Box) -> None:
    with pytest.raises(ModelError, match="0..1"):
        crop(noise(10, 10), box)
