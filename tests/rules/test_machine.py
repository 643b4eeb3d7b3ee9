from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from camera_edge.event import Change, Closed, Event, Opened, Updated
from camera_edge.observation import Box
from camera_edge.rules import MAX_TRACKS, EventMachine, Match

S = 1_000_000
BLANK = Event("", "front", "rule", "person", "motion", score=0.0, best_frame=-1, opened_us=0)


class Subject(EventMachine):
    """Opens what it proposes, as `id0`, `id1`, …"""

    opened = 0

    def feed(self, matches: Sequence[Match], *, frame: int, now_us: int) -> list[Change]:
        changes = super().feed(matches, frame=frame, now_us=now_us)
        return [self._opened() if isinstance(change, Opened) else change for change in changes]

    def _opened(self) -> Opened:
        self.opened += 1
        return self.open(f"id{self.opened - 1}")


def machine(hold_s: float = 0, quiet_s: float = 2) -> EventMachine:
    return Subject(round(hold_s * S), round(quiet_s * S), BLANK)


def person(score: float = 0.5, track: int = -1, zones: tuple[str, ...] = ()) -> Match:
    return Match(score, track, zones)


def feed(subject: EventMachine, at_s: float, *matches: Match) -> list[Change]:
    return subject.feed(matches, frame=round(at_s * 10), now_us=round(at_s * S))


def test_event_opens_at_once_without_hold_and_closes_after_quiet_time_at_its_last_match() -> None:
    subject = machine()
    event = replace(BLANK, id="id0", score=0.5, best_frame=10, opened_us=S, why="person, score 0.50")
    assert feed(subject, 1, person()) == [Opened(event)]
    assert feed(subject, 2, person()) == []
    assert feed(subject, 3.9) == []
    assert feed(subject, 4) == [Closed(replace(event, closed_us=2 * S))]
    assert subject.idle
    assert feed(subject, 9) == []


def test_event_opens_only_after_hold_time_and_counts_from_the_first_match() -> None:
    subject = machine(hold_s=1)
    assert feed(subject, 0, person(0.4)) == []
    assert feed(subject, 0.9, person(0.9)) == []
    opened = feed(subject, 1, person(0.6))
    why = "person for 1 s, score 0.90"
    assert opened == [Opened(replace(BLANK, id="id0", score=0.9, best_frame=9, opened_us=0, why=why))]


def test_an_event_says_why_it_opened_and_where_it_was_best() -> None:
    subject = machine(hold_s=1)
    near, far = Box(0.1, 0.1, 0.5, 0.5), Box(0.2, 0.2, 0.1, 0.1)
    feed(subject, 0, Match(0.4, 3, ("gate",), far))
    [opened] = feed(subject, 1, Match(0.8, 3, ("yard",), near), Match(0.2, 4, (), far))
    assert (opened.event.why, opened.event.box) == ("person in gate, yard for 1 s, score 0.80", near)
    feed(subject, 2, Match(0.6, 3, (), far))
    [closed] = subject.close()
    assert (closed.event.why, closed.event.box) == (opened.event.why, near)


def test_what_an_observation_says_of_itself_is_why() -> None:
    subject = machine()
    [opened] = feed(subject, 0, Match(0.4, 3, (), None, "too slow"), Match(0.8, 3, (), None, "too fast"))
    assert opened.event.why == "too fast"


def test_silence_alone_never_opens_an_event_that_waits() -> None:
    subject = machine(hold_s=1)
    assert feed(subject, 0, person()) == []
    assert feed(subject, 1.5) == []
    assert len(feed(subject, 1.9, person())) == 1


def test_what_waits_is_forgotten_after_quiet_time() -> None:
    subject = machine(hold_s=1)
    feed(subject, 0, person())
    assert feed(subject, 2, person()) == []
    [opened] = feed(subject, 3, person())
    assert isinstance(opened, Opened)
    assert opened.event.opened_us == 2 * S


def test_a_gap_shorter_than_quiet_time_keeps_the_event_open() -> None:
    subject = machine()
    feed(subject, 0, person())
    for at_s in (1.9, 3.8, 5.7):
        assert feed(subject, at_s, person()) == []


def test_a_match_after_quiet_time_closes_the_old_event_and_opens_a_new_one() -> None:
    subject = machine()
    feed(subject, 0, person())
    closed, opened = feed(subject, 2, person())
    assert isinstance(closed, Closed)
    assert isinstance(opened, Opened)
    assert (closed.event.closed_us, closed.event.id) == (0, "id0")
    assert (opened.event.opened_us, opened.event.id) == (2 * S, "id1")


def test_only_news_is_an_update() -> None:
    subject = machine()
    feed(subject, 0, person(0.5, track=1, zones=("gate",)))
    assert feed(subject, 0.1, person(0.5, track=1, zones=("gate",))) == []
    assert feed(subject, 0.2, person(0.52, track=1)) == []
    [better] = feed(subject, 0.3, person(0.56))
    [tracked] = feed(subject, 0.4, person(0.1, track=2))
    [moved] = feed(subject, 0.5, person(0.1, zones=("door",)))
    assert isinstance(better, Updated)
    assert (better.event.score, better.event.best_frame) == (0.56, 3)
    assert isinstance(tracked, Updated)
    assert tracked.event.tracks == (1, 2)
    assert isinstance(moved, Updated)
    assert moved.event.zones == ("gate", "door")


def test_a_small_improvement_is_no_news_but_is_kept() -> None:
    subject = machine()
    feed(subject, 0, person(0.5))
    assert feed(subject, 0.1, person(0.53)) == []
    [closed] = subject.close()
    assert (closed.event.score, closed.event.best_frame) == (0.53, 1)


def test_the_first_frame_of_the_best_score_is_the_best_frame() -> None:
    subject = machine()
    feed(subject, 0, person(0.5))
    feed(subject, 1, person(0.5))
    [closed] = subject.close()
    assert closed.event.best_frame == 0


def test_a_score_of_zero_still_has_a_best_frame() -> None:
    [opened] = feed(machine(), 0.7, person(0.0))
    assert opened.event.best_frame == 7


def test_close_forgets_what_waits_and_is_harmless_twice() -> None:
    waiting = machine(hold_s=5)
    feed(waiting, 0, person())
    assert waiting.close() == []
    subject = machine()
    feed(subject, 0, person())
    assert len(subject.close()) == 1
    assert subject.close() == []


def test_the_tracks_of_an_event_are_bounded() -> None:
    subject = machine()
    feed(subject, 0, *(person(track=number) for number in range(2 * MAX_TRACKS)))
    [closed] = subject.close()
    assert closed.event.tracks == tuple(range(MAX_TRACKS))
