from __future__ import annotations

import threading
from collections.abc import Iterable

from camera_edge.clips import FrameMark, Kept, PreRoll

MS = 1_000
GROUP = 10  # packets from key frame to key frame


def packet(ordinal: int, *, size: int = 100, epoch: int = 0, key: bool | None = None) -> Kept:
    return Kept(
        ordinal=ordinal,
        epoch=epoch,
        key=ordinal % GROUP == 0 if key is None else key,
        media_us=ordinal * 40 * MS,
        data=bytes(size),
    )


def filled(ordinals: Iterable[int], *, keep_ms: int = 1_000, max_bytes: int = 1_000_000) -> PreRoll:
    preroll = PreRoll(keep_ms * MS, max_bytes)
    for ordinal in ordinals:
        preroll.keep(packet(ordinal))
    return preroll


def numbers(packets: Iterable[Kept]) -> list[int]:
    return [kept.ordinal for kept in packets]


def test_reading_begins_at_the_key_frame_at_or_before() -> None:
    preroll = filled(range(30))
    assert numbers(preroll.since(15 * 40 * MS)) == list(range(10, 30))
    assert numbers(preroll.since(10 * 40 * MS)) == list(range(10, 30))
    assert numbers(preroll.since(10 * 40 * MS - 1)) == list(range(30))


def test_reading_from_before_the_oldest_packet_begins_with_the_oldest() -> None:
    assert numbers(filled(range(100)).since(-1))[0] == 70


def test_the_pictures_time_counts_where_it_is_known() -> None:
    preroll = filled(range(30))
    preroll.note_frame(10, frame=12, media_us=12 * 40 * MS)
    assert numbers(preroll.since(11 * 40 * MS))[0] == 0
    assert numbers(preroll.since(12 * 40 * MS))[0] == 10


def test_packets_go_by_whole_groups_once_they_are_not_needed_any_more() -> None:
    # a second is 25 packets: packet 44 needs those from 19 on, for which the key frame 10 is needed
    assert numbers(filled(range(45)).since(-1)) == list(range(10, 45))
    assert numbers(filled(range(46)).since(-1)) == list(range(20, 46))


def test_time_alone_loses_nothing() -> None:
    assert filled(range(500)).lost == 0


def test_packets_before_the_first_key_frame_are_lost() -> None:
    preroll = filled(range(7, 15))
    assert numbers(preroll.since(-1)) == [10, 11, 12, 13, 14]
    assert preroll.lost == 3


def test_memory_is_bounded_and_the_oldest_groups_go_first() -> None:
    preroll = filled(range(100), keep_ms=60_000, max_bytes=3_500)
    assert preroll.size_bytes <= 3_500
    assert numbers(preroll.since(-1)) == list(range(70, 100))
    assert preroll.lost == 70


def test_one_endless_group_is_bounded_too() -> None:
    preroll = PreRoll(1_000 * MS, 1_000)
    for ordinal in range(50):
        preroll.keep(packet(ordinal, key=ordinal in (0, 45)))
        assert preroll.size_bytes <= 1_000
    assert numbers(preroll.since(-1)) == list(range(45, 50))
    assert preroll.lost == 45


def test_a_packet_larger_than_the_ring_has_no_place() -> None:
    preroll = PreRoll(1_000 * MS, 1_000)
    preroll.keep(packet(0, size=2_000))
    assert (preroll.since(-1), preroll.size_bytes, preroll.lost) == ([], 0, 1)


def test_a_new_stream_begins_with_its_own_key_frame() -> None:
    preroll = filled(range(5))
    for ordinal in range(5, 9):
        preroll.keep(packet(ordinal, epoch=1, key=ordinal == 7))
    assert numbers(preroll.since(-1)) == [0, 1, 2, 3, 4, 7, 8]
    assert preroll.lost == 2


def test_pictures_as_packets_are_kept_one_by_one() -> None:
    preroll = PreRoll(200 * MS, 1_000_000)
    for ordinal in range(50):
        preroll.keep(packet(ordinal, key=True))
    assert numbers(preroll.since(47 * 40 * MS)) == [47, 48, 49]
    assert numbers(preroll.since(-1)) == [44, 45, 46, 47, 48, 49]


def test_a_packet_tells_its_picture_as_soon_as_that_is_known() -> None:
    preroll = filled(range(30))
    assert preroll.mark(12) is None
    preroll.note_frame(12, frame=14, media_us=560 * MS)
    assert preroll.mark(12) == FrameMark(14, 560 * MS)
    preroll.note_frame(99, frame=99, media_us=0)
    assert preroll.mark(99) is None


def test_the_picture_of_a_packet_is_known_for_a_while_after_the_packet_went() -> None:
    preroll = filled(range(30))
    preroll.note_frame(12, frame=14, media_us=560 * MS)
    for ordinal in range(30, 100):
        preroll.keep(packet(ordinal))
    assert 12 not in numbers(preroll.since(-1))
    assert preroll.mark(12) == FrameMark(14, 560 * MS)
    for ordinal in range(100, 3_000):
        preroll.keep(packet(ordinal))
        preroll.note_frame(ordinal, ordinal, ordinal * 40 * MS)
    assert preroll.mark(12) is None


def test_a_reader_goes_on_where_it_stopped() -> None:
    preroll = filled(range(25))
    reader = preroll.reader(15 * 40 * MS)
    assert numbers(reader.read().packets) == list(range(10, 25))
    assert reader.read().packets == ()
    for ordinal in range(25, 28):
        preroll.keep(packet(ordinal))
    assert numbers(reader.read().packets) == [25, 26, 27]
    assert reader.lost == 0


def test_a_reader_that_is_too_slow_is_told_and_goes_on_at_a_key_frame() -> None:
    preroll = filled(range(25))
    reader = preroll.reader(0)
    reader.read()
    for ordinal in range(25, 101):
        preroll.keep(packet(ordinal))
    batch = reader.read()
    assert batch.packets[0].key
    assert batch.lost == batch.packets[0].ordinal - 25 == 45
    assert reader.lost == 45


def test_a_reader_of_an_empty_ring_begins_with_the_first_key_frame() -> None:
    preroll = PreRoll(1_000 * MS, 1_000_000)
    reader = preroll.reader(0)
    assert reader.read().packets == ()
    for ordinal in range(7, 13):
        preroll.keep(packet(ordinal))
    batch = reader.read()
    assert (numbers(batch.packets), batch.lost) == ([10, 11, 12], 0)


def test_a_reader_in_another_thread_misses_nothing_that_it_is_not_told_of() -> None:
    preroll = PreRoll(200 * MS, 1_000_000)
    preroll.keep(packet(0))
    reader = preroll.reader(0)
    done = threading.Event()
    read: list[int] = []
    starts: list[bool] = []

    def drain() -> None:
        finished = False
        while not finished:
            finished = done.is_set()
            batch = reader.read()
            if batch.lost:
                starts.append(batch.packets[0].key)
            read.extend(numbers(batch.packets))

    thread = threading.Thread(target=drain)
    thread.start()
    for ordinal in range(1, 3_000):
        preroll.keep(packet(ordinal))
    done.set()
    thread.join()
    assert read == sorted(set(read))
    assert read[-1] == 2_999
    assert len(read) + reader.lost == 3_000
    assert all(starts)
