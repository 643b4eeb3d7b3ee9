"""Redacted pictures of best frames, made while a recording is analysed."""

import io
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.frames import PrivacyMask
from camera_edge.observation import Box, Observation, Seen
from camera_edge.picture import Picture
from camera_edge.redact import Grid, Mode, RedactionHistory, RedactionPolicy
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.plan import CameraPlan
from camera_edge.worker.recordings import EventEnded, RecordingRun
from camera_edge.worker.redactor import Redactor
from camera_edge.worker.snapshots import WIDTH_MAX_PX, Snapshot, Snapshots

Plan = Callable[..., CameraPlan]
Grey = NDArray[np.uint8]
SIZE = (960, 540)
THING = Observation("motion", "motion", 1.0, Box(0.4, 0.4, 0.2, 0.2))


def noise(seed: int) -> Picture:
    width, height = SIZE
    random = np.random.default_rng(seed)
    y = random.integers(16, 235, (height, width), np.uint8)
    u = np.full((height // 2, width // 2), 128, np.uint8)
    return Picture(y, u, u, lambda: np.zeros((height, width, 3), np.uint8))


class Bench:
    """Snapshots over frames of noise, five a second, in which `THING` is seen."""

    def __init__(self, step_us: int = 200_000) -> None:
        self._step_us = step_us
        self._history = RedactionHistory(RedactionPolicy(frozenset({"motion"}), period_us=200_000), 10_000_000)
        self.snapshots = Snapshots(Redactor(self._history, PrivacyMask([]), Mode.PIXELATE))

    def look(self, frame: int, *wanted: int, answered: bool = True, something: bool = True) -> None:
        who = frozenset({"motion"}) if answered else frozenset()
        seen = Seen(frame, frame * self._step_us, (THING,) if something else (), answered=who)
        self._history.add(seen, Grid.for_size(*SIZE))
        self.snapshots.look(seen, noise(frame), frozenset(wanted))


def read(snapshot: Snapshot | None) -> Grey:
    assert snapshot is not None
    with av.open(io.BytesIO(snapshot.data), "r", format="jpeg_pipe") as container:
        return next(container.decode(video=0)).to_ndarray(format="gray").astype(np.uint8)


def test_what_is_wanted_is_kept_for_as_long_as_it_is() -> None:
    bench = Bench()
    for frame in range(100):
        bench.look(frame, 0, something=False)
    kept = bench.snapshots.of(0)
    assert kept is not None and (kept.frame, kept.media_us, kept.is_hidden) == (0, 0, False)
    assert bench.snapshots.of(1) is None
    for frame in range(100, 200):
        bench.look(frame, 100)
    assert bench.snapshots.of(0) is None and bench.snapshots.of(100) is not None


def test_frames_in_which_something_was_seen_are_there_for_some_seconds() -> None:
    bench = Bench()
    for frame in range(50):
        bench.look(frame, something=frame != 45)
    there = [frame for frame in range(50) if (kept := bench.snapshots.of(frame)) and kept.frame == frame]
    assert there == [*range(29, 45), *range(46, 50)]


def test_of_frames_in_quick_succession_one_shortly_before_stands_for_the_others() -> None:
    bench = Bench(step_us=40_000)
    for frame in range(200):
        bench.look(frame)
    shown = {frame: kept.frame for frame in range(200) if (kept := bench.snapshots.of(frame))}
    assert {0 <= frame - kept < 5 for frame, kept in shown.items()} == {True}
    assert set(range(105, 200)) <= set(shown) and min(shown) > 90


def test_where_frames_are_far_apart_the_last_ones_are_there() -> None:
    bench = Bench()
    for frame in range(0, 1000, 100):
        bench.look(frame)
    assert [frame for frame in range(0, 1000, 100) if bench.snapshots.of(frame) is not None] == [600, 700, 800, 900]


def test_a_snapshot_is_small_and_what_was_seen_is_a_mosaic_in_it() -> None:
    bench = Bench()
    bench.look(0, 0)
    shown = read(bench.snapshots.of(0)).astype(np.int16)
    assert shown.shape == (SIZE[1] * WIDTH_MAX_PX // SIZE[0], WIDTH_MAX_PX)
    height, width = shown.shape
    inside = shown[int(height * 0.42) : int(height * 0.58), int(width * 0.42) : int(width * 0.58)]
    outside = shown[: height // 5, : width // 5]
    assert np.abs(np.diff(outside)).mean() > 4 * np.abs(np.diff(inside)).mean()


def test_a_frame_that_was_not_answered_is_hidden_and_says_so() -> None:
    one, other = Bench(), Bench()
    one.look(0, 0, answered=False)
    other.look(3, 3, answered=False)
    hidden = one.snapshots.of(0)
    assert hidden is not None and hidden.is_hidden
    assert np.array_equal(read(hidden), read(other.snapshots.of(3)))


@pytest.fixture
def ended(sandboxing: Sandboxing, tmp_path: Path) -> Callable[..., list[EventEnded]]:
    def run(path: Path, plan: CameraPlan, *, clips: bool) -> list[EventEnded]:
        out = tmp_path / "clips" if clips else None
        news = RecordingRun(str(path), plan, sandboxing, out, snapshots=True).run()
        return [each for each in news if isinstance(each, EventEnded)]

    return run


@pytest.mark.parametrize("hold_s", [0, 0.6])
def test_the_snapshot_of_an_event_is_the_one_beside_its_clip(
    walk: Path, plan: Plan, ended: Callable[..., list[EventEnded]], hold_s: float, tmp_path: Path
) -> None:
    rules = {"walker": {"kinds": ["motion"], "hold_s": hold_s, "quiet_s": 1}}
    chosen = plan("motion", rules=rules, clip={"before_s": 1, "after_s": 1})
    (with_clip,) = ended(walk, chosen, clips=True)
    assert with_clip.outcome is not None and with_clip.outcome.clip is not None and with_clip.snapshot is not None
    assert with_clip.snapshot.frame == with_clip.event.best_frame
    beside = with_clip.outcome.clip.snapshot
    assert beside is not None
    assert with_clip.snapshot.data == (tmp_path / "clips" / beside).read_bytes()
    (without,) = ended(walk, chosen, clips=False)
    assert without.snapshot == with_clip.snapshot


def test_an_event_that_the_end_of_the_recording_closes_has_one(
    recording: Callable[..., Path], plan: Plan, ended: Callable[..., list[EventEnded]]
) -> None:
    (event,) = ended(recording("cut.mp4", seconds=5.5), plan("motion"), clips=False)
    assert event.snapshot is not None and event.snapshot.frame == event.event.best_frame


def test_none_is_made_where_none_is_asked_for(walk: Path, plan: Plan, sandboxing: Sandboxing) -> None:
    news = list(RecordingRun(str(walk), plan("motion"), sandboxing, None).run())
    assert [each.snapshot for each in news if isinstance(each, EventEnded)] == [None]
