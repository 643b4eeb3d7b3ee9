"""Modules that are broken or hostile: the run survives, says so, and what other analyzers see does not change."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Analyze = Callable[..., Any]
Make = Callable[..., Path]
Module = Callable[..., Path]

EMIT = '(import "camera_edge" "emit" (func $emit (param i32) (result i32))) (memory (export "memory") 2)'
THING = '(data (i32.const 64) "thing")'
FAILS = {
    "traps": '(func (export "analyze") (param i32) (result i32) (unreachable))',
    "spins": '(func (export "analyze") (param i32) (result i32) (loop $on (br $on)) (i32.const 0))',
    "says so": '(func (export "analyze") (param i32) (result i32) (i32.const -3))',
    "exits": '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'
    '(func (export "analyze") (param i32) (result i32) (call $exit (i32.const 0)) (i32.const 0))',
    "reads beyond its memory": '(func (export "analyze") (param i32) (result i32) (i32.load (i32.const 0x7ffffff0)))',
    "grows, and touches what it did not get": """(memory (export "memory") 2)
        (func (export "analyze") (param i32) (result i32)
          (loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 16)) (i32.const 0))))
          (i32.load (i32.shl (memory.size) (i32.const 16))))""",
    "score of NaN": '(import "camera_edge" "score" (func $score (param f64) (result i32)))'
    '(func (export "analyze") (param i32) (result i32) (call $score (f64.const nan)) (drop) (i32.const 0))',
    "box beyond the picture": f"""{EMIT} {THING}
        (func (export "analyze") (param i32) (result i32)
          (i32.store (i32.const 128) (i32.const 64)) (i32.store (i32.const 132) (i32.const 5))
          (f32.store (i32.const 136) (f32.const 0.5)) (f32.store (i32.const 144) (f32.const 0.9))
          (f32.store (i32.const 152) (f32.const 0.5)) (f32.store (i32.const 156) (f32.const 0.1))
          (drop (call $emit (i32.const 128))) (i32.const 0))""",
    "box of NaN": f"""{EMIT} {THING}
        (func (export "analyze") (param i32) (result i32)
          (i32.store (i32.const 128) (i32.const 64)) (i32.store (i32.const 132) (i32.const 5))
          (f32.store (i32.const 144) (f32.const nan)) (drop (call $emit (i32.const 128))) (i32.const 0))""",
    "a pointer beyond its memory": f"""{EMIT}
        (func (export "analyze") (param i32) (result i32) (drop (call $emit (i32.const -8))) (i32.const 0))""",
    "a million observations": f"""{EMIT} {THING}
        (func (export "analyze") (param i32) (result i32) (local $n i32)
          (i32.store (i32.const 128) (i32.const 64)) (i32.store (i32.const 132) (i32.const 5))
          (loop $more
            (drop (call $emit (i32.const 128)))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $n) (i32.const 1000000))))
          (i32.const 0))""",
}
# little, so that what spins is stopped soon
LITTLE = "[limits]\nfuel_per_frame = 3000000\nmemory_bytes = 4194304\n"
TRAPS_ONCE = """
(func (export "analyze") (param $slot i32) (result i32)
  (if (i64.eq (i64.load (i32.add (local.get $slot) (i32.const 8))) (i64.const 25)) (then (unreachable)))
  (i32.const 0))
"""
TRAPS_AT_FIRST = """
(func (export "analyze") (param $slot i32) (result i32)
  (if (i64.lt_u (i64.load (i32.add (local.get $slot) (i32.const 8))) (i64.const 5)) (then (unreachable)))
  (i32.const 0))
"""
TEN = f"""{EMIT} {THING}
(func (export "analyze") (param i32) (result i32) (local $n i32)
  (i32.store (i32.const 128) (i32.const 64)) (i32.store (i32.const 132) (i32.const 5))
  (loop $more
    (drop (call $emit (i32.const 128)))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $more (i32.lt_u (local.get $n) (i32.const 10))))
  (i32.const 0))
