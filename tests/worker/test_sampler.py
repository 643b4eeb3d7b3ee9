from camera_edge.worker.sampler import Sampler


def test_every_fifth_frame_of_25_at_5_a_second() -> None:
    sampler = Sampler(5)
    assert [i for i in range(25) if sampler.due(i * 40_000)] == [0, 5, 10, 15, 20]


def test_the_first_frame_at_or_after_each_tick_where_rates_do_not_divide() -> None:
    sampler = Sampler(5)
    stamps = [round(i * 1e6 / 12) for i in range(12)]
    assert [stamp for stamp in stamps if sampler.due(stamp)] == [0, 250_000, 416_667, 666_667, 833_333]


def test_a_slow_source_has_every_frame_analysed() -> None:
    sampler = Sampler(5)
    assert all(sampler.due(i * 500_000) for i in range(4))


def test_a_gap_is_not_made_up_for() -> None:
    sampler = Sampler(5)
    assert [sampler.due(us) for us in (0, 3_000_000, 3_040_000, 3_200_000)] == [True, True, False, True]


def test_native_rate_takes_every_frame() -> None:
    sampler = Sampler(None)
    assert all(sampler.due(0) for _ in range(3))
