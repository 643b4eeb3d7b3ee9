"""How good a model is on windows that it was not trained on: the figures for its card.

Invariant: measured through onnxruntime on the file that is shipped, not on the network that was trained.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from scripts.blobs.kinds import FIGURE_NAMES, KIND_OF_FIGURE, KINDS
from scripts.blobs.windows import Windows

Floats = NDArray[np.float32]

_BATCH = 256
_NEIGHBOURS = 5
_TIMED = 500
_SIZES_PX = (13, 20, 32, 80)


@dataclass(frozen=True, slots=True)
class Measured:
    """`right` is a share of all windows; the others are by kind, by person height, and by figure."""

    right: float
    recall: dict[str, float]
    precision: dict[str, float]
    right_by_size: dict[str, float]
    told_from_walkers: dict[str, float]
    ms_per_window: float


class Described:
    """What a model says of windows, in order."""

    def __init__(self, model: Path, windows: Windows) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        parts = []
        for start in range(0, len(windows.figures), _BATCH):
            batch = windows.windows[start : start + _BATCH].astype(np.float32)
            parts.append(session.run(["kinds", "embedding"], {"window": batch}))
        self.kinds: Floats = np.concatenate([part[0] for part in parts])
        self.embeddings: Floats = np.concatenate([part[1] for part in parts])
        one = windows.windows[:1].astype(np.float32)
        started = time.process_time()
        for _ in range(_TIMED):
            session.run(None, {"window": one})
        self.ms_per_window = (time.process_time() - started) / _TIMED * 1e3


def measure(model: Path, windows: Windows) -> Measured:
    described = Described(model, windows)
    true = np.array(KIND_OF_FIGURE)[windows.figures]
    said = described.kinds.argmax(axis=1)
    right = said == true
    sizes = {}
    for low, high in zip(_SIZES_PX, _SIZES_PX[1:], strict=False):
        chosen = (windows.person_px >= low) & (windows.person_px < high)
        sizes[f"{low}-{high} px"] = _share(right[chosen])
    return Measured(
        _share(right),
        {kind: _share(right[true == number]) for number, kind in enumerate(KINDS)},
        {kind: _share(right[said == number]) for number, kind in enumerate(KINDS)},
        sizes,
        _told_from_walkers(described.embeddings, windows.figures),
        described.ms_per_window,
    )


def _share(hits: NDArray[np.bool_]) -> float:
    return round(float(hits.mean()), 3) if len(hits) else 0.0


def _told_from_walkers(embeddings: Floats, figures: NDArray[np.int64]) -> dict[str, float]:
    """For each figure, the area under the curve of its distance to known walkers, against that of other walkers.

    The distance is the mean one to the nearest embeddings of one half of the walkers.
    """
    walkers = embeddings[figures == FIGURE_NAMES.index("walker")]
    known, others = walkers[::2], walkers[1::2]
    usual = _distances(known, others)
    areas = {}
    for number, name in enumerate(FIGURE_NAMES):
        if name != "walker" and (figures == number).any():
            areas[name] = round(area_under_curve(usual, _distances(known, embeddings[figures == number])), 3)
    return areas


def _distances(known: Floats, others: Floats) -> Floats:
    squared = 2 - 2 * others @ known.T
    nearest = np.partition(np.maximum(squared, 0), _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
    return np.asarray(np.sqrt(nearest).mean(axis=1))


def area_under_curve(lower: Floats, higher: Floats) -> float:
    """How often a value of `higher` is above one of `lower`; a tie counts half."""
    ordered = np.sort(lower)
    below = np.searchsorted(ordered, higher, side="left") + np.searchsorted(ordered, higher, side="right")
    return float(below.mean() / (2 * len(lower)))
