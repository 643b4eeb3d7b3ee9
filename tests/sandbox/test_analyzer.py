from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from camera_edge.errors import ModuleError
from camera_edge.frames import Ring
from camera_edge.sandbox import Analyzer, Answer, Grants, Policy, Reason
from camera_edge.sandbox.manifest import Limits

Start = Callable[..., Analyzer]
Look = Callable[..., Answer | None]

EMIT = '(import "camera_edge" "emit" (func $emit (param i32) (result i32)))'
SCORE = '(import "camera_edge" "score" (func $score (param f64) (result i32)))'
LOG = '(import "camera_edge" "log" (func $log (param i32 i32 i32) (result i32)))'
# traps on frames whose first pixel is 255
FRAGILE = """
  (global $frames (mut i32) (i32.const 0))
  (func (export "analyze") (param $s i32) (result i32)
    (if (i32.eq (i32.load8_u offset=64 (local.get $s)) (i32.const 255)) (then unreachable))
    (global.set $frames (i32.add (global.get $frames) (i32.const 1)))
    (drop (call $score (f64.convert_i32_u (global.get $frames)))) (i32.const 0))
"""


def faults(analyzer: Analyzer) -> dict[Reason, int]:
    return {fault.reason: fault.count for fault in analyzer.counters.faults}


def test_a_trap_drops_the_instance_and_the_next_frame_gets_a_new_one(analyzer: Start, look: Look) -> None:
    guest = analyzer(SCORE + FRAGILE)
    seen = [look(guest, grey=grey) for grey in (1, 2, 255, 3, 4)]
    assert [answer and answer.scores[0].value for answer in seen] == [1, 2, None, 1, 2]
    assert faults(guest) == {Reason.TRAP: 1}
    counters = guest.counters
    assert (counters.calls, counters.answers, counters.restarts, counters.traps) == (5, 4, 1, 1)
    assert guest.last_fault == "guest: frame 2: analyze trapped: unreachable"


def test_a_guest_that_says_why_it_failed_is_quoted(analyzer: Start, look: Look) -> None:
    guest = analyzer(f"""{LOG} (memory (export "memory") 2) (data (i32.const 64) "another size")
      (func (export "analyze") (param i32) (result i32)
        (drop (call $log (i32.const 3) (i32.const 64) (i32.const 12))) (i32.const -1))""")
    assert look(guest) is None
    assert guest.last_fault == "guest: frame 0: analyze returned -1; it says: another size"


def test_a_guest_that_spins_runs_out_of_fuel(analyzer: Start, look: Look) -> None:
    spin = '(func (export "analyze") (param i32) (result i32) (loop $l (br $l)) (i32.const 0))'
    guest = analyzer(spin, limits=Limits(fuel_per_frame=100_000))
    assert look(guest) is None
    assert faults(guest) == {Reason.FUEL: 1}
    assert guest.counters.fuel == 100_000


def test_host_calls_cost_fuel_so_that_a_guest_cannot_spin_in_them(analyzer: Start, look: Look) -> None:
    spin = f"""{LOG} (func (export "analyze") (param i32) (result i32)
      (loop $l (drop (call $log (i32.const 1) (i32.const 0) (i32.const 0))) (br $l)) (i32.const 0))"""
    guest = analyzer(spin, limits=Limits(fuel_per_frame=1_000_000))
    assert look(guest) is None
    assert faults(guest) == {Reason.FUEL: 1}
    assert sum(call.count for call in guest.counters.host_calls) <= 100


def test_a_guest_that_grows_meets_its_limit_and_goes_on(analyzer: Start, look: Look, ring: Ring) -> None:
    grow = f"""{SCORE} (memory (export "memory") 1) (func (export "analyze") (param i32) (result i32)
      (block $full (loop $l (br_if $full (i32.eq (memory.grow (i32.const 1)) (i32.const -1))) (br $l)))
      (drop (call $score (f64.convert_i32_u (memory.size)))) (i32.const 0))"""
    guest = analyzer(grow, limits=Limits(memory_bytes=2 << 20))
    answer = look(guest)
    assert answer is not None
    assert answer.scores[0].value == ((2 << 20) + ring.size_bytes) / 65536


