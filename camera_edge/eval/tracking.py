"""How well tracks agree with the true ones: CLEAR MOT and IDF1.

Invariant: pure, and exact: both assignments are optimal. Boxes as in `detection.py`.

Sources: Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT Metrics", EURASIP
2008; Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", ECCVW 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from camera_edge.eval.detection import Floats, Numbers, overlaps

# dearer than any pair of boxes that may go together, so that as many as can do
_FORBIDDEN = 1e6


@dataclass(frozen=True, slots=True)
class Tracked:
    """The boxes (n, 4) of one frame, each with the number (n,) of its track; no number twice."""

    tracks: Numbers
    boxes: Floats


@dataclass(frozen=True, slots=True)
class TrackFigures:
    """Counted over all frames. switches: true tracks that went on under another number than they had last."""

    boxes: int
    found: int
    misses: int
    false: int
    switches: int
    identified: int

    @property
    def mota(self) -> float:
        """1 at best, and without a lower limit."""
        return 1 - (self.misses + self.false + self.switches) / self.boxes

    @property
    def idf1(self) -> float:
        """2 * identified / (true boxes + found boxes), where each true track is identified by one found one at most."""
        return 2 * self.identified / (self.boxes + self.found)


@dataclass(frozen=True, slots=True)
class Paired:
    """One frame: which rows of truth and finds go together, and which of these true tracks had another number last."""

    pairs: Sequence[tuple[int, int]]
    switched: Sequence[int]


def measure_tracks(truth: Sequence[Tracked], found: Sequence[Tracked], iou: float = 0.5) -> TrackFigures:
    """Compares frame by frame; boxes go together that overlap by `iou` at least.

    Raises ValueError where the two differ in length or there is no truth.
    """
    boxes = sum(len(frame.tracks) for frame in truth)
    if len(truth) != len(found) or not boxes:
        raise ValueError(f"{len(truth)} frames with {boxes} true boxes, {len(found)} frames of finds")
    frames = pair_up(truth, found, iou)
    matched = sum(len(frame.pairs) for frame in frames)
    seen_boxes = sum(len(frame.tracks) for frame in found)
    return TrackFigures(
        boxes=boxes,
        found=seen_boxes,
        misses=boxes - matched,
        false=seen_boxes - matched,
        switches=sum(len(frame.switched) for frame in frames),
        identified=_identified(truth, found, iou),
    )


def pair_up(truth: Sequence[Tracked], found: Sequence[Tracked], iou: float = 0.5) -> list[Paired]:
    """Of each frame what goes together; as many frames of finds as of truth."""
    frames = []
    partner: dict[int, int] = {}
    for true, seen in zip(truth, found, strict=True):
        pairs = _pairs(true, seen, partner, iou)
        numbers = [(row, int(true.tracks[row]), int(seen.tracks[column])) for row, column in pairs]
        frames.append(Paired(pairs, [row for row, number, other in numbers if partner.get(number, other) != other]))
        partner.update((number, other) for _, number, other in numbers)
    return frames


def assign(cost: Floats) -> list[tuple[int, int]]:
    """The pairs (row, column) of least total cost, min(n, m) of them, of a table (n, m) of finite numbers.

    Kuhn's method with potentials, one row after the other by shortest augmenting paths, O(n^2 m) (Jonker and Volgenant,
    "A Shortest Augmenting Path Algorithm for Dense and Sparse Linear Assignment Problems", Computing 1987).
    """
    if cost.shape[0] > cost.shape[1]:
        return sorted((row, column) for column, row in assign(cost.T))
    rows, columns = cost.shape
    # column `columns` stands for "none yet": there each row begins its search
    row_of = np.full(columns + 1, -1, np.int64)
    row_price, column_price = np.zeros(rows), np.zeros(columns + 1)
    for row in range(rows):
        row_of[columns] = row
        _augment(cost, row_of, row_price, column_price)
    return sorted((int(row), column) for column, row in enumerate(row_of[:columns]) if row >= 0)


def _augment(cost: Floats, row_of: Numbers, row_price: Floats, column_price: Floats) -> None:
    """Gives the row at the last place of `row_of` a column, moving others where that is cheaper; in place."""
    columns = cost.shape[1]
    slack, way = np.full(columns, np.inf), np.full(columns, columns, np.int64)
    done = np.zeros(columns + 1, np.bool_)
    at = columns
    while row_of[at] >= 0:
        done[at] = True
        reduced = cost[row_of[at]] - row_price[row_of[at]] - column_price[:columns]
        nearer = ~done[:columns] & (reduced < slack)
        slack[nearer], way[nearer] = reduced[nearer], at
        open_slack = np.where(done[:columns], np.inf, slack)
        following = int(open_slack.argmin())
        step = open_slack[following]
        row_price[row_of[done]] += step
        column_price[done] -= step
        slack[~done[:columns]] -= step
        at = following
    while at != columns:
        row_of[at], at = row_of[way[at]], way[at]
    row_of[columns] = -1


def _pairs(true: Tracked, seen: Tracked, partner: dict[int, int], iou: float) -> list[tuple[int, int]]:
    """Rows that go together in a frame: what did in the last one and still may, then as many more as can."""
    table = overlaps(true.boxes, seen.boxes)
    place = {int(number): column for column, number in enumerate(seen.tracks)}
    kept: list[tuple[int, int]] = []
    for row, number in enumerate(true.tracks):
        column = place.get(partner.get(int(number), -1))
        if column is not None and table[row, column] >= iou and column not in [taken for _, taken in kept]:
            kept.append((row, column))
    rows = np.setdiff1d(np.arange(len(true.tracks)), [row for row, _ in kept])
    columns = np.setdiff1d(np.arange(len(seen.tracks)), [column for _, column in kept])
    rest = table[np.ix_(rows, columns)]
    new = [
        (int(rows[i]), int(columns[k]))
        for i, k in assign(np.where(rest >= iou, 1 - rest, _FORBIDDEN))
        if rest[i, k] >= iou
    ]
    return kept + new


def _identified(truth: Sequence[Tracked], found: Sequence[Tracked], iou: float) -> int:
    """In how many frames true tracks and the found ones that are assigned to them lie on one another, at most."""
    true_place = _places(truth)
    found_place = _places(found)
    together = np.zeros((len(true_place), len(found_place)))
    for true, seen in zip(truth, found, strict=True):
        rows, columns = np.nonzero(overlaps(true.boxes, seen.boxes) >= iou)
        for row, column in zip(rows, columns, strict=True):
            together[true_place[int(true.tracks[row])], found_place[int(seen.tracks[column])]] += 1
    return int(sum(together[row, column] for row, column in assign(-together)))


def _places(frames: Sequence[Tracked]) -> dict[int, int]:
    numbers = sorted({int(number) for frame in frames for number in frame.tracks})
    return {number: place for place, number in enumerate(numbers)}
