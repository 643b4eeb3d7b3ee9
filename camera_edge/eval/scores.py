"""How well one score a frame tells the frames where something is unusual from the others.

Invariant: pure; scores are finite, labels true where a frame is unusual. Frames of one score come together, so that
ties are neither luck nor misfortune.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Roc:
    """False and true alarm rates (n,) as the threshold falls, from (0, 0) to (1, 1)."""

    false_rate: Floats
    true_rate: Floats

    @property
    def auc(self) -> float:
        """The area under the straight lines between the points: the chance that an unusual frame scores higher than a
        usual one, ties counted half (Hanley and McNeil, "The meaning and use of the area under a receiver operating
        characteristic (ROC) curve", Radiology 1982)."""
        widths = np.diff(self.false_rate)
        return float((widths * (self.true_rate[1:] + self.true_rate[:-1]) / 2).sum())

    @property
    def eer(self) -> float:
        """Where as many usual frames are alarmed as unusual ones are missed, on the lines between the points."""
        missed = 1 - self.true_rate
        at = int(np.argmax(self.false_rate >= missed))
        if at == 0:
            return float(self.false_rate[0])
        gap_before = missed[at - 1] - self.false_rate[at - 1]
        gap = missed[at] - self.false_rate[at]
        part = gap_before / (gap_before - gap)
        return float(self.false_rate[at - 1] + part * (self.false_rate[at] - self.false_rate[at - 1]))


def roc(scores: Floats, labels: Labels) -> Roc | None:
    """The curve over all thresholds, (n,) each. None where all frames are of one kind: there is nothing to tell.

    Raises ValueError where the two differ in length, or a score is not finite.
    """
    if scores.shape != labels.shape or not np.isfinite(scores).all():
        raise ValueError(f"{scores.shape} scores for {labels.shape} labels, or a score that is not finite")
    unusual = int(np.count_nonzero(labels))
    usual = len(labels) - unusual
    if not unusual or not usual:
        return None
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    true, alarms = hits[last], last + 1
    return Roc(
        false_rate=np.concatenate([[0.0], (alarms - true) / usual]), true_rate=np.concatenate([[0.0], true / unusual])
    )


def stretched(scores: Floats) -> Floats:
    """From 0 to 1 within one clip: min-max, which only who knows the whole clip can do. All 0 where they are equal."""
    if not len(scores) or scores.max() <= scores.min():
        return np.zeros_like(scores)
    return np.asarray((scores - scores.min()) / np.ptp(scores), np.float64)
