"""How well boxes with scores agree with the true ones: average precision, best F1.

Invariant: pure. Boxes are float arrays (n, 4) of x, y, w, h from the top left corner, truth and finds in one unit, each
axis in its own if need be (an overlap does not depend on it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scored:
    """What was found in one frame: boxes (n, 4) and scores (n,)."""

    boxes: Floats
    scores: Floats


@dataclass(frozen=True, slots=True)
class Curve:
    """Precision and recall (n,) as the least score falls; `ap` is the area under the curve's monotone envelope."""

    scores: Floats
    precision: Floats
    recall: Floats
    ap: float

    @property
    def best_f1(self) -> float:
        """The best F1 that any least score gives; 0 where nothing was found."""
        if not self.scores.size:
            return 0.0
        both = self.precision + self.recall
        return float((2 * self.precision * self.recall / np.maximum(both, 1e-12)).max())

    @property
    def best_score(self) -> float | None:
        """The least score that gives the best F1; None where nothing was found."""
        if not self.scores.size:
            return None
        both = self.precision + self.recall
        return float(self.scores[(self.precision * self.recall / np.maximum(both, 1e-12)).argmax()])


def overlaps(a: Floats, b: Floats) -> Floats:
    """Intersection over union of each of `a` (n, 4) with each of `b` (m, 4): (n, m); 0 where one has no area."""
    a, b = a.reshape(-1, 1, 4), b.reshape(1, -1, 4)
    sides = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    both: Floats = np.maximum(sides, 0).prod(-1)
    union = a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - both
    return np.where(both > 0, both / np.where(union > 0, union, 1), 0.0)


def precision_recall(truth: Sequence[Floats], found: Sequence[Scored], iou: float = 0.5) -> Curve:
    """The curve over all frames; `truth` holds the boxes (n, 4) of each, `found` as many frames.

    In the order of their scores, each find takes the true box of its frame that it overlaps most, at least by `iou`;
    where that one is taken already it is a false find (Everingham et al., "The PASCAL VOC Challenge", IJCV 2010; the
    area over all points, as from VOC 2010 on). Raises ValueError where the two differ in length or there is no truth.
    """
    total = sum(len(boxes) for boxes in truth)
    if len(truth) != len(found) or not total:
        raise ValueError(f"{len(truth)} frames with {total} true boxes, {len(found)} frames of finds")
    hits = np.concatenate([_hits(boxes, finds, iou) for boxes, finds in zip(truth, found, strict=True)])
    scores = np.concatenate([finds.scores for finds in found])
    order = np.argsort(-scores, kind="stable")
    scores, right = scores[order], np.cumsum(hits[order])
    # finds of one score come together: the curve has a point where the least score passes them all
    last = np.append(np.flatnonzero(np.diff(scores)), scores.size - 1) if scores.size else np.zeros(0, np.int64)
    precision, recall = right[last] / (last + 1), right[last] / total
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    area = float((np.diff(recall, prepend=0.0) * envelope).sum())
    return Curve(scores[last], precision, recall, area)


def _hits(truth: Floats, found: Scored, iou: float) -> NDArray[np.bool_]:
    """Which finds of a frame are right (n,)."""
    hits = np.zeros(len(found.scores), np.bool_)
    if not len(truth):
        return hits
    taken = np.zeros(len(truth), np.bool_)
    table = overlaps(found.boxes, truth)
    for find in np.argsort(-found.scores, kind="stable"):
        best = table[find].argmax()
        if table[find, best] >= iou and not taken[best]:
            taken[best] = hits[find] = True
    return hits