"""


def check_refused(run: Any, *words: str) -> None:
    assert (run.code, run.lines) == (70, ())
    assert run.said.count("error:") == run.said.count("next:") == 1, run.said
    for word in words:
        assert word in run.said


def told_by_motion(run: Any) -> list[dict[str, Any]]:
    """Without ids: an event's number counts those of all analyzers."""
    lines = [line for line in run.lines if line.get("analyzer") == "motion"]
    return [{key: value for key, value in line.items() if key != "id"} for line in lines]


@pytest.mark.parametrize("fault", FAILS)
def test_an_analyzer_that_always_fails_is_quarantined_and_changes_nothing_else(
    analyze: Analyze, walk: Path, module: Module, fault: str
) -> None:
    alone = analyze(walk, "--observations", "--scores")
    bad = module("bad", FAILS[fault], more=LITTLE)
    run = analyze(walk, "--analyzer", bad, "--analyzer", "motion", "--observations", "--scores")
    assert run.code == 70
    assert run.said.count("error:") == 1
    assert "bad was quarantined" in run.said
    assert run.summary["traps"] == 5
    assert (run.summary["frames"], run.summary["analysed"]) == (275, 56)
    assert told_by_motion(run) == told_by_motion(alone)
    assert not [line for line in run.lines if line.get("analyzer") == "bad"]


def test_one_fault_is_counted_and_survived(analyze: Analyze, walk: Path, module: Module) -> None:
    run = analyze(walk, "--analyzer", module("frail", TRAPS_ONCE))
    assert run.code == 0
    assert run.summary["traps"] == 1
    assert "no answer" in run.said


def test_a_quarantine_that_is_over_by_the_end_is_told_all_the_same(
    analyze: Analyze, recording: Make, module: Module
) -> None:
    path = recording("small.mp4", size=(64, 48), seconds=14.0)
    run = analyze(path, "--analyzer", module("late", TRAPS_AT_FIRST), "--rate", "native")
    assert run.code == 70
    assert run.summary["traps"] == 5
    assert "late was quarantined: 5 faults" in run.said


def test_an_analyzer_that_never_answered_is_told_though_it_was_too_short_for_quarantine(
    analyze: Analyze, recording: Make, module: Module
) -> None:
    path = recording("short.mp4", seconds=0.2)
    run = analyze(path, "--analyzer", module("bad", FAILS["traps"]))
    assert run.code == 70
    assert run.summary["traps"] == 2
    assert "bad never gave an answer" in run.said


def test_more_observations_than_its_limit_are_cut_and_told(analyze: Analyze, recording: Make, module: Module) -> None:
    path = recording("short.mp4", seconds=0.4)
    talker = module("talker", TEN, more="[limits]\nobservations = 4\n")
    run = analyze(path, "--analyzer", talker, "--observations")
    assert run.code == 0
    assert [line["frame"] for line in run.of("observation")] == [0] * 4 + [5] * 4 + [9] * 4
    assert "talker gave more than it may; 18 outputs" in run.said


def test_a_guest_that_grows_up_to_its_limit_goes_on(analyze: Analyze, walk: Path, module: Module) -> None:
    greedy = module(
        "greedy",
        """(import "camera_edge" "score" (func $score (param f64) (result i32))) (memory (export "memory") 2)
        (func (export "analyze") (param i32) (result i32)
          (call $score (f64.convert_i32_s (memory.grow (i32.const 30000)))))""",
    )
    run = analyze(walk, "--analyzer", greedy, "--scores")
    assert run.code == 0
    assert {line["value"] for line in run.of("score")} == {-1.0}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('(func (export "camera_edge_abi") (result i32) (i32.const 2))', ["ABI 2"]),
        ('(import "env" "time" (func))', ["env.time"]),
        ('(import "camera_edge" "teleport" (func))', ["camera_edge.teleport", "ABI 1"]),
        (
            '(import "camera_edge" "state_get" (func (param i32 i32 i32) (result i32)))',
            ["camera_edge.state_get", "state:"],
        ),
        ('(import "wasi_ephemeral_nn" "load" (func (param i32 i32 i32 i32 i32) (result i32)))', ["wasi_ephemeral_nn"]),
        ('(func (export "open") (result i32) (i32.const -2))', ["open returned -2"]),
        ("(func $start (unreachable)) (start $start)", ["start"]),
        ('(memory (export "memory") 2000)', ["memory"]),
    ],
)
def test_a_module_that_cannot_start_is_refused_once(
    analyze: Analyze, walk: Path, module: Module, body: str, words: list[str]
) -> None:
    analyzer = '(func (export "analyze") (param i32) (result i32) (i32.const 0))'
    path = module("odd", f"{body} {analyzer}")
    check_refused(analyze(walk, walk, "--analyzer", path), "odd", *words)


