"""The camera's pipeline against a bare `cv2.VideoCapture.read()` loop, over the same file.

Invariant: one thread each, passes interleaved; the fastest pass of each side counts, as the one with least disturbance.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2

from camera_edge.bench.figures import Percentiles, Stages
from camera_edge.capture import SourceOptions, open_source
from camera_edge.clips import ClipFolder
from camera_edge.errors import UndecodableError
from camera_edge.worker.assembly import Output, Sandboxing, assemble_camera
from camera_edge.worker.plan import CameraPlan
from camera_edge.worker.recorder import ClipOutcome


@dataclass(frozen=True, slots=True)
class Comparison:
    """CPU milliseconds per source frame, the stages of the fastest pass, and the wall time from frame to verdict."""

    frames: int
    read_ms: float
    pipeline_ms: float
    stages: Stages
    frame_to_event_ms: Percentiles


@dataclass(slots=True)
class _Pass:
    """One run of the pipeline; CPU nanoseconds by stage."""

    frames: int = 0
    cpu_ns: int = 0
    stages_ns: dict[str, int] = field(default_factory=lambda: {"capture": 0, "keep": 0, "analyze": 0, "rules": 0})
    latencies_ms: list[float] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started_ns = time.thread_time_ns()
        yield
        self.stages_ns[name] += time.thread_time_ns() - started_ns


def compare(path: Path, plan: CameraPlan, sandboxing: Sandboxing, rounds: int = 5) -> Comparison:
    """`plan` should open no event. Raises UndecodableError where the file has no picture."""
    reads: list[tuple[int, int]] = []
    passes: list[_Pass] = []
    for _ in range(rounds):
        reads.append(_read_all(path))
        passes.append(_pipeline(path, plan, sandboxing))
    frames, read_ns = min(reads, key=lambda each: each[1])
    best = min(passes, key=lambda each: each.cpu_ns)
    if frames == 0 or best.frames == 0:
        raise UndecodableError("no picture in it could be decoded", where=str(path), hint="give a video that plays")
    per_frame = {name: spent / 1e6 / best.frames for name, spent in best.stages_ns.items()}
    return Comparison(
        frames=best.frames,
        read_ms=read_ns / 1e6 / frames,
        pipeline_ms=best.cpu_ns / 1e6 / best.frames,
        stages=Stages(**per_frame),
        frame_to_event_ms=Percentiles.of([latency for each in passes for latency in each.latencies_ms]),
    )


def _read_all(path: Path) -> tuple[int, int]:
    """Frames, and CPU nanoseconds of a bare read loop with one decoder thread."""
    started_ns = time.process_time_ns()
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    frames = 0
    while capture.read()[0]:
        frames += 1
    capture.release()
    return frames, time.process_time_ns() - started_ns


def _pipeline(path: Path, plan: CameraPlan, sandboxing: Sandboxing) -> _Pass:
    done = _Pass()
    started_ns = time.process_time_ns()
    with TemporaryDirectory() as spool, open_source(str(path), SourceOptions()) as source:
        folder = ClipFolder(Path(spool))
        folder.open()
        camera = assemble_camera(plan, sandboxing, Output(folder, source.fingerprint(), _no_clip))
        recorder = camera.recorder
        assert recorder is not None
        while True:
            arrived_ns = time.perf_counter_ns()
            with done.stage("capture"):
                grab = source.read()
            if grab is None:
                break
            with done.stage("keep"):
                ticks = list(camera.pipeline.take(grab))
            for tick in ticks:
                with done.stage("analyze"):
                    seen = camera.analysis.analyze(tick)
                with done.stage("rules"):
                    camera.pipeline.conclude(tick, seen)
                    recorder.work()
                done.latencies_ms.append((time.perf_counter_ns() - arrived_ns) / 1e6)
        done.frames = camera.pipeline.frames
        camera.pipeline.finish()
        recorder.work()
        camera.close()
    done.cpu_ns = time.process_time_ns() - started_ns
    return done


def _no_clip(outcome: ClipOutcome) -> None:
    raise AssertionError(f"the benchmark's rules opened event {outcome.event.id}")
