from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from camera_edge.capture.reconnect import Backoff, Reconnecting
from camera_edge.capture.source import Closing, Counters, Grab, Packet
from camera_edge.errors import SourceError, SourceTimeoutError

PACKET = Grab(Packet(0, 0, True, b"x"))


@dataclass
class FlakyCamera(Closing):
    """Fails to open as often as told, then gives some packets before it is lost."""

    failing_opens: int = 0
    packets_until_lost: int = 3
    live: bool = True
    name: str = "rtsp://192.0.2.1/s"
    counters: Counters = field(default_factory=Counters)
    problem: str | None = None
    opens: int = 0
    closes: int = 0
    left: int = 0

    def fingerprint(self) -> str:
        return "fake"

    def open(self) -> None:
        self.opens += 1
        if self.opens <= self.failing_opens:
            raise SourceTimeoutError("no answer", where=self.name)
        self.left = self.packets_until_lost

    def read(self) -> Grab | None:
        if self.left == 0:
            raise SourceError("dropped", where=self.name)
        self.left -= 1
        return PACKET

    def close(self) -> None:
        self.closes += 1


class Waits:
    """Records the pauses and lets none pass."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.pauses: list[float] = []
        self._stop_after = stop_after

    def __call__(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        return self._stop_after is not None and len(self.pauses) >= self._stop_after


def read_until(source: Reconnecting, packets: int) -> list[Grab]:
    grabs: list[Grab] = []
    while sum(grab is PACKET for grab in grabs) < packets:
        grab = source.read()
        assert grab is not None
        grabs.append(grab)
    return grabs


def test_a_camera_that_is_away_at_the_start_is_tried_again_and_no_error_leaves() -> None:
    camera, waits = FlakyCamera(failing_opens=4), Waits()
    with Reconnecting(camera, waits, Random(1)) as source:
        assert "no answer" in str(source.problem)
        read_until(source, 1)
        assert source.problem is None
        assert source.counters.failed_opens == 4
        assert source.counters.reconnects == 0
    assert camera.opens == 5


def test_a_lost_camera_is_closed_and_opened_again_and_counted() -> None:
    camera = FlakyCamera(packets_until_lost=3)
    with Reconnecting(camera, Waits(), Random(1)) as source:
        grabs = read_until(source, 8)
        assert source.counters.reconnects == 2
    assert Grab() in grabs
    assert camera.closes == 3


def test_pauses_grow_stay_bounded_and_are_cut_into_short_waits() -> None:
    camera, waits = FlakyCamera(failing_opens=12), Waits()
    with Reconnecting(camera, waits, Random(3)) as source:
        read_until(source, 1)
    assert max(waits.pauses) <= 1.0
    assert sum(waits.pauses) > 20


def test_a_stop_during_a_pause_ends_the_source() -> None:
    with Reconnecting(FlakyCamera(failing_opens=99), Waits(stop_after=3), Random(1)) as source:
        answers = [source.read() for _ in range(3)]
    assert answers[2] is None


def test_backoff_draws_from_a_bound_that_doubles_up_to_half_a_minute_and_starts_anew() -> None:
    class Highest(Random):
        def uniform(self, a: float, b: float) -> float:
            assert a == 0
            return b

    backoff = Backoff(Highest())
    assert [backoff.pause_s() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    backoff.succeeded()
    assert backoff.pause_s() == 0.5
