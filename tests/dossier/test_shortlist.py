from __future__ import annotations

from camera_edge.dossier import Shortlist
from tests.dossier.made import event


def test_what_fits_is_told_in_order_of_opening() -> None:
    shortlist = Shortlist(events_max=3)
    for number in (2, 0, 1):
        shortlist.add(0, event(number))
    assert [each.event.opened_us for each in shortlist.events(0)] == [0, 10_000_000, 20_000_000]
    assert shortlist.left_out(0).total() == 0


def test_the_weakest_of_the_most_frequent_kind_is_left_out_and_counted() -> None:
    shortlist = Shortlist(events_max=4)
    shortlist.add(0, event(0, kind="tamper", score=0.1))
    for number in range(1, 6):
        shortlist.add(0, event(number, kind="motion", score=number / 10))
    assert [(each.event.kind, each.event.score) for each in shortlist.events(0)] == [
        ("tamper", 0.1),
        ("motion", 0.3),
        ("motion", 0.4),
        ("motion", 0.5),
    ]
    assert shortlist.left_out(0) == {"motion": 2}


def test_of_equal_ones_the_first_stay() -> None:
    shortlist = Shortlist(events_max=2)
    for number in range(4):
        shortlist.add(0, event(number))
    assert [each.event.best_frame for each in shortlist.events(0)] == [0, 1]


def test_a_source_with_many_events_leaves_the_others_theirs() -> None:
    shortlist = Shortlist(events_max=5)
    for number in range(100):
        shortlist.add(0, event(number))
    shortlist.add(1, event(100))
    assert (len(shortlist.events(0)), len(shortlist.events(1))) == (4, 1)
    assert (shortlist.left_out(0).total(), shortlist.left_out(1).total()) == (96, 0)


def test_pictures_are_bounded_in_bytes() -> None:
    shortlist = Shortlist()
    found = event(0)
    assert found.snapshot is not None
    shortlist = Shortlist(pictures_max_bytes=3 * len(found.snapshot.data))
    for number in range(10):
        shortlist.add(0, event(number))
    assert (len(shortlist.events(0)), shortlist.left_out(0).total()) == (3, 7)
