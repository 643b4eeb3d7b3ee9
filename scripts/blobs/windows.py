"""Many windows at once: the sets that the model is trained and tested on.

Invariant: window `i` of `seed` is the same whatever else is drawn, on any number of processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import cv2
import numpy as np
from numpy.typing import NDArray

from scripts.blobs.kinds import KIND_OF_FIGURE, KINDS
from scripts.blobs.scene import draw
from scripts.blobs.window import COLUMNS, ROWS

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Windows:
    """`windows` (n, 2, ROWS, COLUMNS) in half precision, `figures` (n,) as in FIGURES, `person_px` (n,)."""

    windows: NDArray[np.float16]
    figures: NDArray[np.int64]
    person_px: NDArray[np.float32]


def draw_windows(count: int, seed: int, processes: int = 1) -> Iterator[Windows]:
    """Batches of windows, in order."""
    starts = range(0, count, _BATCH)
    ends = [min(start + _BATCH, count) for start in starts]
    if processes == 1:
        yield from map(partial(_batch, seed), starts, ends)
        return
    # forking a process that has threads is no longer safe
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield from pool.map(partial(_batch, seed), starts, ends)


def joined(batches: Sequence[Windows]) -> Windows:
    return Windows(
        np.concatenate([batch.windows for batch in batches]),
        np.concatenate([batch.figures for batch in batches]),
        np.concatenate([batch.person_px for batch in batches]),
    )


def kind_shares(windows: Windows) -> NDArray[np.float64]:
    """How much of the set each of KINDS is."""
    kinds = np.array(KIND_OF_FIGURE)[windows.figures]
    return np.bincount(kinds, minlength=len(KINDS)) / len(kinds)


def _batch(seed: int, start: int, end: int) -> Windows:
    # one core each; the windows are too small for more
    cv2.setNumThreads(1)
    windows = np.empty((end - start, 2, ROWS, COLUMNS), np.float16)
    figures = np.empty(end - start, np.int64)
    person_px = np.empty(end - start, np.float32)
    for place, number in enumerate(range(start, end)):
        sample = draw(np.random.default_rng([seed, number]))
        windows[place], figures[place], person_px[place] = sample.window, sample.figure, sample.person_px
    return Windows(windows, figures, person_px)
