"""What rule modules may do to events: the engine between `propose` and `settle`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from camera_edge.event import Change, Closed, Opened, Updated
from camera_edge.observation import Box, Observation
from camera_edge.rules import Amendment, Rule, RuleEngine, Verdict

S = 1_000_000
RAISES = Rule("gatekeeper", analyzers=frozenset({"gatekeeper"}), quiet_us=2 * S, raised=True)
PERSON = Observation("objects", "person", 0.8, Box(0.1, 0.1, 0.1, 0.1))
ALARM = Observation("gatekeeper", "alone", 0.5, Box(0.0, 0.0, 1.0, 1.0))


@pytest.fixture
def engine() -> RuleEngine:
    return RuleEngine("front", [Rule("people", kinds=frozenset({"person"}), quiet_us=2 * S), RAISES], {})


def frame(engine: RuleEngine, at_s: float, *seen: Observation, verdict: Verdict | None = None) -> list[Change]:
    number, now_us = round(at_s * 10), round(at_s * S)
    engine.propose(seen, frame=number, now_us=now_us)
    return engine.settle(verdict or Verdict(), frame=number, now_us=now_us)


def test_what_opens_is_proposed_without_an_id(engine: RuleEngine) -> None:
    [standing] = engine.propose([PERSON], frame=0, now_us=0)
    assert isinstance(standing.change, Opened) and standing.event.id == ""
    [opened] = engine.settle(Verdict(), frame=0, now_us=0)
    assert isinstance(opened, Opened) and opened.event.id
    [standing] = engine.propose([PERSON], frame=1, now_us=S)
    assert standing.change is None and standing.event.id == opened.event.id


def test_a_vetoed_event_does_not_open_and_is_proposed_again(engine: RuleEngine) -> None:
    veto = Verdict(vetoed=frozenset({0}))
    assert frame(engine, 0, PERSON, verdict=veto) == []
    assert frame(engine, 1, PERSON, verdict=veto) == []
    [opened] = frame(engine, 1.5, PERSON)
    assert isinstance(opened, Opened) and opened.event.opened_us == 1.5 * S


def test_a_veto_uses_up_no_number_so_the_ids_of_later_events_are_the_same(engine: RuleEngine) -> None:
    frame(engine, 0, PERSON, verdict=Verdict(vetoed=frozenset({0})))
    [late] = frame(engine, 1, PERSON)
    [straight] = frame(RuleEngine("front", [Rule("people")], {}), 1, PERSON)
    assert late.event.id == straight.event.id


def test_a_veto_of_an_open_event_closes_it(engine: RuleEngine) -> None:
    [opened] = frame(engine, 0, PERSON)
    [closed] = frame(engine, 1, PERSON, verdict=Verdict(vetoed=frozenset({0})))
    assert isinstance(closed, Closed)
    assert (closed.event.id, closed.event.closed_us) == (opened.event.id, S)
    assert engine.going_on == []


def test_after_a_veto_of_an_open_event_the_next_waits_for_the_quiet_time(engine: RuleEngine) -> None:
    frame(engine, 0, PERSON)
    frame(engine, 1, PERSON, verdict=Verdict(vetoed=frozenset({0})))
    assert frame(engine, 1.5, PERSON) == []
    assert frame(engine, 2.9) == []
    [opened] = frame(engine, 3, PERSON)
    assert isinstance(opened, Opened) and opened.event.opened_us == 3 * S


def test_a_veto_starts_the_hold_time_anew() -> None:
    engine = RuleEngine("front", [Rule("people", hold_us=S, quiet_us=5 * S)], {})
    assert frame(engine, 0, PERSON) == []
    assert frame(engine, 1, PERSON, verdict=Verdict(vetoed=frozenset({0}))) == []
    assert frame(engine, 2, PERSON) == []
    [opened] = frame(engine, 3, PERSON)
    assert opened.event.opened_us == 2 * S


def test_an_event_that_opens_relabelled_has_its_kind_from_the_start(engine: RuleEngine) -> None:
    [opened] = frame(engine, 0, PERSON, verdict=Verdict(amended={0: Amendment("guard", 0.2)}))
    assert (opened.event.kind, opened.event.score) == ("guard", 0.2)
    [standing] = engine.propose([PERSON], frame=1, now_us=S)
    assert standing.event.kind == "guard"
    engine.settle(Verdict(), frame=1, now_us=S)
    [closed] = frame(engine, 9)
    assert isinstance(closed, Closed) and closed.event.kind == "guard"


def test_a_relabelled_open_event_is_news_with_its_score_kept(engine: RuleEngine) -> None:
    frame(engine, 0, PERSON)
    [updated] = frame(engine, 1, PERSON, verdict=Verdict(amended={0: Amendment("guard", None)}))
    assert isinstance(updated, Updated)
    assert (updated.event.kind, updated.event.score) == ("guard", 0.8)
    assert frame(engine, 2, PERSON) == []


def test_a_score_that_was_given_stays_and_is_news_once(engine: RuleEngine) -> None:
    label = Verdict(amended={0: Amendment("guard", 0.2)})
    frame(engine, 0, PERSON)
    [updated] = frame(engine, 1, PERSON, verdict=label)
    assert updated.event.score == 0.2
    assert frame(engine, 2, PERSON, verdict=label) == []
    assert frame(engine, 3, PERSON) == []
    [closed] = engine.close_all(3 * S)
    assert closed.event.score == 0.2


def test_an_event_that_closes_may_be_relabelled_and_not_vetoed(engine: RuleEngine) -> None:
    frame(engine, 0, PERSON)
    [closed] = frame(engine, 5, verdict=Verdict(vetoed=frozenset({0}), amended={0: Amendment("guard", None)}))
    assert isinstance(closed, Closed) and closed.event.kind == "guard"


def test_what_is_raised_opens_an_event_until_it_has_not_been_raised_for_its_quiet_time(engine: RuleEngine) -> None:
    [opened] = frame(engine, 0, verdict=Verdict(raised=[ALARM]))
    assert isinstance(opened, Opened)
    assert (opened.event.rule, opened.event.kind, opened.event.analyzer) == ("gatekeeper", "alone", "gatekeeper")
    assert frame(engine, 1) == []
    [closed] = frame(engine, 2)
    assert isinstance(closed, Closed) and closed.event.closed_us == 0


def test_a_module_says_why_it_raised_an_event(engine: RuleEngine) -> None:
    told = replace(ALARM, attributes={"why": "nobody holds her hand"})
    [opened] = frame(engine, 0, verdict=Verdict(raised=[told]))
    assert (opened.event.why, opened.event.box) == ("nobody holds her hand", ALARM.box)


def test_a_raised_event_stands_before_rule_modules_from_the_next_frame_on(engine: RuleEngine) -> None:
    frame(engine, 0, PERSON, verdict=Verdict(raised=[ALARM]))
    kinds = [standing.event.kind for standing in engine.propose([PERSON], frame=1, now_us=S)]
    assert kinds == ["person", "alone"]
    [closed] = engine.settle(Verdict(vetoed=frozenset({1})), frame=1, now_us=S)
    assert isinstance(closed, Closed) and closed.event.kind == "alone"


def test_what_analyzers_say_does_not_match_what_only_a_rule_module_raises(engine: RuleEngine) -> None:
    assert frame(engine, 0, ALARM) == []


def test_the_end_of_the_source_closes_raised_events_too(engine: RuleEngine) -> None:
    frame(engine, 0, PERSON, verdict=Verdict(raised=[ALARM]))
    assert [change.event.kind for change in engine.close_all(S)] == ["person", "alone"]
