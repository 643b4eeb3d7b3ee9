"""Decides what of a frame is hidden, from the results of the analysed frames around it.

Invariant: a frame is shown only between two complete results that lie close enough together; else all of it is hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from camera_edge.redact.grid import MIN_PAD
from camera_edge.redact.hidden import ALL, Hidden, HiddenMap


@dataclass(frozen=True, slots=True)
class RedactionPolicy:
    """What the operator asks for.

    required: the analyzers whose answer must be there (`redact_with`). period_us: the time from one analysed frame to
    the next; `jitter` is how many periods two of them may lie apart, since a camera's frames do not keep step with the
    ticks. hold_us: how long a place stays hidden after something was seen in it. pad: see `Grid.cover`.
    """

    required: frozenset[str]
    period_us: int
    hold_us: int = 1_000_000
    pad: float = MIN_PAD
    jitter: float = 1.5


@dataclass(frozen=True, slots=True)
class Answered:
    """The result for one analysed frame. `fresh`: every required analyzer answered for this very frame."""

    frame: int
    media_us: int
    fresh: bool
    hidden: HiddenMap


def hidden_for(
    media_us: int,
    before: Answered | None,
    after: Answered | None,
    held: Sequence[HiddenMap],
    policy: RedactionPolicy,
) -> Hidden:
    """What to hide of the frame at `media_us`.

    before, after: the results nearest to it, at or before and at or after it (for an analysed frame both are its own).
    held: what was hidden within the last `policy.hold_us`. With results of the past alone a newcomer would be shown
    until the next analysis; the union of both sides hides it on its way in.
    """
    if before is None or after is None or not (before.fresh and after.fresh):
        return ALL
    if not before.media_us <= media_us <= after.media_us:
        return ALL
    if after.media_us - before.media_us > policy.jitter * policy.period_us:
        return ALL
    union = before.hidden
    for part in (after.hidden, *held):
        if not union.same_grid(part):
            return ALL
        union = union.union(part)
    return union
