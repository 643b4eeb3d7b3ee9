from __future__ import annotations

from itertools import pairwise

import pytest

from camera_edge.capture.timing import LiveTimeline, RecordingTimeline, interval_us

MS, S = 1_000, 1_000_000
MS_NS, S_NS = 1_000_000, 1_000_000_000


@pytest.mark.parametrize(("fps", "expected"), [(25, 40 * MS), (10, 100 * MS), (0, 40 * MS), (90000, 40 * MS)])
def test_an_incredible_rate_is_taken_as_25_a_second(fps: float, expected: int) -> None:
    assert interval_us(fps) == expected


def test_a_recording_follows_its_stamps_from_its_first_frame() -> None:
    timeline = RecordingTimeline(40 * MS)
    assert [timeline.place(stamp * MS) for stamp in (500, 540, 700, 5000)] == [0, 40 * MS, 200 * MS, 4500 * MS]


def test_a_recording_without_stamps_goes_by_its_rate() -> None:
    timeline = RecordingTimeline(40 * MS)
    assert [timeline.place(None) for _ in range(3)] == [0, 40 * MS, 80 * MS]


def test_a_recording_whose_stamps_start_anew_goes_on() -> None:
    timeline = RecordingTimeline(40 * MS)
    placed = [timeline.place(stamp) for stamp in (0, 40 * MS, 10 * S, 0, 40 * MS)]
    assert placed == [0, 40 * MS, 10 * S, 10 * S + 40 * MS, 10 * S + 80 * MS]


def test_repeated_stamps_still_grow() -> None:
    timeline = RecordingTimeline(40 * MS)
    assert [timeline.place(stamp) for stamp in (0, 40, 40, 80)] == [0, 40, 41, 80]


def live(interval: int | None = 40 * MS) -> LiveTimeline:
    timeline = LiveTimeline()
    timeline.begin(interval)
    return timeline


def test_a_camera_follows_its_stamps_though_packets_arrive_in_a_burst() -> None:
    timeline = live()
    placed = [timeline.place(7 * S + number * 40 * MS, number * 1000) for number in range(50)]
    assert placed == [number * 40 * MS for number in range(50)]


def test_a_first_packet_without_stamp_stands_one_interval_before_the_second() -> None:
    timeline = live()
    assert [timeline.place(None, 0), timeline.place(0, 0), timeline.place(40 * MS, 0)] == [0, 40 * MS, 80 * MS]


def test_a_camera_without_stamps_goes_by_arrival() -> None:
    timeline = live(interval=None)
    assert [timeline.place(None, S_NS + number * 70 * MS_NS) for number in range(3)] == [0, 70 * MS, 140 * MS]


def test_a_camera_that_sets_its_clock_falls_back_to_arrival() -> None:
    timeline = live()
    timeline.place(0, 0)
    assert timeline.place(3600 * S, 40 * MS_NS) == 40 * MS
    assert timeline.place(3600 * S + 40 * MS, 80 * MS_NS) == 80 * MS


def test_stamps_that_run_backwards_do_not_stop_the_time() -> None:
    timeline = live()
    placed = [timeline.place(stamp * MS, n * 40 * MS_NS) for n, stamp in enumerate((0, 40, 80, 120, 160, 0, 40, 80))]
    assert placed == [n * 40 * MS for n in range(8)]


def test_after_a_reconnect_time_has_gone_on_by_the_monotonic_clock() -> None:
    timeline = live()
    timeline.place(5 * S, 0)
    timeline.place(5 * S + 40 * MS, 40 * MS_NS)
    timeline.begin(40 * MS)
    assert timeline.place(0, 30 * S_NS) == 30 * S
    assert timeline.place(40 * MS, 30 * S_NS) == 30 * S + 40 * MS


@pytest.mark.parametrize("stamps", [(0, 0, 0, 0), (9, 3, 7, 1), (None, 5, None, None), (10**13, 0, 10**13, 5)])
def test_media_time_always_grows(stamps: tuple[int | None, ...]) -> None:
    camera, file = live(), RecordingTimeline(40 * MS)
    for placed in ([camera.place(stamp, 0) for stamp in stamps], [file.place(stamp) for stamp in stamps]):
        assert placed[0] == 0
        assert all(earlier < later for earlier, later in pairwise(placed))
