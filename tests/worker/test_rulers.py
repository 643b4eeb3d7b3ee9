"""Rule modules in a camera's pipeline: what they are told, and what becomes of events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from camera_edge.errors import ConfigError
from camera_edge.event import Event
from camera_edge.observation import Box, Observation
from camera_edge.sandbox import Relabel, Ruling
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.plan import CameraPlan
from camera_edge.worker.recordings import EventEnded, RecordingRun, Summary
from camera_edge.worker.rulers import verdict_of

Plan = Callable[..., CameraPlan]
Module = Callable[..., Path]

RULE = '"observations"'
IMPORTS = """
(import "camera_edge" "raise" (func $raise (param i32) (result i32)))
(import "camera_edge" "veto" (func $veto (param i32) (result i32)))
(import "camera_edge" "relabel" (func $relabel (param i32 i32 i32 f32) (result i32)))
(memory (export "memory") 2)
(data (i32.const 64) "alarm")
(data (i32.const 128) "\\40\\00\\00\\00" "\\05\\00\\00\\00" "\\00\\00\\40\\3f" "\\ff\\ff\\ff\\ff")
(data (i32.const 152) "\\00\\00\\80\\3f" "\\00\\00\\80\\3f")
"""


def observes(body: str) -> str:
    """A rule module; in `body` $b is the batch, $seen and $events are its counts."""
    return f"""{IMPORTS}
    (func (export "observe") (param $b i32) (param $bytes i32) (result i32) (local $seen i32) (local $events i32)
      (local.set $seen (i32.load offset=4 (local.get $b)))
      (local.set $events (i32.load offset=40 (local.get $b)))
      {body}
      (i32.const 0))"""


RAISES = observes("(if (local.get $seen) (then (drop (call $raise (i32.const 128)))))")
VETOES = observes("(if (local.get $events) (then (drop (call $veto (i32.const 0)))))")
RELABELS = observes(
    "(if (local.get $events) (then (drop (call $relabel (i32.const 0) (i32.const 64) (i32.const 5) (f32.const 0.25)))))"
)
# only where the thing stands in the first zone
RAISES_IN_ZONE = observes("""
    (if (i32.and (i32.load offset=104 (local.get $b)) (i32.const 1))
      (then (drop (call $raise (i32.const 128)))))""")


@pytest.fixture
def events(
    walk: Path, plan: Plan, module: Module, eager: Path, sandboxing: Sandboxing
) -> Callable[..., tuple[list[Event], Summary]]:
    """The events of a recording in which `eager` sees a thing in every frame, with this rule module beside it."""

    def run(body: str, **settings: object) -> tuple[list[Event], Summary]:
        judge = module("judge", body, asks=RULE, kinds='"alarm"')
        news = list(RecordingRun(str(walk), plan(eager, judge, **settings), sandboxing, None).run())
        assert isinstance(news[-1], Summary)
        return [each.event for each in news if isinstance(each, EventEnded)], news[-1]

    return run


Events = Callable[..., tuple[list[Event], Summary]]


def test_a_rule_module_raises_events_of_its_own_without_a_rule_in_the_configuration(events: Events) -> None:
    found, summary = events(RAISES, rules={"things": {"kinds": ["thing"]}})
    assert [(each.rule, each.kind, each.analyzer, each.score) for each in found] == [
        ("things", "thing", "eager", 0.5),
        ("judge", "alarm", "judge", 0.75),
    ]
    assert (summary.events, summary.traps) == (2, 0)


def test_a_vetoed_event_is_none(events: Events) -> None:
    assert events(VETOES)[0] == []


def test_a_relabelled_event_has_the_other_kind_and_score(events: Events) -> None:
    (event,) = events(RELABELS)[0]
    assert (event.rule, event.kind, event.analyzer) == ("any", "alarm", "eager")
    assert event.score == 0.25


def test_a_rule_module_that_traps_vetoes_nothing_and_is_counted(events: Events) -> None:
    found, summary = events(observes("unreachable"))
    assert [each.kind for each in found] == ["thing"]
    assert summary.traps > 0 and "was quarantined" in summary.broken["judge"]


@pytest.mark.parametrize(("zone", "raised"), [((0.2, 0.8), True), ((0.8, 1.0), False)])
def test_zones_reach_the_module_as_bits(events: Events, zone: tuple[float, float], raised: bool) -> None:
    left, right = zone
    gate = [[left, 0.0], [right, 0.0], [right, 1.0], [left, 1.0]]
    found, _ = events(RAISES_IN_ZONE, zones={"gate": gate})
    assert ("alarm" in [each.kind for each in found]) is raised


def test_a_rule_module_alone_would_see_nothing_and_is_refused(plan: Plan, module: Module) -> None:
    with pytest.raises(ConfigError, match="judge would see nothing"):
        plan(module("judge", RAISES, asks=RULE, kinds='"alarm"'))


def test_a_rule_of_the_configuration_cannot_name_a_rule_module(plan: Plan, module: Module, eager: Path) -> None:
    judge = module("judge", RAISES, asks=RULE, kinds='"alarm"')
    settings = {"analyzers": {"judge": {}, "eager": {}}, "rules": {"mine": {"analyzers": ["judge"]}}}
    with pytest.raises(ConfigError, match="rule mine names the rule module judge"):
        plan(eager, judge, **settings)


def test_of_several_rulings_one_veto_is_enough_and_the_last_label_holds() -> None:
    thing = Observation("judge", "alarm", 1.0, Box(0, 0, 1, 1))
    verdict = verdict_of(
        [
            Ruling(raised=(thing,), vetoed=frozenset({1}), relabelled=(Relabel(0, "a", None),)),
            Ruling(vetoed=frozenset({2}), relabelled=(Relabel(0, "b", 0.5),)),
        ]
    )
    assert verdict.vetoed == {1, 2}
    assert (verdict.amended[0].kind, verdict.amended[0].score) == ("b", 0.5)
    assert list(verdict.raised) == [thing]
