from __future__ import annotations

import pytest

from camera_edge.hub.supervisor import Phase, SupervisionPolicy, Supervisor
from camera_edge.link import Progress

S = 1_000_000_000
POLICY = SupervisionPolicy(
    start_s=30, silent_s=10, stuck_s=20, first_delay_s=1, longest_delay_s=8, jitter=0.5, steady_s=60, grace_s=5
)


def supervisor(chance: float = 0.5) -> Supervisor:
    return Supervisor(POLICY, lambda: chance)


def frames(number: int) -> Progress:
    return Progress(frames=number, analysed=number)


def test_the_first_start_is_due_at_once() -> None:
    assert supervisor().wait_s(0) == 0


def test_waits_double_up_to_the_longest() -> None:
    machine = supervisor()
    delays = []
    for start_ns in range(0, 600 * S, 100 * S):
        machine.started(start_ns)
        delays.append(machine.ended(start_ns + S, finished=False))
    assert delays == [1, 2, 4, 8, 8, 8]
    assert machine.restarts == 6


@pytest.mark.parametrize(("chance", "delay_s"), [(0.0, 0.5), (0.5, 1.0), (1.0, 1.5)])
def test_chance_spreads_the_waits(chance: float, delay_s: float) -> None:
    machine = supervisor(chance)
    machine.started(0)
    assert machine.ended(0, finished=False) == delay_s


def test_the_wait_runs_down() -> None:
    machine = supervisor()
    machine.started(0)
    machine.ended(10 * S, finished=False)
    assert (machine.wait_s(10 * S), machine.wait_s(10 * S + S // 2), machine.wait_s(20 * S)) == (1, 0.5, 0)


def test_a_worker_that_ran_steadily_starts_again_from_the_shortest_wait() -> None:
    machine = supervisor()
    for _ in range(4):
        machine.started(0)
        machine.ended(S, finished=False)
    machine.started(0)
    assert machine.ended(60 * S, finished=False) == 1
    machine.started(0)
    assert machine.ended(S, finished=False) == 1
    machine.started(0)
    assert machine.ended(S, finished=False) == 2


def test_weeks_of_failure_do_not_overflow() -> None:
    machine = supervisor()
    for _ in range(5000):
        machine.started(0)
        assert machine.ended(0, finished=False) <= 8


def test_a_start_that_never_speaks_hangs() -> None:
    machine = supervisor()
    machine.started(0)
    assert machine.hang(30 * S) is None
    assert machine.hang(30 * S + 1) == "did not start for 30 s"


def test_silence_is_a_hang() -> None:
    machine = supervisor()
    machine.started(0)
    machine.heard(5 * S)
    assert machine.hang(15 * S) is None
    assert machine.hang(15 * S + 1) == "is silent for 10 s"


@pytest.mark.parametrize("stuck", [Progress(frames=9, analysed=1), Progress(frames=1, analysed=1)])
def test_running_without_new_frames_or_without_analysis_is_a_hang(stuck: Progress) -> None:
    machine = supervisor()
    machine.started(0)
    machine.beat(S, "running", frames(1))
    for second in range(2, 30):
        machine.beat(second * S, "running", stuck)
        assert machine.hang(second * S) == (None if second <= 21 else "makes no progress for 20 s")


def test_progress_is_no_hang() -> None:
    machine = supervisor()
    machine.started(0)
    for second in range(1, 100):
        machine.beat(second * S, "running", frames(second))
        assert machine.hang(second * S) is None


@pytest.mark.parametrize("state", ["connecting", "stalled", "refused", "stopping"])
def test_a_source_that_gives_nothing_is_no_hang(state: str) -> None:
    machine = supervisor()
    machine.started(0)
    for second in range(1, 100):
        machine.beat(second * S, state, frames(1))  # type: ignore[arg-type]
        assert machine.hang(second * S) is None


def test_a_worker_that_is_not_up_does_not_hang() -> None:
    machine = supervisor()
    assert machine.hang(1000 * S) is None
    machine.started(0)
    machine.ended(S, finished=False, hung=True)
    assert machine.hang(1000 * S) is None
    assert machine.hangs == 1


def test_what_is_finished_is_not_started_again() -> None:
    machine = supervisor()
    machine.started(0)
    assert machine.ended(S, finished=True) == 0
    assert machine.phase is Phase.FINISHED
    assert machine.restarts == 0


def test_a_hang_that_nobody_deals_with_means_that_the_hub_is_stuck() -> None:
    machine = supervisor()
    machine.started(0)
    machine.heard(0)
    assert machine.is_attended(15 * S)
    assert not machine.is_attended(15 * S + 1)
    machine.ended(16 * S, finished=False)
    assert machine.is_attended(1000 * S)