def test_a_guest_that_traps_at_its_memory_limit_is_counted_as_memory(analyzer: Start, look: Look) -> None:
    grow = """(memory (export "memory") 1) (func (export "analyze") (param i32) (result i32)
      (loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable)"""
    guest = analyzer(grow, limits=Limits(memory_bytes=1 << 20))
    assert look(guest) is None
    assert faults(guest) == {Reason.MEMORY: 1}


def test_an_access_outside_of_memory_is_counted_as_memory(analyzer: Start, look: Look) -> None:
    guest = analyzer('(func (export "analyze") (param i32) (result i32) (i32.load (i32.const -8)))')
    assert look(guest) is None
    assert faults(guest) == {Reason.MEMORY: 1}


def test_endless_recursion_is_a_trap(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        '(func $f (export "analyze") (param i32) (result i32) (i32.add (i32.const 1) (call $f (local.get 0))))'
    )
    assert look(guest) is None
    assert faults(guest) == {Reason.TRAP: 1}


def test_a_negative_return_gives_no_answer_and_keeps_the_instance(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        f"""{SCORE} (global $frames (mut i32) (i32.const 0))
        (func (export "analyze") (param i32) (result i32)
          (global.set $frames (i32.add (global.get $frames) (i32.const 1)))
          (drop (call $score (f64.convert_i32_u (global.get $frames))))
          (select (i32.const -3) (i32.const 0) (i32.eq (global.get $frames) (i32.const 2))))"""
    )
    assert [answer and answer.scores[0].value for answer in (look(guest) for _ in range(3))] == [1, None, 3]
    assert faults(guest) == {Reason.ERROR: 1}
    assert guest.counters.restarts == 0


def record(box: str, *, score: str = "0.5", kind: str = "0", kind_bytes: int = 5) -> str:
    """Emits one record with the kind at `kind`; box and score are f32 texts."""
    x, y, w, h = box.split()
    return f"""{EMIT} (data (i32.const 0) "thing")
      (func (export "analyze") (param i32) (result i32)
        (i32.store offset=100 (i32.const 0) (i32.const {kind}))
        (i32.store offset=104 (i32.const 0) (i32.const {kind_bytes}))
        (f32.store offset=108 (i32.const 0) (f32.const {score})) (i32.store offset=112 (i32.const 0) (i32.const 7))
        (f32.store offset=116 (i32.const 0) (f32.const {x})) (f32.store offset=120 (i32.const 0) (f32.const {y}))
        (f32.store offset=124 (i32.const 0) (f32.const {w})) (f32.store offset=128 (i32.const 0) (f32.const {h}))
        (drop (call $emit (i32.const 100))) (i32.const 0))"""


def test_an_observation_comes_out_as_it_was_emitted(analyzer: Start, look: Look) -> None:
    answer = look(analyzer(record("0.25 0.5 0.125 0.0625")))
    assert answer is not None and answer.complete
    (seen,) = answer.observations
    assert (seen.analyzer, seen.kind, seen.score, seen.track, seen.attributes) == ("guest", "thing", 0.5, 7, {})
    assert (seen.box.x, seen.box.y, seen.box.w, seen.box.h) == (0.25, 0.5, 0.125, 0.0625)


@pytest.mark.parametrize(
    "garbage",
    [
        record("nan 0 0.5 0.5"),
        record("0 inf 0.5 0.5"),
        record("0 0 0.5 -inf"),
        record("-0.01 0 0.5 0.5"),
        record("0.6 0 0.5 0.5"),
        record("0 0.6 0.5 0.5"),
        record("0 0 -0.5 0.5"),
        record("0 0 0.5 0.5", score="nan"),
        record("0 0 0.5 0.5", score="1.01"),
        record("0 0 0.5 0.5", kind_bytes=4),
        record("0 0 0.5 0.5", kind="-4"),
        record("0 0 0.5 0.5", kind_bytes=-1),
    ],
)
def test_garbage_costs_the_frame_its_answer(analyzer: Start, look: Look, garbage: str) -> None:
    guest = analyzer(garbage)
    assert look(guest) is None
    assert faults(guest) == {Reason.OUTPUT: 1}
    assert guest.last_fault is not None and "emit was refused" in guest.last_fault


