"""A viewer's queue has no gap after its key frame; time stamps never run backwards."""

from __future__ import annotations

from camera_edge.preview.packets import LivePacket, PacketQueue, StampedPacket, Timeline

S_NS = 1_000_000_000


def stamped(number: int, *, key: bool = False) -> StampedPacket:
    return StampedPacket(LivePacket(b"\x00", key, number), number)


def taken(queue: PacketQueue) -> list[int]:
    numbers = []
    while (packet := queue.take()) is not None:
        numbers.append(packet.ticks)
    return numbers


def test_nothing_is_given_before_the_first_key_frame() -> None:
    queue = PacketQueue(10)
    queue.put(stamped(0))
    queue.put(stamped(1, key=True))
    queue.put(stamped(2))
    assert taken(queue) == [1, 2]
    assert queue.lost == 1


def test_an_overflow_loses_all_that_waits_and_starts_again_at_a_key_frame() -> None:
    queue = PacketQueue(3)
    queue.put(stamped(0, key=True))
    for number in range(1, 5):
        queue.put(stamped(number))
    assert queue.needs_key
    assert taken(queue) == []
    queue.put(stamped(5, key=True))
    queue.put(stamped(6))
    assert taken(queue) == [5, 6]
    assert queue.lost == 5


def test_a_key_frame_that_meets_a_full_queue_replaces_it() -> None:
    queue = PacketQueue(2)
    queue.put(stamped(0, key=True))
    queue.put(stamped(1))
    queue.put(stamped(2, key=True))
    assert not queue.needs_key
    assert taken(queue) == [2]
    assert queue.lost == 2


def test_a_queue_that_is_emptied_in_time_loses_nothing() -> None:
    queue = PacketQueue(2)
    given = []
    for number in range(20):
        queue.put(stamped(number, key=number == 0))
        given += taken(queue)
    assert given == list(range(20))
    assert queue.lost == 0


def test_time_stamps_follow_media_time_in_ticks_of_90_khz() -> None:
    timeline = Timeline()
    ticks = [timeline.ticks(pts_us, now_ns=0) for pts_us in (5_000_000, 5_040_000, 5_080_000, 6_080_000)]
    assert ticks == [0, 3600, 7200, 97_200]


def test_after_a_restart_of_media_time_the_clock_fills_the_gap() -> None:
    timeline = Timeline()
    timeline.ticks(60_000_000, now_ns=0)
    timeline.ticks(60_040_000, now_ns=S_NS)
    assert timeline.ticks(0, now_ns=3 * S_NS) == 3600 + 2 * 90_000
    assert timeline.ticks(40_000, now_ns=4 * S_NS) == 3600 + 2 * 90_000 + 3600


def test_a_repeated_media_time_still_moves_on() -> None:
    timeline = Timeline()
    ticks = [timeline.ticks(1000, now_ns=0) for _ in range(5)]
    assert all(later > earlier for earlier, later in zip(ticks, ticks[1:], strict=False))
