"""Turns what analyzers saw into hidden cells of a picture.

Invariant: rounds outward. A cell that a padded box or mask touches, be it by a hair, is hidden.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from camera_edge.observation import Box, Mask
from camera_edge.picture import Plane
from camera_edge.redact.hidden import Cells, HiddenMap, read_only

MIN_CELL_PX = 8
ROWS = 48
MIN_PAD = 0.2


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of pictures of one size, in pixels: about `ROWS` rows of squares, of at least `MIN_CELL_PX` each."""

    width: int
    height: int
    cell_px: int

    @classmethod
    def for_size(cls, width: int, height: int) -> Grid:
        return cls(width, height, max(MIN_CELL_PX, 2 * round(height / ROWS / 2)))

    @property
    def rows(self) -> int:
        return -(-self.height // self.cell_px)

    @property
    def cols(self) -> int:
        return -(-self.width // self.cell_px)

    def nothing(self) -> HiddenMap:
        return self._map(np.zeros((self.rows, self.cols), np.bool_))

    def cover(self, boxes: Sequence[Box], masks: Sequence[Mask], pad: float = MIN_PAD) -> HiddenMap:
        """Hide all boxes and all that is not zero in the masks, whatever size these have.

        `pad` is the part of its width (height) that a box grows on its left and its right (above and below), at least
        half a cell; a connected part of a mask grows alike. ValueError below a fifth.
        """
        if not pad >= MIN_PAD:
            raise ValueError(f"pad is {pad}, and what moves is hidden with at least {MIN_PAD} around it")
        cells = np.zeros((self.rows, self.cols), np.bool_)
        for box in boxes:
            self._cover_box(cells, box, pad)
        for mask in masks:
            cells |= _whole_cells(self._grown(self._touched(mask.pixels), pad))
        return self._map(cells)

    def _cover_box(self, cells: Cells, box: Box, pad: float) -> None:
        left, right = self._span(box.x * self.width, box.w * self.width, pad)
        top, bottom = self._span(box.y * self.height, box.h * self.height, pad)
        cells[top:bottom, left:right] = True

    def _span(self, start_px: float, length_px: float, pad: float) -> tuple[int, int]:
        around_px = max(pad * length_px, self.cell_px / 2)
        first = math.floor((start_px - around_px) / self.cell_px)
        last = math.floor((start_px + length_px + around_px) / self.cell_px)
        return max(first, 0), max(last + 1, 0)

    def _touched(self, mask: Plane) -> Plane:
        """uint8 (2 rows, 2 cols): 1 for each half cell that any non-zero pixel of the mask reaches into.

        Counted with a summed-area table.
        """
        rows, cols = mask.shape
        sums = cv2.integral((mask != 0).view(np.uint8))
        half = self.cell_px // 2
        top, bottom = _pixel_spans(2 * self.rows, half, self.height, rows)
        left, right = _pixel_spans(2 * self.cols, half, self.width, cols)
        in_rows = sums[bottom] - sums[top]
        return np.asarray(in_rows[:, right] > in_rows[:, left], np.uint8)

    def _grown(self, halves: Plane, pad: float) -> Plane:
        """Half cells: each 8-connected part grown on each side by `pad` of its size, rounded up.

        Parts are grown before they are rounded to whole cells: rounded first, people who walk near each other would
        become one large part, and grow by a part of that.
        """
        _count, labels, stats, _centres = cv2.connectedComponentsWithStats(halves, connectivity=8)
        grown = np.zeros_like(halves)
        for label, (left, top, width, height) in enumerate(stats[1:, : cv2.CC_STAT_AREA].tolist(), start=1):
            across, down = math.ceil(pad * width), math.ceil(pad * height)
            window = np.s_[max(0, top - down) : top + height + down, max(0, left - across) : left + width + across]
            part = (labels[window] == label).view(np.uint8)
            dilated = cv2.dilate(part, np.ones((2 * down + 1, 2 * across + 1), np.uint8))
            grown[window] |= np.asarray(dilated, np.uint8)
        return grown

    def _map(self, cells: Cells) -> HiddenMap:
        return HiddenMap(self.width, self.height, self.cell_px, read_only(cells))


@lru_cache(maxsize=16)
def _pixel_spans(count: int, cell_px: int, picture_px: int, mask_px: int) -> tuple[np.ndarray, np.ndarray]:
    """For each of `count` cells: the first mask pixel that reaches into it, and the one behind the last."""
    starts = np.minimum(np.arange(count, dtype=np.int64) * cell_px, picture_px)
    ends = np.minimum(starts + cell_px, picture_px)
    return starts * mask_px // picture_px, -(-ends * mask_px // picture_px)


def _whole_cells(halves: Plane) -> Cells:
    """The cells of which any half cell is set."""
    across = halves[:, 0::2] | halves[:, 1::2]
    return (across[0::2] | across[1::2]).view(np.bool_)