def test_rounding_in_the_last_place_of_a_box_is_forgiven_and_cut(analyzer: Start, look: Look) -> None:
    answer = look(analyzer(record("0.7 0.3 0.3000001 0.7")))
    assert answer is not None
    (seen,) = answer.observations
    assert seen.box.x + seen.box.w <= 1 and seen.box.y + seen.box.h <= 1


def test_a_million_observations_are_cut_at_the_limit_and_counted(analyzer: Start, look: Look) -> None:
    million = record("0 0 1 1").replace(
        "(drop (call $emit (i32.const 100)))",
        """(loop $l (drop (call $emit (i32.const 100)))
             (i32.store offset=200 (i32.const 0) (i32.add (i32.load offset=200 (i32.const 0)) (i32.const 1)))
             (br_if $l (i32.lt_u (i32.load offset=200 (i32.const 0)) (i32.const {count}))))""",
    )
    guest = analyzer(million.format(count=1000), limits=Limits(observations=10))
    answer = look(guest)
    assert answer is not None
    assert (len(answer.observations), answer.refused, answer.complete) == (10, 990, False)
    assert guest.counters.refused == 990

    whole = analyzer(million.format(count=1_000_000), limits=Limits(observations=10, fuel_per_frame=5_000_000))
    assert look(whole) is None
    assert faults(whole) == {Reason.FUEL: 1}


def test_one_that_fails_again_and_again_is_quarantined_and_tried_again(analyzer: Start, look: Look) -> None:
    guest = analyzer(SCORE + FRAGILE, policy=Policy(faults=3, window_frames=10, rest_frames=4, longest_frames=100))
    reasons = []
    for grey in (255, 255, 255, 1, 1, 1, 1):
        assert look(guest, grey=grey) is None
        reasons.append(guest.quarantined)
    assert reasons == [None] * 2 + ["3 faults in 10 frames, the last: analyze trapped: unreachable"] * 5
    assert look(guest, grey=1) is not None
    assert guest.quarantined is None
    assert guest.counters.skipped == 4


def test_a_start_that_fails_later_is_a_fault_and_no_crash(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        """(import "camera_edge" "state_get" (func $get (param i32 i32 i32) (result i32)))
        (import "camera_edge" "state_put" (func $put (param i32 i32 i32) (result i32)))
        (func (export "open") (result i32)
          (i32.sub (i32.const 0) (call $get (i32.const 0) (i32.const 0) (i32.const 1))))
        (func (export "analyze") (param i32) (result i32)
          (drop (call $put (i32.const 0) (i32.const 0) (i32.const 1))) unreachable)""",
        asks=("pixels", "state:8"),
    )
    assert look(guest) is None
    assert look(guest) is None
    assert faults(guest) == {Reason.TRAP: 1, Reason.ERROR: 1}
    assert guest.last_fault == "guest: frame 1: open returned -1"


def test_sleep_lets_the_instance_go_and_a_frame_wakes_a_new_one(analyzer: Start, look: Look) -> None:
    guest = analyzer(SCORE + FRAGILE)
    assert [answer and answer.scores[0].value for answer in (look(guest), look(guest))] == [1, 2]
    guest.sleep()
    guest.sleep()
    answer = look(guest)
    assert answer is not None and answer.scores[0].value == 1
    assert guest.counters.traps == 0


def test_close_tells_the_guest_once(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        """(import "camera_edge" "state_put" (func $put (param i32 i32 i32) (result i32)))
        (import "camera_edge" "state_get" (func $get (param i32 i32 i32) (result i32)))
        (func (export "close")
          (drop (call $get (i32.const 0) (i32.const 0) (i32.const 1)))
          (i32.store8 (i32.const 0) (i32.add (i32.load8_u (i32.const 0)) (i32.const 1)))
          (drop (call $put (i32.const 0) (i32.const 0) (i32.const 1))))""",
        asks=("pixels", "state:4"),
        grants=Grants(state=b"\x05"),
    )
    assert look(guest) is not None
    guest.close()
    guest.close()
    assert guest.state == b"\x06"


