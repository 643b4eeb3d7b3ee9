"""A rule module is told what was observed, and its words have their effect on events."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from camera_edge.errors import ModuleError, UsageError
from camera_edge.rules import Polygon
from camera_edge.sandbox import ModuleFile
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.plan import Supply
from camera_edge.workshop.daytime import DayTime
from camera_edge.workshop.golden import write_case
from camera_edge.workshop.lines import FaultLine, Line, ReplayLine, RulingLine
from camera_edge.workshop.rehearsal import Rehearsal
from camera_edge.workshop.trial import Wishes

Run = Callable[[ModuleFile, Rehearsal], list[Line]]
RuleModule = Callable[..., ModuleFile]
SILENT = '(func (export "observe") (param i32 i32) (result i32) (i32.const 0))'
VETO_ALL = """
(import "camera_edge" "veto" (func $veto (param i32) (result i32)))
(func (export "observe") (param $batch i32) (param i32) (result i32) (local $n i32)
  (block $done (loop $more
    (br_if $done (i32.ge_u (local.get $n) (i32.load offset=40 (local.get $batch))))
    (drop (call $veto (local.get $n)))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br $more)))
  (i32.const 0))
"""
RELABEL_FIRST = """
(import "camera_edge" "relabel" (func $relabel (param i32 i32 i32 f32) (result i32)))
(data (i32.const 64) "thing")
(func (export "observe") (param $batch i32) (param i32) (result i32)
  (if (i32.load offset=40 (local.get $batch))
    (then (drop (call $relabel (i32.const 0) (i32.const 64) (i32.const 5) (f32.const 0.25)))))
  (i32.const 0))
"""
# raises a thing while the first observation stands in the zone of bit 0; says the minute of the week
RAISE_IN_ZONE = """
(import "camera_edge" "raise" (func $raise (param i32) (result i32)))
(import "camera_edge" "metric" (func $metric (param i32 i32 f64) (result i32)))
(data (i32.const 64) "thing") (data (i32.const 80) "minute")
(data (i32.const 128) "\\40\\00\\00\\00" "\\05\\00\\00\\00" "\\00\\00\\00\\3f" "\\ff\\ff\\ff\\ff")
(data (i32.const 144) "\\00\\00\\80\\3e" "\\00\\00\\80\\3e" "\\00\\00\\80\\3e" "\\00\\00\\80\\3e")
(func (export "observe") (param $batch i32) (param i32) (result i32)
  (drop (call $metric (i32.const 80) (i32.const 6) (f64.convert_i32_s (i32.load offset=32 (local.get $batch)))))
  (if (i32.load offset=4 (local.get $batch))
    (then (if (i32.and (i32.load offset=40
          (i32.add (local.get $batch) (i32.load offset=36 (local.get $batch)))) (i32.const 1))
      (then (drop (call $raise (i32.const 128)))))))
  (i32.const 0))
