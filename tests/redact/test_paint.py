from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from camera_edge.observation import Box
from camera_edge.picture import Picture, Plane
from camera_edge.redact import ALL, Grid, HiddenMap, Mode, paint

MakePicture = Callable[..., Picture]
SIZES = [(1280, 720), (161, 121), (640, 480), (33, 17), (16, 16), (1, 1), (2, 31)]
SOMEONE = Box(0.4, 0.3, 0.15, 0.4)


def cover(picture: Picture, *boxes: Box) -> HiddenMap:
    return Grid.for_size(picture.width, picture.height).cover(boxes, [])


def picture_of(y: Plane, u: Plane, v: Plane, *, full_range: bool = False) -> Picture:
    return Picture(y, u, v, y.copy, full_range)


def planes(picture: Picture) -> tuple[Plane, Plane, Plane]:
    return picture.y, picture.u, picture.v


def cells_of(plane: Plane, hidden: HiddenMap) -> list[tuple[bool, tuple[slice, slice]]]:
    cell = hidden.cell_px if plane.shape == (hidden.height, hidden.width) else hidden.cell_px // 2
    rows, cols = hidden.cells.shape
    return [
        (bool(hidden.cells[r, c]), np.s_[r * cell : (r + 1) * cell, c * cell : (c + 1) * cell])
        for r in range(rows)
        for c in range(cols)
    ]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_hidden_cells_hold_one_value_per_plane_and_the_others_are_untouched(
    make_picture: MakePicture, width: int, height: int, mode: Mode
) -> None:
    picture = make_picture(width, height)
    hidden = cover(picture, SOMEONE)
    assert hidden.hidden_share > 0
    for before, after in zip(planes(picture), planes(paint(picture, hidden, mode=mode)), strict=True):
        assert after.shape == before.shape
        for is_hidden, cell in cells_of(before, hidden):
            if is_hidden:
                assert len(np.unique(after[cell])) == 1
            else:
                assert np.array_equal(after[cell], before[cell])


def test_a_mosaic_block_shows_the_average_of_four_by_four_cells(make_picture: MakePicture) -> None:
    picture = make_picture(161, 121)
    hidden = HiddenMap(161, 121, 8, np.ones((16, 21), np.bool_))
    painted = paint(picture, hidden)
    for plane, block in ((0, 32), (1, 16), (2, 16)):
        before, after = planes(picture)[plane], planes(painted)[plane]
        for row in range(0, before.shape[0], block):
            for column in range(0, before.shape[1], block):
                average = before[row : row + block, column : column + block].mean()
                assert (np.abs(after[row : row + block, column : column + block] - average) <= 0.5).all()


def test_two_pictures_that_differ_only_in_detail_look_the_same(make_picture: MakePicture) -> None:
    flat = [np.full(size, 100, np.uint8) for size in ((64, 64), (32, 32), (32, 32))]
    checked = [(99 + np.indices(plane.shape).sum(axis=0) % 2 * 2).astype(np.uint8) for plane in flat]
    everywhere = HiddenMap(64, 64, 16, np.ones((4, 4), np.bool_))
    results = [planes(paint(picture_of(*each), everywhere)) for each in (flat, checked)]
    assert all(np.array_equal(one, other) for one, other in zip(*results, strict=True))


@pytest.mark.parametrize(("full_range", "black"), [(False, 16), (True, 0)])
def test_black_mode_paints_black(make_picture: MakePicture, full_range: bool, black: int) -> None:
    picture = make_picture(64, 64, full_range=full_range)
    painted = paint(picture, cover(picture, Box(0, 0, 1, 1)), mode=Mode.BLACK)
    assert [set(np.unique(plane)) for plane in planes(painted)] == [{black}, {128}, {128}]
    assert painted.full_range is full_range
    assert not painted.to_bgr().any()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_hiding_everything_leaves_nothing_of_the_picture(make_picture: MakePicture, width: int, height: int) -> None:
    results = [paint(make_picture(width, height, seed=seed), ALL) for seed in (1, 2)]
    for one, other in zip(planes(results[0]), planes(results[1]), strict=True):
        assert np.array_equal(one, other)
        assert len(np.unique(one)) == 1


def test_a_map_of_another_size_hides_everything(make_picture: MakePicture) -> None:
    painted = paint(make_picture(640, 480), Grid.for_size(640, 482).nothing())
    assert len(np.unique(painted.y)) == 1


def test_nothing_hidden_passes_protected_planes_on_without_a_copy(make_picture: MakePicture) -> None:
    picture = make_picture(640, 480)
    painted = paint(picture, cover(picture))
    assert all(np.shares_memory(a, b) for a, b in zip(planes(picture), planes(painted), strict=True))


@pytest.mark.parametrize("box", [(), (SOMEONE,)])
def test_the_result_neither_aliases_writable_memory_nor_changes_the_input(
    make_picture: MakePicture, box: tuple[Box, ...]
) -> None:
    picture = make_picture(640, 480, writeable=True)
    before = [plane.copy() for plane in planes(picture)]
    painted = paint(picture, cover(picture, *box))
    for original, copy, result in zip(planes(picture), before, planes(painted), strict=True):
        assert original.flags.writeable
        assert not result.flags.writeable
        assert not np.shares_memory(original, result)
        assert np.array_equal(original, copy)


def test_strided_planes_are_painted(make_picture: MakePicture) -> None:
    wide = make_picture(1344, 720)
    cropped = Picture(wide.y[:, :1280], wide.u[:, :640], wide.v[:, :640], wide.to_bgr)
    tight = picture_of(*(plane.copy() for plane in planes(cropped)))
    hidden = cover(cropped, SOMEONE)
    for one, other in zip(planes(paint(cropped, hidden)), planes(paint(tight, hidden)), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_bgr_of_a_painted_picture_is_painted_too(make_picture: MakePicture, width: int, height: int) -> None:
    picture = make_picture(width, height)
    hidden = cover(picture, Box(0, 0, 1, 1))
    bgr = paint(picture, hidden).to_bgr()
    assert bgr.shape == (height, width, 3)
    for _hidden, cell in cells_of(picture.y, hidden):
        assert (bgr[cell] == bgr[cell][0, 0]).all()


@pytest.mark.parametrize(
    ("full_range", "yuv", "bgr"),
    [
        (False, (16, 128, 128), (0, 0, 0)),
        (False, (235, 128, 128), (255, 255, 255)),
        (False, (81, 90, 240), (0, 0, 255)),
        (False, (145, 54, 34), (0, 255, 0)),
        (False, (41, 240, 110), (255, 0, 0)),
        (True, (0, 128, 128), (0, 0, 0)),
        (True, (255, 128, 128), (255, 255, 255)),
        (True, (76, 85, 255), (0, 0, 255)),
    ],
)
def test_bgr_is_converted_by_bt601(full_range: bool, yuv: tuple[int, int, int], bgr: tuple[int, int, int]) -> None:
    sizes = ((6, 6), (3, 3), (3, 3))
    colour = [np.full(size, value, np.uint8) for size, value in zip(sizes, yuv, strict=True)]
    picture = picture_of(*colour, full_range=full_range)
    shown = paint(picture, Grid.for_size(6, 6).nothing()).to_bgr()
    assert (np.abs(shown.astype(int) - bgr) <= 2).all()
