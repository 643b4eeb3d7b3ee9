"""What rule modules may do to events of rules over tracks: as to any other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from camera_edge.event import Change, Closed, Opened
from camera_edge.observation import Observation
from camera_edge.rules import (
    STILL,
    Amendment,
    Line,
    LineCrossed,
    Loitering,
    ObjectLeft,
    Rule,
    RuleEngine,
    Standing,
    Verdict,
)
from tests.rules.scenes import ZONES, S, rule_of, steps, still, thing, walk

DOOR = rule_of(LineCrossed("door", Line((0.5, 0.9), (0.5, 0.3))))
LINGERS = rule_of(Loitering(2 * S), "gate")
BAG = rule_of(ObjectLeft(), hold_s=1, kinds=[STILL])


class Camera:
    """An engine at five frames a second; `say` decides on what stands in a frame."""

    def __init__(self, rule: Rule) -> None:
        self.engine = RuleEngine("front", [rule], ZONES)
        self.frame = -1
        self.standing: list[Standing] = []

    def show(self, seen: Sequence[Observation], verdict: Verdict | None = None) -> list[Change]:
        self.frame += 1
        now_us = self.frame * S // 5
        self.standing = self.engine.propose(seen, frame=self.frame, now_us=now_us)
        asked = verdict if verdict is not None and self.standing else Verdict()
        return self.engine.settle(asked, frame=self.frame, now_us=now_us)


VETO = Verdict(vetoed=frozenset({0}))


def test_a_crossing_that_is_vetoed_never_opens() -> None:
    camera = Camera(DOOR)
    changes = [change for seen in walk(steps(0.3, 0.7, 21)) for change in camera.show(seen, VETO)]
    assert changes == []


def test_the_next_crossing_of_the_same_thing_is_asked_about_again() -> None:
    camera = Camera(DOOR)
    for seen in walk(steps(0.3, 0.7, 21)):
        camera.show(seen, VETO)
    back = [change for seen in walk(steps(0.7, 0.3, 21)) for change in camera.show(seen)]
    assert [(type(change), change.event.why) for change in back] == [
        (Opened, "track 1, person, crossed door right to left")
    ]


def test_a_crossing_may_be_relabelled_as_it_opens() -> None:
    camera = Camera(DOOR)
    label = Verdict(amended={0: Amendment("delivery", 0.25)})
    [opened] = [change for seen in walk(steps(0.3, 0.7, 21)) for change in camera.show(seen, label)]
    assert (opened.event.kind, opened.event.score) == ("delivery", 0.25)
    [closed] = camera.engine.close_all(10 * S)
    assert (closed.event.kind, closed.event.id) == ("delivery", opened.event.id)


def test_a_crossing_stands_before_rule_modules_until_it_closes() -> None:
    camera = Camera(DOOR)
    for seen in walk([*steps(0.3, 0.7, 21), *[0.7] * 5]):
        camera.show(seen)
    [standing] = camera.standing
    assert (standing.event.kind, standing.change) == ("line_crossed", None)


@pytest.mark.parametrize(
    ("rule", "seen"), [(LINGERS, thing(0.6, 0.6)), (BAG, still(0.6, 0.6))], ids=["loitering", "object_left"]
)
def test_what_was_vetoed_for_long_opens_when_it_is_let_and_not_back_in_time(rule: Rule, seen: Observation) -> None:
    """Or it would ask for pictures that are long gone."""
    camera = Camera(rule)
    for _ in range(100):
        assert camera.show([seen], VETO) == []
    [opened] = camera.show([seen])
    assert isinstance(opened, Opened) and opened.event.opened_us == 100 * S // 5


def test_a_veto_of_an_open_event_closes_it_and_the_next_waits_for_the_quiet_time() -> None:
    camera = Camera(LINGERS)
    seen = [thing(0.6, 0.6)]
    opened = [change for _ in range(20) for change in camera.show(seen)]
    [closed] = camera.show(seen, VETO)
    assert isinstance(closed, Closed) and closed.event.id == opened[0].event.id
    assert [change for _ in range(14) for change in camera.show(seen)] == []
    [again] = camera.show(seen)
    assert isinstance(again, Opened) and again.event.id != opened[0].event.id