"""
TRAP = '(func (export "observe") (param i32 i32) (result i32) (unreachable))'
LEFT = Polygon(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    """A person for two seconds at the left, then nothing for eight; a batch a second."""
    lines = [
        {
            "type": "observation",
            "source": "a.mp4",
            "frame": second,
            "t_s": float(second),
            "analyzer": "objects",
            "kind": "person",
            "score": 0.75,
            "box": [0.125, 0.25, 0.25, 0.5],
            "track": 4,
            "attributes": {"class": "person"},
        }
        if second < 2
        else {"type": "score", "source": "a.mp4", "frame": second, "t_s": float(second), "analyzer": "m", "value": 0.0}
        for second in range(10)
    ]
    path = tmp_path / "seen.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def rulings(lines: list[Line]) -> list[RulingLine]:
    return [line for line in lines if isinstance(line, RulingLine)]


def phases(lines: list[Line]) -> list[tuple[str, str, str, float]]:
    return [(event.phase, event.rule, event.kind, event.score) for line in rulings(lines) for event in line.events]


def test_each_frame_has_a_line_also_those_in_which_nothing_was_seen(
    run: Run, rule_module: RuleModule, seen: Path
) -> None:
    lines = run(rule_module("silent", SILENT), Rehearsal(str(seen)))
    assert lines[0] == ReplayLine("silent", "seen.jsonl")
    assert [line.frame for line in rulings(lines)] == list(range(10))
    assert phases(lines) == [("opened", "any", "person", 0.75), ("closed", "any", "person", 0.75)]


def test_an_event_that_is_vetoed_never_opens(run: Run, rule_module: RuleModule, seen: Path) -> None:
    lines = run(rule_module("strict", VETO_ALL), Rehearsal(str(seen)))
    assert rulings(lines)[0].vetoed == (0,)
    assert phases(lines) == []


def test_a_relabelled_event_has_the_other_kind_and_score(run: Run, rule_module: RuleModule, seen: Path) -> None:
    lines = run(rule_module("namer", RELABEL_FIRST), Rehearsal(str(seen)))
    given = rulings(lines)[0].relabelled[0]
    assert (given.event, given.kind, given.score) == (0, "thing", 0.25)
    assert phases(lines)[0] == ("opened", "any", "thing", 0.25)


def test_what_it_raises_opens_an_event_of_its_own_which_closes_when_it_is_quiet(
    run: Run, rule_module: RuleModule, seen: Path
) -> None:
    module = rule_module("alarm", RAISE_IN_ZONE, more="[params]\nquiet_s = 2\n")
    lines = run(module, Rehearsal(str(seen), Wishes(zones={"left": LEFT})))
    own = [each for each in phases(lines) if each[1] == "alarm"]
    assert own == [("opened", "alarm", "thing", 0.5), ("closed", "alarm", "thing", 0.5)]
    closed = [line.t_s for line in rulings(lines) for event in line.events if event.phase == "closed"]
    assert closed == [3.0, 4.0]


def test_without_its_zone_it_raises_nothing(run: Run, rule_module: RuleModule, seen: Path) -> None:
    lines = run(rule_module("alarm", RAISE_IN_ZONE), Rehearsal(str(seen)))
    assert not any(line.raised for line in rulings(lines))


@pytest.mark.parametrize(
    ("start", "minute"), [(None, -1.0), ("2026-01-05T08:00", 480.0), ("2026-01-11T23:59:59", 10079.0)]
)
def test_it_is_told_the_minute_of_the_week(
    run: Run, rule_module: RuleModule, seen: Path, start: str | None, minute: float
) -> None:
    rehearsal = Rehearsal(str(seen), day_time=DayTime.read(start, None))
    told = rulings(run(rule_module("alarm", RAISE_IN_ZONE), rehearsal))[0].metrics[0]
    assert (told.name, told.value) == ("minute", minute)


def test_one_that_fails_decides_nothing_and_each_frame_says_why(run: Run, rule_module: RuleModule, seen: Path) -> None:
    lines = run(rule_module("broken", TRAP), Rehearsal(str(seen), frames=2))[1:]
    reason = "observe trapped: unreachable"
    assert lines == [FaultLine(0, 0.0, f"frame 0: {reason}"), FaultLine(1, 1.0, f"frame 1: {reason}")]


def test_it_has_no_frames_to_copy(run: Run, rule_module: RuleModule, seen: Path) -> None:
    with pytest.raises(UsageError, match="no frames to copy"):
        run(rule_module("silent", SILENT), Rehearsal(str(seen), copy=True))


@pytest.mark.parametrize("setting", ["rate = 5", 'source = "synthetic:?pace=0&seconds=1"'])
def test_a_golden_test_of_it_has_no_setting_that_it_would_not_notice(
    rule_module: RuleModule, sandboxing: Sandboxing, supply: Supply, seen: Path, setting: str
) -> None:
    case = seen.parent / "rules" / "golden" / "a.toml"
    module = rule_module("silent", SILENT)
    case.parent.mkdir()
    (case.parent / "seen.jsonl").write_bytes(seen.read_bytes())
    case.write_text('observations = "seen.jsonl"\n')
    assert write_case(case, module, sandboxing, supply.models).lines == 11
    case.write_text(f'observations = "seen.jsonl"\n{setting}\n')
    with pytest.raises(ModuleError, match="nothing else") as caught:
        write_case(case, module, sandboxing, supply.models)
    assert caught.value.hint == f"leave out {setting.partition(' ')[0]}"
