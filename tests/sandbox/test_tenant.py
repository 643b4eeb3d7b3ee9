"""The life of a module: asleep, woken, started again, and what is counted of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from camera_edge.errors import ModuleError
from camera_edge.sandbox import Analyzer, Answer, Policy, Reason
from camera_edge.sandbox.manifest import Limits

Start = Callable[..., Analyzer]
Look = Callable[..., Answer | None]

EXIT = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'
FRAGILE = """(func (export "analyze") (param $s i32) (result i32)
  (if (i32.eq (i32.load8_u offset=64 (local.get $s)) (i32.const 255)) (then unreachable)) (i32.const 0))"""
SPIN_AT_CLOSE = '(func (export "close") (loop $l (br $l)))'


def held() -> tuple[int, int]:
    """How many guests' memories this process has reserved, and how many rings it has mapped."""
    memories = rings = 0
    for line in Path("/proc/self/maps").read_text().splitlines():
        begin, end = (int(part, 16) for part in line.split()[0].split("-"))
        memories += line.split()[1] == "---p" and end - begin > 256 << 20
        rings += "memfd:camera-edge" in line
    return memories, rings


def test_a_module_asleep_has_no_instance_and_no_memory(analyzer: Start, look: Look) -> None:
    guest = analyzer('(memory (export "memory") 64)')
    guest.sleep()
    asleep = held()
    look(guest)
    assert held() == (asleep[0] + 1, asleep[1] + 1)
    guest.sleep()
    assert held() == asleep
    for _ in range(100):
        look(guest)
        guest.sleep()
    assert held() == asleep


def test_waking_and_starting_again_are_counted_apart(analyzer: Start, look: Look) -> None:
    guest = analyzer(FRAGILE)
    counted = []
    for act in ("look", "sleep", "sleep", "look", "trap", "look", "sleep", "trap", "look"):
        if act == "sleep":
            guest.sleep()
        else:
            look(guest, grey=255 if act == "trap" else 1)
        counted.append((guest.counters.wakes, guest.counters.restarts))
    assert counted == [(0, 0), (0, 0), (0, 0), (1, 0), (1, 0), (1, 1), (1, 1), (2, 1), (2, 2)]
    assert (guest.counters.calls, guest.counters.answers, guest.counters.traps) == (6, 4, 2)


def test_one_that_was_never_asked_was_never_woken(analyzer: Start) -> None:
    guest = analyzer("")
    guest.close()
    assert (guest.counters.wakes, guest.counters.restarts, guest.counters.calls) == (0, 0, 0)


def test_one_that_spins_whenever_it_goes_to_sleep_is_quarantined(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        SPIN_AT_CLOSE, policy=Policy(faults=3, window_frames=10, rest_frames=5), limits=Limits(fuel_per_frame=1000)
    )
    for _ in range(3):
        look(guest)
        guest.sleep()
    assert guest.quarantined == "3 faults in 10 frames, the last: close trapped: out of fuel"
    assert look(guest) is None
    assert [(fault.reason, fault.count) for fault in guest.counters.faults] == [(Reason.FUEL, 3)]


@pytest.mark.parametrize(
    "stage",
    [
        "(func $s (call $exit (i32.const 7))) (start $s)",
        '(func (export "_initialize") (call $exit (i32.const 7)))',
        '(func (export "camera_edge_abi") (result i32) (call $exit (i32.const 7)) (i32.const 1))',
        '(func (export "camera_edge_ring") (param i32) (result i32) (call $exit (i32.const 7)) (i32.const 0))',
        '(func (export "open") (result i32) (call $exit (i32.const 7)) (i32.const 0))',
    ],
)
def test_an_exit_before_the_first_frame_is_told_with_its_code(analyzer: Start, stage: str) -> None:
    with pytest.raises(ModuleError, match="does not start: it ended itself with code 7"):
        analyzer(EXIT + stage)


def test_an_exit_ends_the_guest_at_once(analyzer: Start, look: Look) -> None:
    log = '(import "camera_edge" "log" (func $log (param i32 i32 i32) (result i32)))'
    guest = analyzer(
        f"""{EXIT} {log} (func (export "analyze") (param i32) (result i32)
          (call $exit (i32.const -1)) (call $log (i32.const 0) (i32.const 0) (i32.const 0)))"""
    )
    assert look(guest) is None
    assert guest.last_fault == "guest: frame 0: it ended itself with code -1"
    assert guest.counters.host_calls == ()
    assert 0 < guest.counters.fuel < 1000


def test_what_a_fault_says_is_short_and_harmless_in_a_terminal(analyzer: Start, look: Look) -> None:
    name = "x" * 50_000
    guest = analyzer(
        f'(func ${name} unreachable) (func (export "analyze") (param i32) (result i32) (call ${name}) (i32.const 0))'
    )
    assert look(guest) is None
    assert guest.last_fault == "guest: frame 0: analyze trapped: unreachable"