def test_a_file_that_is_no_module_is_refused(analyze: Analyze, walk: Path, module: Module, tmp_path: Path) -> None:
    path = module("odd", FAILS["traps"])
    path.write_bytes(b"this is text")
    check_refused(analyze(walk, "--analyzer", path), str(path), "not a WebAssembly module")
    path.write_bytes(b"\0asm\1\0\0\0 and then text")
    check_refused(analyze(walk, "--analyzer", path), "odd", "cannot be compiled")
    check_refused(analyze(walk, "--analyzer", tmp_path / "absent.wasm"), "absent.wasm")


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (None, ["analyzer.toml"]),
        ("name = [", ["bad manifest"]),
        ('name = "odd"\nversion = "1"\nabi = 2\nkinds = []\ncapabilities = ["pixels"]\n', ["ABI 2", "ABI 1"]),
        ('name = "odd"\nversion = "1"\nabi = 1\nkinds = []\ncapabilities = ["pixels"]\nspeed = 3\n', ["speed"]),
    ],
)
def test_a_manifest_that_is_missing_or_wrong_is_refused(
    analyze: Analyze, walk: Path, module: Module, manifest: str | None, words: list[str]
) -> None:
    path = module("odd", FAILS["traps"])
    beside = path.with_name("analyzer.toml")
    beside.unlink() if manifest is None else beside.write_text(manifest)
    check_refused(analyze(walk, "--analyzer", path), str(beside), *words)


def test_no_module_takes_the_place_of_what_hides(analyze: Analyze, walk: Path, module: Module) -> None:
    """A module called `motion` that hides nothing would uncover everything."""
    path = module("motion", '(func (export "analyze") (param i32) (result i32) (i32.const 0))')
    run = analyze(walk, "--analyzer", path)
    assert (run.code, run.lines) == (64, ())
    assert "motion" in run.said and "next:" in run.said


def test_a_named_module_is_granted_what_it_asks_for_and_reads_its_state(
    analyze: Analyze, walk: Path, module: Module, tmp_path: Path
) -> None:
    state = tmp_path / "state.bin"
    state.write_bytes(bytes([42, 7]))
    path = module(
        "reader",
        """(import "camera_edge" "state_get" (func $get (param i32 i32 i32) (result i32)))
        (import "camera_edge" "param_number" (func $number (param i32 i32 f64) (result f64)))
        (import "camera_edge" "score" (func $score (param f64) (result i32)))
        (memory (export "memory") 2) (data (i32.const 64) "weight")
        (func (export "analyze") (param i32) (result i32)
          (drop (call $get (i32.const 0) (i32.const 32) (i32.const 2)))
          (call $score (f64.add
            (call $number (i32.const 64) (i32.const 6) (f64.const 0))
            (f64.convert_i32_u (i32.load8_u (i32.const 32))))))""",
    )
    manifest = path.with_name("analyzer.toml")
    manifest.write_text(manifest.read_text().replace('["pixels"]', '["pixels", "state:16"]'))
    run = analyze(walk, "--analyzer", f"{path}:weight=0.5,state={state}", "--scores")
    assert run.code == 0
    assert {line["value"] for line in run.of("score")} == {42.5}
    assert {line["value"] for line in analyze(walk, "--analyzer", path, "--scores").of("score")} == {0.0}
