"""Clips that are made while a recording is analysed."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.capture import SourceOptions, open_source
from camera_edge.clips import ClipFolder, ClipMetadata
from camera_edge.sandbox import shipped
from camera_edge.worker.assembly import Output, Sandboxing, assemble_camera
from camera_edge.worker.plan import CameraPlan
from camera_edge.worker.recorder import ClipOutcome
from camera_edge.worker.recordings import EventEnded, RecordingRun, Summary

Make = Callable[..., Path]
Plan = Callable[..., CameraPlan]
Grey = NDArray[np.uint8]

FPS = 25
# emits the middle of the picture in every frame up to the 90th, with a score that grows by a thousandth a frame
GROWING = r"""
(import "camera_edge" "emit" (func $emit (param i32) (result i32)))
(memory (export "memory") 2)
(data (i32.const 64) "thing")
(data (i32.const 128) "\40\00\00\00" "\05\00\00\00" "\00\00\00\00" "\ff\ff\ff\ff")
(data (i32.const 144) "\00\00\80\3e" "\00\00\80\3e" "\00\00\80\3e" "\00\00\80\3e" "\00\00\00\00" "\00\00\00\00")
(func (export "analyze") (param $slot i32) (result i32) (local $frame i64)
  (local.set $frame (i64.load (i32.add (local.get $slot) (i32.const 8))))
  (if (i64.gt_u (local.get $frame) (i64.const 90)) (then (return (i32.const 0))))
  (f32.store (i32.const 136) (f32.div (f32.convert_i64_u (local.get $frame)) (f32.const 1000)))
  (call $emit (i32.const 128)))
"""
FLAKY = """
(func (export "analyze") (param $slot i32) (result i32)
  (if (i64.eq (i64.load (i32.add (local.get $slot) (i32.const 8))) (i64.const 50)) (then (unreachable)))
  (i32.const 0))
