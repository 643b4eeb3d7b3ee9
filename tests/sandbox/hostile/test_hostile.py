"""A corpus of hostile guests. Each is run beside good modules on the same ring, in this very process."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import wasmtime

from camera_edge.sandbox import Cache, Runtime
from camera_edge.sandbox.guest import START_FRAMES
from camera_edge.sandbox.host import CALL_FUEL
from tests.sandbox.hostile.cases import FRAMES, Case, Ending
from tests.sandbox.hostile.corpus import CORPUS
from tests.sandbox.hostile.yard import Account, Offender, Yard

REPOSITORY = Path(__file__).parents[3]


def mappings() -> int:
    """Of rings, in this process."""
    return Path("/proc/self/maps").read_text().count("memfd:camera-edge")


def counted(offender: Offender) -> None:
    """It is counted, it is named, and it ended as it should have."""
    case, guest = offender.case, offender.guest
    if case.ending is Ending.REFUSED:
        assert guest is None, f"{case.name} was let in"
        assert case.words in offender.refusal and "offender" in offender.refusal
        return
    assert guest is not None, offender.refusal
    counters = guest.counters
    # what it had of the machine, by count: of fuel in its frames, of calls in all its life
    budget = case.limits.fuel_per_frame
    starts = 2 + counters.restarts + counters.wakes
    assert counters.fuel <= counters.calls * budget
    assert sum(call.count for call in counters.host_calls) * CALL_FUEL <= budget * (
        counters.calls + START_FRAMES * starts
    )
    results = {call.result for call in counters.host_calls}
    assert set(case.results) <= results, results
    assert "INTERNAL" not in results
    assert sum(answer is not None for answer in offender.answers) == case.answers == counters.answers
    if case.ending is Ending.HARMLESS:
        assert (counters.traps, guest.last_fault) == (0, None)
        return
    assert guest.last_fault is not None
    assert guest.last_fault.startswith("offender: frame ") and case.words in guest.last_fault
    faults = {fault.reason: fault.count for fault in counters.faults}
    assert case.reason in faults
    assert counters.traps + counters.skipped == FRAMES - case.answers
    if case.answers == 0:
        assert guest.quarantined is not None and counters.skipped == 1


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_a_hostile_guest_harms_only_itself(
    case: Case,
    tools: tuple[Runtime, Cache],
    truth: list[tuple[Account, Account]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = mappings()
    with caplog.at_level(logging.INFO), Yard(*tools) as yard:
        offender = yard.let_in(case)
        assert [yard.frame(number, [offender]) for number in range(FRAMES)] == truth
        counted(offender)
    assert mappings() == before
    assert wasmtime._func.LAST_EXCEPTION is None, "an exception waits for the next guest"
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert len(caplog.records) <= 1, "the host's log is the offender's to fill"


def test_each_offender_is_another_one() -> None:
    names = Counter(case.name for case in CORPUS)
    assert [name for name, count in names.items() if count > 1] == []
    assert len(CORPUS) >= 150


@pytest.mark.parametrize("frames", ["mapped", "copied"])
def test_a_worker_lives_with_all_of_them_at_once(frames: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.sandbox.hostile.worker", frames],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{len(CORPUS)} offenders, {FRAMES} frames, the witnesses said the same\n"
