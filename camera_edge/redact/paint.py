"""Paints over what is hidden: mosaic or black where something was seen, grey for everything.

Invariant: a hidden block holds one value per plane, and no path leads from the result back to the pixels it replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_edge.picture import Picture, Plane
from camera_edge.redact.bgr import bgr_of
from camera_edge.redact.hidden import ALL, Cells, Hidden

BLOCK_CELLS = 4
"""The side of a mosaic block in cells: what is shown is coarser than what is decided."""

_NO_COLOUR = 128
_GREY = 126


class Mode(Enum):
    PIXELATE = "pixelate"
    BLACK = "black"


def paint(picture: Picture, hidden: Hidden, mode: Mode = Mode.PIXELATE) -> Picture:
    """The picture as it may be shown.

    Planes that stay as they are are passed on if nobody can write to them, and copied otherwise; the result's planes
    are read-only. A map of another picture size hides everything. `to_bgr` of the result converts the painted planes
    (see `bgr_of`) and never asks the original.
    """
    if hidden is ALL or not hidden.fits(picture.width, picture.height):
        return _grey(picture)
    black = 0 if picture.full_range else 16
    block_rows = _block_rows(hidden.cells)
    luma = _Paint(block_rows, hidden.cell_px, mode, black)
    chroma = _Paint(block_rows, hidden.cell_px // 2, mode, _NO_COLOUR)
    return _redacted(
        _painted(picture.y, luma),
        _painted(picture.u, chroma),
        _painted(picture.v, chroma),
        picture.full_range,
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """Hidden cells side by side: in which row of their row of blocks, from where to where."""

    row: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class _Paint:
    """How to paint one plane: `cell` is the side of a cell in this plane's pixels."""

    block_rows: tuple[tuple[_Run, ...], ...]
    cell: int
    mode: Mode
    black: int


def _grey(picture: Picture) -> Picture:
    y = np.full(picture.y.shape, _GREY, np.uint8)
    u = np.full(picture.u.shape, _NO_COLOUR, np.uint8)
    return _redacted(y, u, u.copy(), picture.full_range)


def _redacted(y: Plane, u: Plane, v: Plane, full_range: bool) -> Picture:
    for plane in (y, u, v):
        plane.flags.writeable = False
    return Picture(y, u, v, partial(bgr_of, y, u, v, full_range), full_range)


def _painted(plane: Plane, how: _Paint) -> Plane:
    if not any(how.block_rows):
        return plane.copy() if plane.flags.writeable else plane
    painted = plane.copy()
    _hide(painted, how)
    return painted


def _hide(plane: Plane, how: _Paint) -> None:
    """Paint the hidden cells of the plane, in place, one row of blocks after the other."""
    block = how.cell * BLOCK_CELLS
    starts = np.arange(0, plane.shape[1], block)
    widths = np.full(starts.shape, block)
    widths[-1] = plane.shape[1] - starts[-1]
    for number, block_row in enumerate(how.block_rows):
        if not block_row:
            continue
        strip = plane[number * block : (number + 1) * block]
        line = np.repeat(_averages(strip, starts, widths), widths)
        if how.mode is Mode.BLACK:
            line[:] = how.black
        for run in block_row:
            columns = slice(run.start * how.cell, run.stop * how.cell)
            strip[run.row * how.cell : (run.row + 1) * how.cell, columns] = line[columns]


def _averages(strip: Plane, starts: NDArray[np.int64], widths: NDArray[np.int64]) -> Plane:
    """The average of every block of a strip that is one block high: uint8 (blocks,)."""
    sums = np.add.reduceat(cv2.reduce(strip, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0], starts)
    pixels = widths * strip.shape[0]
    return np.asarray((sums + pixels // 2) // pixels, np.uint8)


def _block_rows(cells: Cells) -> tuple[tuple[_Run, ...], ...]:
    rows, cols = cells.shape
    framed = np.zeros((rows, cols + 2), np.int8)
    framed[:, 1:-1] = cells
    edges = framed[:, 1:] - framed[:, :-1]
    block_rows: list[list[_Run]] = [[] for _row in range(0, rows, BLOCK_CELLS)]
    starts, stops = np.argwhere(edges == 1).tolist(), np.argwhere(edges == -1).tolist()
    for (row, start), (_row, stop) in zip(starts, stops, strict=True):
        block_rows[row // BLOCK_CELLS].append(_Run(row % BLOCK_CELLS, start, stop))
    return tuple(tuple(runs) for runs in block_rows)
