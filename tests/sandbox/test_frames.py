"""Frames in shared linear memory: one host write, many sandboxes, and no way to harm anybody else."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from camera_edge.frames import HEADER_BYTES, Ring
from camera_edge.sandbox import Analyzer, Answer, Grants

Start = Callable[..., Analyzer]
Look = Callable[..., Answer | None]

SCORE = '(import "camera_edge" "score" (func $score (param f64) (result i32)))'
# the first pixel of the slot, as the frame's score
READ = """
  (func $pixel (param $slot i32) (result i32)
    (i32.load8_u (i32.add (local.get $slot) (i32.load offset=44 (local.get $slot)))))
  (func $report (param $slot i32) (drop (call $score (f64.convert_i32_u (call $pixel (local.get $slot))))))
"""
REPORT = f"""{SCORE} {READ}
  (func (export "analyze") (param $slot i32) (result i32) (call $report (local.get $slot)) (i32.const 0))
"""


def scribbler(act: str, *, imports: str = "", more: str = "") -> str:
    """Reports the first pixel, then spoils the frame by `act`."""
    return f"""{SCORE} {imports} {READ} {more}
      (func (export "analyze") (param $slot i32) (result i32) (local $pixels i32)
        (call $report (local.get $slot))
        (local.set $pixels (i32.add (local.get $slot) (i32.load offset=44 (local.get $slot))))
        {act} (i32.const 0))
    """


def value(answer: Answer | None) -> float:
    assert answer is not None
    return answer.scores[-1].value


def test_many_sandboxes_see_one_host_write(analyzer: Start, ring: Ring, look: Look) -> None:
    first = analyzer(REPORT)
    others = [analyzer(REPORT) for _ in range(8)]
    for grey in (7, 200):
        assert value(look(first, grey=grey)) == grey
        offset = next(at for at in range(0, ring.size_bytes, 65536) if ring_grey(ring, at) == grey)
        assert [value(other.analyze(offset, 0, 0)) for other in others] == [grey] * 8


def ring_grey(ring: Ring, slot_offset: int) -> int:
    return ring.memory[slot_offset + HEADER_BYTES]


def test_a_guest_sees_the_header_of_its_frame(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        f"""{SCORE}
        (func $say (param i64) (drop (call $score (f64.convert_i64_s (local.get 0)))))
        (func (export "analyze") (param $s i32) (result i32)
          (call $say (i64.extend_i32_u (i32.load offset=0 (local.get $s))))
          (call $say (i64.extend_i32_u (i32.load offset=4 (local.get $s))))
          (call $say (i64.load offset=8 (local.get $s)))
          (call $say (i64.load offset=16 (local.get $s)))
          (call $say (i64.extend_i32_u (i32.load offset=24 (local.get $s))))
          (call $say (i64.extend_i32_u (i32.load offset=28 (local.get $s))))
          (call $say (i64.extend_i32_u (i32.load offset=48 (local.get $s))))
          (call $say (i64.extend_i32_u (i32.load offset=52 (local.get $s))))
          (i32.const 0))"""
    )
    look(guest)
    answer = look(guest, media_us=480_000)
    assert answer is not None
    assert [score.value for score in answer.scores] == [1, 1, 1, 480_000, 64, 32, 256, 128]


def test_a_guest_reaches_the_frame_before_and_the_map_of_zones(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        f"""{SCORE} {READ}
        (func (export "analyze") (param $s i32) (result i32)
          (if (i32.load offset=36 (local.get $s))
            (then (call $report (i32.add (local.get $s) (i32.load offset=36 (local.get $s))))))
          (drop (call $score (f64.convert_i32_u
            (i32.load8_u offset=5 (i32.add (local.get $s) (i32.load offset=40 (local.get $s)))))))
          (i32.const 0))"""
    )
    look(guest, grey=31)
    answer = look(guest, grey=32)
    assert answer is not None
    assert [score.value for score in answer.scores] == [31, 5]


@pytest.mark.parametrize(
    "spoil",
    [
        scribbler("(i32.store8 (local.get $pixels) (i32.const 255))"),
        scribbler("(i32.store (local.get $slot) (i32.const -1))"),
        scribbler("(memory.fill (local.get $slot) (i32.const 255) (i32.const 2112))"),
        scribbler(
            "(memory.copy (local.get $pixels) (i32.const 0) (i32.const 2048))",
        ),
        scribbler(
            "(drop (call $text (i32.const 0) (i32.const 4) (local.get $pixels) (i32.const 16)))",
            imports='(import "camera_edge" "param_text" (func $text (param i32 i32 i32 i32) (result i32)))',
            more='(data (i32.const 0) "name")',
        ),
    ],
    ids=["store to a pixel", "store to the header", "memory.fill", "memory.copy", "a host function writes"],
)
def test_a_guest_that_writes_into_a_frame_harms_nobody_else(
    analyzer: Start, ring: Ring, look: Look, spoil: str
) -> None:
    vandal = analyzer(spoil, grants=Grants(params={"name": "\xff" * 8}))
    before_others = analyzer(REPORT)
    for grey in range(50, 62):
        # what a guest spoilt is true again when the slot is used for the next frame, and the host's was never spoilt
        assert value(look(vandal, grey=grey)) == grey
        offset = next(at for at in range(0, ring.size_bytes, 65536) if ring_grey(ring, at) == grey)
        assert set(ring.memory[offset + HEADER_BYTES : offset + HEADER_BYTES + 2048]) == {grey}
        assert value(before_others.analyze(offset, 0, 0)) == grey
        # and the vandal itself, shown the same frame again, sees it as it is
        assert value(vandal.analyze(offset, 0, 0)) == grey
    assert vandal.counters.traps == 0


def test_what_a_guest_keeps_in_its_ring_is_gone_with_the_next_frame(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        f"""{SCORE} (global $first (mut i32) (i32.const 0))
        (func (export "analyze") (param $s i32) (result i32)
          (if (i32.eqz (global.get $first)) (then (global.set $first (i32.add (local.get $s) (i32.const 60000)))))
          (drop (call $score (f64.convert_i32_u (i32.load8_u (global.get $first)))))
          (i32.store8 (global.get $first) (i32.const 9))
          (i32.const 0))"""
    )
    assert [value(look(guest)) for _ in range(3)] == [0, 0, 0]


def test_the_ring_is_mapped_where_the_guest_s_own_allocator_puts_it(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        f"""{SCORE} {READ} (memory (export "memory") 16)
        (func (export "camera_edge_ring") (param i32) (result i32) (i32.const 131072))
        (func (export "analyze") (param $s i32) (result i32)
          (call $report (local.get $s))
          (drop (call $score (f64.convert_i32_u (memory.size))))
          (drop (call $score (f64.convert_i32_u
            (i32.and (i32.ge_u (local.get $s) (i32.const 131072)) (i32.lt_u (local.get $s) (i32.const 458752))))))
          (i32.const 0))"""
    )
    answer = look(guest, grey=77)
    assert answer is not None
    assert [score.value for score in answer.scores] == [77, 16, 1]


def test_two_guests_run_in_two_threads(analyzer: Start, ring: Ring, look: Look) -> None:
    guests = [analyzer(REPORT) for _ in range(2)]
    look(guests[0], grey=90)
    offset = next(at for at in range(0, ring.size_bytes, 65536) if ring_grey(ring, at) == 90)
    values: list[float] = []

    def run(guest: Analyzer) -> None:
        for _ in range(200):
            values.append(value(guest.analyze(offset, 0, 0)))

    threads = [threading.Thread(target=run, args=(guest,)) for guest in guests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert values == [90] * 400
