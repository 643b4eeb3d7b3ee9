from __future__ import annotations

import threading

import numpy as np
import pytest

from camera_edge.observation import Box, Mask, Observation, Seen
from camera_edge.redact import ALL, Grid, Hidden, HiddenMap, RedactionHistory, RedactionPolicy

S = 1_000_000
GRID = Grid.for_size(640, 480)
PERIOD_FRAMES = 5  # of 25 a second


def history(keep_s: float = 10, required: frozenset[str] = frozenset({"motion"})) -> RedactionHistory:
    policy = RedactionPolicy(required=required, period_us=S // 5)
    return RedactionHistory(policy, keep_us=round(keep_s * S))


def seen(frame: int, *boxes: Box, kind: str = "person", answered: frozenset[str] = frozenset({"motion"})) -> Seen:
    observations = tuple(Observation("motion", kind, 0.5, box) for box in boxes)
    return Seen(frame, frame * S // 25, observations, answered=answered)


def ask(subject: RedactionHistory, frame: int) -> Hidden:
    return subject.hidden(frame, frame * S // 25)


def shown(hidden: Hidden) -> HiddenMap:
    assert isinstance(hidden, HiddenMap)
    return hidden


def test_before_the_first_analysis_everything_is_hidden() -> None:
    subject = history()
    assert subject.newest_frame is None
    assert ask(subject, 0) is ALL


def test_a_frame_is_hidden_until_the_next_analysis_has_answered() -> None:
    subject = history()
    subject.add(seen(0), GRID)
    assert subject.newest_frame == 0
    assert ask(subject, 3) is ALL
    assert shown(ask(subject, 0)).hidden_share == 0
    subject.add(seen(5), GRID)
    assert subject.newest_frame == 5
    assert shown(ask(subject, 3)).hidden_share == 0


def test_a_newcomer_is_hidden_before_the_analysis_that_sees_it() -> None:
    subject = history()
    subject.add(seen(0), GRID)
    subject.add(seen(5, Box(0.0, 0.3, 0.1, 0.3)), GRID)
    assert shown(ask(subject, 1)).cells[int(0.45 * GRID.rows), 0]


def test_a_place_stays_hidden_for_the_hold_time() -> None:
    subject = history()
    subject.add(seen(0, Box(0.4, 0.4, 0.1, 0.1)), GRID)
    for frame in range(5, 60, PERIOD_FRAMES):
        subject.add(seen(frame), GRID)
    assert shown(ask(subject, 25)).hidden_share > 0
    assert shown(ask(subject, 26)).hidden_share == 0


@pytest.mark.parametrize("kind", ["person", "vehicle", "motion", "anything"])
def test_observations_of_every_kind_hide(kind: str) -> None:
    subject = history()
    subject.add(seen(0, Box(0.4, 0.4, 0.1, 0.1), kind=kind), GRID)
    assert shown(ask(subject, 0)).hidden_share > 0


def test_masks_hide() -> None:
    pixels = np.zeros((48, 64), np.uint8)
    pixels[20, 30] = 255
    subject = history()
    subject.add(Seen(0, 0, masks=(Mask("motion", pixels),), answered=frozenset({"motion"})), GRID)
    assert shown(ask(subject, 0)).hidden_share > 0


def test_a_required_analyzer_that_did_not_answer_hides_the_frames_around_it() -> None:
    subject = history(required=frozenset({"motion", "objects"}))
    both = frozenset({"motion", "objects"})
    for frame in range(0, 25, PERIOD_FRAMES):
        subject.add(seen(frame, answered=frozenset({"motion"}) if frame == 10 else both), GRID)
    assert [ask(subject, frame) is ALL for frame in (4, 6, 9, 10, 14, 15, 16)] == [
        False,
        True,
        True,
        True,
        True,
        False,
        False,
    ]


def test_what_an_incomplete_result_saw_is_held_all_the_same() -> None:
    subject = history()
    subject.add(seen(0, Box(0.4, 0.4, 0.1, 0.1), answered=frozenset()), GRID)
    subject.add(seen(5), GRID)
    subject.add(seen(10), GRID)
    assert shown(ask(subject, 7)).hidden_share > 0


def test_a_skipped_analysis_hides_the_gap() -> None:
    subject = history()
    subject.add(seen(0), GRID)
    subject.add(seen(10), GRID)
    assert ask(subject, 5) is ALL


def test_frames_older_than_what_is_kept_are_hidden_even_where_results_remain() -> None:
    subject = history(keep_s=2)
    for frame in range(0, 200, PERIOD_FRAMES):
        subject.add(seen(frame), GRID)
    # results go back three seconds from frame 195: two of `keep_s`, one of the hold time
    assert [ask(subject, frame) is ALL for frame in (0, 119, 125, 140, 145, 195)] == [True] * 4 + [False] * 2


def test_what_was_held_at_the_edge_of_memory_is_not_forgotten() -> None:
    newest = 400
    for gone in range(0, newest, PERIOD_FRAMES):
        subject = history(keep_s=2)
        for frame in range(0, newest + 1, PERIOD_FRAMES):
            subject.add(seen(frame, Box(0.4, 0.4, 0.1, 0.1)) if frame == gone else seen(frame), GRID)
        for frame in range(gone, min(gone + 25, newest) + 1):
            hidden = ask(subject, frame)
            assert hidden is ALL or hidden.hidden_share > 0, (gone, frame)


def test_a_change_of_resolution_hides_for_the_hold_time() -> None:
    subject = history()
    subject.add(seen(0), GRID)
    small = Grid.for_size(320, 240)
    for frame in range(5, 60, PERIOD_FRAMES):
        subject.add(seen(frame), small)
    assert ask(subject, 3) is ALL
    assert ask(subject, 20) is ALL
    assert shown(ask(subject, 30)).fits(320, 240)


def test_results_must_come_in_order() -> None:
    subject = history()
    subject.add(seen(5), GRID)
    with pytest.raises(ValueError, match="frame 5 came after that of 5"):
        subject.add(seen(5), GRID)


def test_a_standing_clock_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camera_edge.redact.history.MAX_RESULTS", 10)
    subject = history()
    for frame in range(30):
        subject.add(Seen(frame, 0, answered=frozenset({"motion"})), GRID)
    assert subject.hidden(29, 0) is ALL


def test_readers_in_other_threads_see_whole_results() -> None:
    subject = history(keep_s=1)
    wrong: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            newest = subject.newest_frame
            if newest is not None and ask(subject, newest) is ALL:
                wrong.append(newest)

    readers = [threading.Thread(target=read) for _reader in range(2)]
    for reader in readers:
        reader.start()
    for frame in range(0, 2500, PERIOD_FRAMES):
        subject.add(seen(frame, Box(0.4, 0.4, 0.1, 0.1)), GRID)
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
