from __future__ import annotations

import numpy as np
import pytest

from camera_edge.observation import HIDDEN_ONLY, Box, Mask
from camera_edge.redact import Grid, HiddenMap

SIZES = [(1280, 720), (1920, 1080), (640, 480), (161, 121), (320, 240), (16, 16), (17, 1), (1, 1)]


def hidden_pixels(hidden: HiddenMap) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return np.kron(hidden.cells, np.ones((hidden.cell_px, hidden.cell_px), np.bool_))[: hidden.height, : hidden.width]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_cells_cover_the_picture_and_have_an_even_side(width: int, height: int) -> None:
    grid = Grid.for_size(width, height)
    assert grid.cell_px % 2 == 0
    assert grid.cell_px >= 8
    assert (grid.rows - 1) * grid.cell_px < height <= grid.rows * grid.cell_px
    assert (grid.cols - 1) * grid.cell_px < width <= grid.cols * grid.cell_px


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("seed", range(5))
def test_a_box_is_hidden_with_a_fifth_of_its_size_around_it(width: int, height: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    x, y = random.random(2) * 0.9
    box = Box(x, y, random.random() * (1 - x), random.random() * (1 - y))
    hidden = hidden_pixels(Grid.for_size(width, height).cover([box], []))
    for row in range(height):
        for column in (0, width - 1, *random.integers(0, width, 5)):
            across = max(box.x - 0.2 * box.w - (column + 1) / width, column / width - box.x - 1.2 * box.w)
            down = max(box.y - 0.2 * box.h - (row + 1) / height, row / height - box.y - 1.2 * box.h)
            if across < 0 and down < 0:
                assert hidden[row, column], (row, column)


def test_a_box_without_size_at_the_far_corner_is_hidden() -> None:
    hidden = Grid.for_size(1280, 720).cover([Box(1.0, 1.0, 0.0, 0.0)], [])
    assert hidden.cells[-1, -1]
    assert not hidden.cells[0].any()


def test_what_is_far_from_a_box_stays_visible() -> None:
    hidden = Grid.for_size(1280, 720).cover([Box(0.1, 0.1, 0.1, 0.2)], [])
    assert 0 < hidden.hidden_share < 0.1
    assert not hidden.cells[:, 20:].any()


def test_nothing_seen_hides_nothing() -> None:
    grid = Grid.for_size(640, 480)
    empty = grid.cover([], [Mask("motion", np.zeros((90, 160), np.uint8))])
    assert empty.hidden_share == 0
    assert grid.nothing().hidden_share == 0


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("view", [(90, 160), (121, 161), (7, 5), (1, 1), (300, 2)])
def test_every_set_mask_pixel_is_hidden_whatever_the_size_of_the_view(
    width: int, height: int, view: tuple[int, int]
) -> None:
    random = np.random.default_rng(width)
    grid = Grid.for_size(width, height)
    for _trial in range(5):
        row, column = int(random.integers(view[0])), int(random.integers(view[1]))
        pixels = np.zeros(view, np.uint8)
        pixels[row, column] = 1
        hidden = hidden_pixels(grid.cover([], [Mask("motion", pixels)]))
        top, bottom = row * height // view[0], -(-(row + 1) * height // view[0])
        left, right = column * width // view[1], -(-(column + 1) * width // view[1])
        assert hidden[top:bottom, left:right].all()


def test_a_part_of_a_mask_grows_by_half_a_cell_or_a_fifth_of_its_size() -> None:
    grid = Grid(width=400, height=400, cell_px=10)
    pixels = np.zeros((40, 40), np.uint8)
    pixels[5:25, 20] = 255
    pixels[35, 35] = 255
    cells = grid.cover([], [Mask("motion", pixels)]).cells
    assert cells[1:29, 19:22].all()
    assert cells[34:37, 34:37].all()
    assert cells.sum() == 28 * 3 + 9


def test_what_is_hidden_only_is_hidden_as_what_was_found() -> None:
    pixels = np.zeros((90, 160), np.uint8)
    pixels[30:50, 40:60] = HIDDEN_ONLY
    margin = Mask("motion", pixels)
    found = Mask("motion", np.where(pixels > 0, np.uint8(255), np.uint8(0)))
    grid = Grid.for_size(1280, 720)
    assert np.array_equal(grid.cover([], [margin]).cells, grid.cover([], [found]).cells)
    assert not margin.foreground.any()
    assert np.array_equal(found.foreground, found.pixels)


def test_masks_and_boxes_of_any_module_only_add() -> None:
    grid = Grid.for_size(640, 480)
    pixels = np.zeros((48, 64), np.uint8)
    pixels[40, 60] = 1
    box, mask = Box(0.1, 0.1, 0.1, 0.1), Mask("other", pixels)
    both = grid.cover([box], [mask, Mask("third", np.zeros((3, 3), np.uint8))])
    assert (both.cells == (grid.cover([box], []).cells | grid.cover([], [mask]).cells)).all()


@pytest.mark.parametrize("pad", [0.19, -1.0, float("nan")])
def test_a_pad_below_a_fifth_is_refused(pad: float) -> None:
    with pytest.raises(ValueError, match="pad"):
        Grid.for_size(640, 480).cover([], [], pad)


def test_a_map_cannot_be_changed() -> None:
    hidden = Grid.for_size(640, 480).cover([Box(0.1, 0.1, 0.1, 0.1)], [])
    with pytest.raises(ValueError, match="read-only"):
        hidden.cells[:] = False


def test_maps_of_two_sizes_have_no_union() -> None:
    with pytest.raises(ValueError, match="sizes"):
        Grid.for_size(640, 480).nothing().union(Grid.for_size(320, 240).nothing())
