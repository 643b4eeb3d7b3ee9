from __future__ import annotations

from camera_edge.dossier.trace import LARGEST, STRETCHES_MAX, Tracer


def test_few_scores_are_kept_as_they_are() -> None:
    tracer = Tracer()
    for number, score in enumerate((0.5, -1.0, 0.25)):
        tracer.add(number * 40_000, score)
    trace = tracer.trace("tamper", revised=True)
    assert [(each.from_us, each.low, each.high) for each in trace.stretches] == [
        (0, 0.5, 0.5),
        (40_000, -1.0, -1.0),
        (80_000, 0.25, 0.25),
    ]
    assert (trace.analyzer, trace.revised, trace.scores, trace.low, trace.high) == ("tamper", True, 3, -1.0, 0.5)


def test_a_hundred_thousand_scores_become_few_and_no_peak_is_lost() -> None:
    tracer = Tracer()
    peaks = {12_345: 7.0, 77_777: -3.0, 99_999: 5.0}
    for number in range(100_000):
        tracer.add(number * 40_000, peaks.get(number, 0.1))
    stretches = tracer.trace("motion", revised=False).stretches
    assert STRETCHES_MAX // 2 <= len(stretches) <= STRETCHES_MAX
    assert [each.from_us for each in stretches] == sorted({each.from_us for each in stretches})
    long_us = stretches[1].from_us - stretches[0].from_us
    for number, score in peaks.items():
        (found,) = [each for each in stretches if score in (each.low, each.high)]
        assert found.from_us <= number * 40_000 < found.from_us + long_us


def test_scores_may_come_in_any_order_of_time() -> None:
    forwards, backwards = Tracer(), Tracer()
    for number in range(3_000):
        forwards.add(number * 40_000, number % 7)
        backwards.add((2_999 - number) * 40_000, (2_999 - number) % 7)
    assert forwards.trace("a", revised=False) == backwards.trace("a", revised=False)


def test_no_score_is_too_large_for_a_scale() -> None:
    tracer = Tracer()
    tracer.add(0, 1.7e308)
    tracer.add(1, -1.7e308)
    trace = tracer.trace("a", revised=False)
    assert (trace.low, trace.high) == (-LARGEST, LARGEST)
