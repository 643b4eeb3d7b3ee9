"""Turns what analyzers saw into hidden cells of a picture.

Invariant: rounds outward. A cell that a padded box or mask touches, be it by a hair, is hidden.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

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
            cells |= self._touched(self._grown(mask.pixels, pad))
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

    def _touched(self, mask: Plane) -> Cells:
        """Cells that any non-zero pixel of the mask reaches into, counted with a summed-area table."""
        rows, cols = mask.shape
        sums = cv2.integral((mask != 0).view(np.uint8))
        top, bottom = _pixel_spans(self.rows, self.cell_px, self.height, rows)
        left, right = _pixel_spans(self.cols, self.cell_px, self.width, cols)
        counts = (
            sums[bottom[:, None], right[None, :]]
            - sums[top[:, None], right[None, :]]
            - sums[bottom[:, None], left[None, :]]
            + sums[top[:, None], left[None, :]]
        )
        return np.asarray(counts > 0, np.bool_)

    def _grown(self, mask: Plane, pad: float) -> Plane:
        """uint8 like `mask`: each 8-connected part grown on each side by `pad` of its size, at least half a cell.

        Parts are grown as the mask has them, before they are rounded to cells: rounded first, people who walk near
        each other would become one large part, and grow by a part of that.
        """
        rows, cols = mask.shape
        least_x, least_y = self.cell_px / 2 * cols / self.width, self.cell_px / 2 * rows / self.height
        count, labels, stats, _centres = cv2.connectedComponentsWithStats((mask != 0).view(np.uint8), connectivity=8)
        grown = np.zeros(mask.shape, np.uint8)
        for label in range(1, count):
            left, top, width, height = (int(value) for value in stats[label, : cv2.CC_STAT_AREA])
            across, down = math.ceil(max(pad * width, least_x)), math.ceil(max(pad * height, least_y))
            window = np.s_[max(0, top - down) : top + height + down, max(0, left - across) : left + width + across]
            part = (labels[window] == label).view(np.uint8)
            dilated = cv2.dilate(part, np.ones((2 * down + 1, 2 * across + 1), np.uint8))
            grown[window] |= np.asarray(dilated, np.uint8)
        return grown

    def _map(self, cells: Cells) -> HiddenMap:
        return HiddenMap(self.width, self.height, self.cell_px, read_only(cells))


def _pixel_spans(count: int, cell_px: int, picture_px: int, mask_px: int) -> tuple[np.ndarray, np.ndarray]:
    """For each of `count` cells: the first mask pixel that reaches into it, and the one behind the last."""
    starts = np.arange(count, dtype=np.int64) * cell_px
    ends = np.minimum(starts + cell_px, picture_px)
    return starts * mask_px // picture_px, -(-ends * mask_px // picture_px)