"""


@dataclass(frozen=True, slots=True)
class Clip:
    """A finished clip, read back: its metadata, its pictures and when each is shown."""

    metadata: ClipMetadata
    pictures: list[Grey]
    shown_s: list[float]
    snapshot: Grey

    @classmethod
    def read(cls, folder: Path, ended: EventEnded) -> "Clip":
        assert ended.outcome is not None and ended.outcome.clip is not None, ended.outcome
        metadata = ClipMetadata.from_file(folder / ended.outcome.clip.metadata)
        with av.open(str(folder / metadata.clip.name)) as container:
            frames = list(container.decode(video=0))
        assert metadata.snapshot is not None
        snapshot = cv2.imread(str(folder / metadata.snapshot.name), cv2.IMREAD_GRAYSCALE)
        assert snapshot is not None
        return cls(
            metadata,
            [grey(frame) for frame in frames],
            [float(frame.time or 0) for frame in frames],
            snapshot.astype(np.uint8),
        )

    @property
    def first(self) -> int:
        """The source's number of the clip's first picture; those of a whole recording have no gap."""
        (span,) = self.metadata.frames.ranges
        assert span.last - span.first + 1 == self.metadata.frames.count == len(self.pictures)
        return span.first


@dataclass(frozen=True, slots=True)
class Runner:
    sandboxing: Sandboxing
    out: Path

    def events(self, path: Path, plan: CameraPlan) -> list[EventEnded]:
        news = list(RecordingRun(str(path), plan, self.sandboxing, self.out).run())
        assert isinstance(news[-1], Summary)
        return [each for each in news if isinstance(each, EventEnded)]

    def clip(self, path: Path, plan: CameraPlan) -> Clip:
        (ended,) = self.events(path, plan)
        return Clip.read(self.out, ended)


@pytest.fixture
def runner(sandboxing: Sandboxing, tmp_path: Path) -> Runner:
    return Runner(sandboxing, tmp_path / "clips")


@pytest.fixture
def source_pictures(walk: Path) -> list[Grey]:
    with av.open(str(walk)) as container:
        return [grey(frame) for frame in container.decode(video=0)]


def grey(frame: av.VideoFrame) -> Grey:
    return frame.to_ndarray(format="gray").astype(np.uint8)


def texture(picture: Grey, rows: slice, columns: slice) -> float:
    """How far pixels differ from their neighbours, on average."""
    part = picture[rows, columns].astype(np.int16)
    return float(np.abs(np.diff(part, axis=0)).mean() + np.abs(np.diff(part, axis=1)).mean())


def test_a_clip_has_every_picture_of_the_source_from_before_to_after_the_event(
    walk: Path, plan: Plan, runner: Runner
) -> None:
    clip = runner.clip(walk, plan("motion", clip={"before_s": 1, "after_s": 3.5}))
    event = clip.metadata.event
    assert clip.first == round((event.opened_s - 1) * FPS)
    assert len(clip.pictures) == round((event.closed_s + 3.5 - event.opened_s + 1) * FPS) + 1
    assert clip.shown_s == pytest.approx([number / FPS for number in range(len(clip.pictures))], abs=1e-4)
    assert clip.metadata.clip.duration_s == pytest.approx(len(clip.pictures) / FPS, abs=1e-3)


def test_the_pre_roll_of_an_early_event_begins_with_the_recording(
    recording: Make, plan: Plan, runner: Runner, eager: Path
) -> None:
    clip = runner.clip(recording("short.mp4", seconds=1.0), plan(eager))
    assert (clip.first, len(clip.pictures)) == (0, 25)


def test_a_long_event_is_cut_and_marked_and_told_in_full(walk: Path, plan: Plan, runner: Runner, eager: Path) -> None:
    clip = runner.clip(walk, plan(eager, clip={"longest_s": 2}))
    assert len(clip.pictures) == 2 * FPS + 1
    assert clip.metadata.counters.truncated
    assert (clip.metadata.event.opened_s, clip.metadata.event.closed_s) == (0.0, 274 / FPS)


def test_metadata_tells_hashes_sizes_modules_and_frames(walk: Path, plan: Plan, runner: Runner) -> None:
    clip = runner.clip(walk, plan("motion"))
    metadata = clip.metadata
    for record in (metadata.clip, metadata.snapshot):
        assert record is not None
        data = (runner.out / record.name).read_bytes()
        assert (record.sha256, record.bytes) == (hashlib.sha256(data).hexdigest(), len(data))
        assert (record.width, record.height) == (320, 240)
    assert [(module.name, module.sha256) for module in metadata.modules] == [("motion", shipped("motion").sha256)]
    assert (metadata.source, metadata.event.camera, metadata.models) == ("recording", "camera", ())
    assert metadata.redaction.required == ("motion",)
    assert {runtime.name for runtime in metadata.fingerprint.runtimes} >= {"camera-edge", "wasmtime", "av"}
    assert "h264" in metadata.fingerprint.decoder
    assert (metadata.counters.missing_frames, metadata.counters.truncated) == (0, False)


def test_the_snapshot_is_the_best_frame_though_the_score_grew_in_steps_too_small_for_news(
    recording: Make, module: Make, plan: Plan, runner: Runner
) -> None:
    path = recording("flicker.mp4", seconds=6.0, flicker=True, walks=(0.0, 0.0))
    clip = runner.clip(path, plan(module("growing", GROWING)))
    assert clip.metadata.event.best_frame == 90
    corner = np.s_[180:, 240:]
    apart = [abs(float(picture[corner].mean()) - float(clip.snapshot[corner].mean())) for picture in clip.pictures]
    assert apart[90] < 2
    # its neighbours, and the last frame that was news, are brighter or darker
    assert min(apart[89], apart[91], apart[50]) > 8


def test_a_clip_shows_the_source_except_where_something_was_seen(
    walk: Path, plan: Plan, runner: Runner, eager: Path, source_pictures: list[Grey]
) -> None:
    clip = runner.clip(walk, plan(eager))
    # seen: a quarter to a half; hidden: that, and more on each side
    seen, apart = (slice(60, 120), slice(80, 160)), (slice(180, 240), slice(224, 320))
    for number in (0, 12, 60, 99, 270):
        shown, true = clip.pictures[number], source_pictures[clip.first + number]
        assert np.abs(shown[apart].astype(int) - true[apart]).mean() < 3
        assert texture(true, *seen) > 2
        assert texture(shown, *seen) < 0.5 * texture(true, *seen)
        blocks = shown[60:120, 80:160].reshape(60, -1)
        assert len(np.unique(blocks // 8)) < len(np.unique(true[60:120, 80:160] // 8))


def test_pictures_around_a_frame_without_an_answer_are_hidden_wholly(
    walk: Path, module: Make, plan: Plan, runner: Runner, eager: Path
) -> None:
    """Both must have answered; the flaky one fails on frame 50."""
    flaky = module("flaky", FLAKY)
    clip = runner.clip(walk, plan(eager, flaky))
    wholly = [clip.first + number for number, picture in enumerate(clip.pictures) if picture.std() < 1]
    assert wholly == list(range(46, 55))
    assert clip.metadata.counters.hidden_frames == 9


def test_with_no_answer_at_all_nothing_is_shown(
    walk: Path, module: Make, plan: Plan, runner: Runner, eager: Path
) -> None:
    dead = module("dead", '(func (export "analyze") (param i32) (result i32) (unreachable))')
    clip = runner.clip(walk, plan(eager, dead))
    assert len(clip.pictures) == clip.metadata.counters.hidden_frames == 275
    assert max(picture.std() for picture in clip.pictures) < 1
    assert clip.snapshot.std() < 1


def test_while_the_scene_is_learned_nothing_of_it_is_shown(
    walk: Path, plan: Plan, runner: Runner, eager: Path, source_pictures: list[Grey]
) -> None:
    both = plan("motion", eager)
    (clip,) = [Clip.read(runner.out, ended) for ended in runner.events(walk, both) if ended.event.analyzer == "eager"]
    everywhere = slice(0, 240), slice(0, 320)
    for number in (0, 30, 90):
        assert texture(clip.pictures[number], *everywhere) < 0.6 * texture(source_pictures[number], *everywhere)
    assert np.abs(clip.pictures[-1][:60].astype(int) - source_pictures[274][:60]).mean() < 3


def test_who_makes_clips_too_slowly_loses_the_oldest_pictures_and_says_so(
    walk: Path, plan: Plan, runner: Runner, eager: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camera_edge.worker.assembly.PREROLL_MAX_BYTES", 200_000)
    folder = ClipFolder(runner.out)
    folder.open()
    outcomes: list[ClipOutcome] = []
    with open_source(str(walk), SourceOptions()) as source:
        camera = assemble_camera(plan(eager), runner.sandboxing, Output(folder, source.fingerprint(), outcomes.append))
        assert camera.recorder is not None
        while (grab := source.read()) is not None:
            for tick in camera.pipeline.take(grab):
                step = camera.pipeline.digest(tick)
                # in time for the beginning, then not before the end
                if step.seen.frame <= 50:
                    camera.recorder.work()
        for tick in camera.pipeline.take_last():
            camera.pipeline.digest(tick)
        camera.pipeline.finish()
        camera.recorder.work()
        camera.close()
    (outcome,) = outcomes
    clip = Clip.read(runner.out, EventEnded(outcome.event, outcome))
    frames = clip.metadata.frames
    assert frames.ranges[0].first == 0
    # what was lost ends at a key frame
    assert (frames.ranges[-1].first % FPS, frames.ranges[-1].last) == (0, 274)
    assert frames.count == len(clip.pictures)
    assert frames.count + clip.metadata.counters.missing_frames == 275
    assert clip.metadata.counters.missing_frames > 25


def test_a_run_that_is_left_in_the_middle_leaves_no_file(walk: Path, plan: Plan, runner: Runner, eager: Path) -> None:
    run = RecordingRun(str(walk), plan(eager), runner.sandboxing, runner.out).run()
    for _ in range(30):
        next(run)
    assert [path.suffix for path in runner.out.iterdir()] == [".part"]
    run.close()
    assert not list(runner.out.iterdir())


def test_two_events_at_a_time_have_a_clip_each(walk: Path, plan: Plan, runner: Runner, eager: Path) -> None:
    ended = runner.events(walk, plan("motion", eager))
    assert {each.event.analyzer for each in ended} == {"motion", "eager"}
    clips = [Clip.read(runner.out, each) for each in ended]
    assert len({clip.metadata.clip.name for clip in clips}) == 2


def test_the_same_recording_gives_the_same_bytes(
    walk: Path, plan: Plan, sandboxing: Sandboxing, tmp_path: Path
) -> None:
    hashes = []
    for name in ("first", "second"):
        runner = Runner(sandboxing, tmp_path / name)
        clip = runner.clip(walk, plan("motion"))
        assert clip.metadata.snapshot is not None
        hashes.append((clip.metadata.clip.sha256, clip.metadata.snapshot.sha256))
    assert hashes[0] == hashes[1]
