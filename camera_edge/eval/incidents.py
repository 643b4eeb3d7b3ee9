"""Holds events against what really happened.

Invariant: pure. Every event of a kind that is judged is either true or false, and every incident is found or missed:
precision is true / (true + false), recall is found / (found + missed). An event that comes at the wrong time, or a
second one for the same thing, is false, and told apart from one where nothing was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from camera_edge.eval.annotation import Span, Turn

# what a dwell may begin and end late or early by
SLACK_S = 1.0
# an object has been left when it has lain there for a while without its owner
TURN_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """An event in media seconds."""

    kind: str
    opened_s: float
    closed_s: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """delays_s: of each incident that was found, from its begin to the opening of the event. mistimed: false ones that
    came while something was there, or once more for what was found."""

    found: int = 0
    missed: int = 0
    true: int = 0
    false: int = 0
    mistimed: int = 0
    delays_s: tuple[float, ...] = ()

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(
            self.found + other.found,
            self.missed + other.missed,
            self.true + other.true,
            self.false + other.false,
            self.mistimed + other.mistimed,
            self.delays_s + other.delays_s,
        )

    @property
    def precision(self) -> float | None:
        """None where there was no event."""
        return self.true / (self.true + self.false) if self.true + self.false else None

    @property
    def recall(self) -> float | None:
        """None where there was nothing to find."""
        return self.found / (self.found + self.missed) if self.found + self.missed else None

    @property
    def delay_s(self) -> float | None:
        """The mean; None where nothing was found."""
        return fmean(self.delays_s) if self.delays_s else None


def judge_spans(alarms: Sequence[Alarm], truth: Sequence[Span], *, tolerance_s: float, whole: bool) -> Verdict:
    """Events of one kind against when something was there.

    `whole`: the event must open and close within SLACK_S of the span's ends. Else it is enough that it opens while the
    thing is there. Both ends give by `tolerance_s`, which the annotation itself may be wrong by.
    """
    slack_s = SLACK_S + tolerance_s
    free = sorted(alarms, key=lambda each: each.opened_s)
    delays_s = []
    for span in truth:
        for alarm in free:
            if whole:
                fits = abs(alarm.opened_s - span.begin_s) <= slack_s and abs(alarm.closed_s - span.end_s) <= slack_s
            else:
                fits = span.begin_s - slack_s <= alarm.opened_s <= span.end_s + tolerance_s
            if fits:
                free.remove(alarm)
                delays_s.append(alarm.opened_s - span.begin_s)
                break
    mistimed = sum(
        any(alarm.opened_s <= span.end_s and alarm.closed_s >= span.begin_s for span in truth) for alarm in free
    )
    found = len(delays_s)
    return Verdict(found, len(truth) - found, found, len(free), mistimed, tuple(delays_s))


def judge_turns(alarms: Sequence[Alarm], truth: Sequence[Turn], *, tolerance_s: float) -> Verdict:
    """Events that things were left or removed against when they were.

    An event belongs to the latest turn of its kind before it, for TURN_WAIT_S at most. Where several things go at once
    (two bottles in one grip), one event is enough to find that, and as many as there are things are true.
    """
    free = sorted(alarms, key=lambda each: each.opened_s)
    true = mistimed = 0
    delays_s = []
    for number, turn in enumerate(truth):
        following = [each.at_s for each in truth[number + 1 :] if each.kind == turn.kind]
        until_s = min([turn.at_s + TURN_WAIT_S, *(at_s - tolerance_s for at_s in following)])
        near = [each for each in free if each.kind == turn.kind and turn.at_s - tolerance_s <= each.opened_s < until_s]
        if near:
            delays_s.append(near[0].opened_s - turn.at_s)
        true += min(len(near), turn.number)
        mistimed += max(len(near) - turn.number, 0)
        free = [each for each in free if each not in near]
    found = len(delays_s)
    return Verdict(found, len(truth) - found, true, mistimed + len(free), mistimed, tuple(delays_s))