def test_a_close_that_traps_is_counted(analyzer: Start) -> None:
    guest = analyzer('(func (export "close") unreachable)')
    guest.close()
    assert faults(guest) == {Reason.TRAP: 1}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('(func (export "camera_edge_abi") (result i32) (i32.const 2))', "speaks ABI 2"),
        ("(func $s unreachable) (start $s)", "start function trapped: unreachable"),
        ("(func $s (loop $l (br $l))) (start $s)", "start function trapped: out of fuel"),
        ('(func (export "_initialize") unreachable)', "_initialize trapped: unreachable"),
        ('(func (export "open") (result i32) (i32.const -4))', "open returned -4"),
        ('(memory (export "memory") 1025)', "memory"),
        ('(func (export "camera_edge_ring") (param i32) (result i32) (i32.const -1))', "no 327680 bytes"),
        ('(func (export "camera_edge_ring") (param i32) (result i32) (i32.const 100))', "not 327680 bytes on a page"),
        ('(func (export "camera_edge_ring") (param i32) (result i32) (i32.const 65536))', "not 327680 bytes on a page"),
        ('(memory (export "memory") 1 1)', "cannot grow"),
        ("(table 70000 funcref)", "table"),
    ],
)
def test_a_module_that_cannot_start_is_refused_with_the_reason(analyzer: Start, body: str, message: str) -> None:
    with pytest.raises(ModuleError, match=message) as caught:
        analyzer(body)
    assert caught.value.where == "analyzer guest" and caught.value.hint


def test_what_a_guest_says_when_it_refuses_to_start_is_the_hint(analyzer: Start) -> None:
    with pytest.raises(ModuleError, match="open returned -1") as caught:
        analyzer(
            f"""{LOG} (data (i32.const 8) "no model is named")
            (func (export "open") (result i32)
              (drop (call $log (i32.const 3) (i32.const 8) (i32.const 17))) (i32.const -1))"""
        )
    assert caught.value.hint == "it says: no model is named"


def test_a_host_call_from_a_start_function_is_refused_and_paid_for(analyzer: Start) -> None:
    with pytest.raises(ModuleError, match="out of fuel"):
        analyzer(
            f"""{LOG} (func $s (loop $l
              (br_if $l (i32.eq (i32.const -1) (call $log (i32.const 0) (i32.const 0) (i32.const 0)))))) (start $s)""",
            limits=Limits(fuel_per_frame=100_000),
        )


def test_hundreds_of_restarts_leave_no_mapping_behind(analyzer: Start, look: Look) -> None:
    def mappings() -> int:
        return Path("/proc/self/maps").read_text().count("memfd:camera-edge")

    guest = analyzer(SCORE + FRAGILE, policy=Policy(faults=10_000))
    before = mappings()
    for _ in range(300):
        look(guest, grey=255)
    assert guest.counters.restarts == 299
    assert mappings() <= before


def test_the_same_frames_give_the_same_answers(analyzer: Start, look: Look) -> None:
    body = f"""{SCORE} (global $sum (mut f64) (f64.const 0))
      (func (export "analyze") (param $s i32) (result i32)
        (global.set $sum (f64.add (f64.mul (global.get $sum) (f64.const 0.7))
          (f64.sqrt (f64.convert_i32_u (i32.load8_u offset=64 (local.get $s))))))
        (drop (call $score (global.get $sum))) (i32.const 0))"""
    runs = []
    for _ in range(2):
        guest = analyzer(body)
        answers = [look(guest, grey=grey, media_us=grey) for grey in range(20)]
        runs.append([(answer.scores, answer.fuel) for answer in answers if answer])
    assert runs[0] == runs[1] and len(runs[0]) == 20
