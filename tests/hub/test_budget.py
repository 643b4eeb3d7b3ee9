from __future__ import annotations

from camera_edge.hub.budget import MessageBudget

S = 1_000_000_000


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    budget = MessageBudget(per_second=10, burst=5)
    assert [budget.take(0) for _ in range(5)] == [0.0] * 5
    assert budget.take(0) == 0.1
    assert budget.take(0) == 0.2


def test_what_is_not_used_is_earned_back_up_to_the_burst() -> None:
    budget = MessageBudget(per_second=10, burst=5)
    for _ in range(5):
        budget.take(0)
    assert [budget.take(100 * S) for _ in range(5)] == [0.0] * 5
    assert budget.take(100 * S) > 0


def test_a_steady_worker_never_waits() -> None:
    budget = MessageBudget(per_second=10, burst=5)
    assert {budget.take(tick * S // 10) for tick in range(1000)} == {0.0}
