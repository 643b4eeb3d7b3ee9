"""Runs all measurements, one after the other, and says what it is doing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from camera_edge.bench.clip import make_clip
from camera_edge.bench.crowd import measure_crowd
from camera_edge.bench.figures import Figures, Percentiles
from camera_edge.bench.memory import pss_per_camera
from camera_edge.bench.metering import measure_metering
from camera_edge.bench.recording import compare
from camera_edge.bench.sandboxed import Speed, measure_speed
from camera_edge.bench.waking import measure_waking
from camera_edge.capture import Frame, SourceOptions, open_source
from camera_edge.config import CameraConfig
from camera_edge.packages.measure import measure_install
from camera_edge.sandbox import Grants
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.plan import CameraPlan, Supply, plan_camera
from camera_edge.worker.sampler import Sampler

CLIP_FRAMES = 500


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """`source` None: a clip of 1080p25 H.264 is generated. `say` is told of each step."""

    source: Path | None
    sandboxing: Sandboxing
    say: Callable[[str], None]


def run_bench(options: BenchOptions) -> Figures:
    """Takes about a minute. Raises SourceError, UndecodableError, OutputError."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="camera-edge-bench-")))
        path = options.source
        if path is None:
            options.say(f"generating {CLIP_FRAMES} frames of 1080p25 H.264")
            path = folder / "1080p25.mp4"
            make_clip(path, 1920, 1080, CLIP_FRAMES)
        plan = _quiet_plan(str(path))
        options.say("a bare read loop against the camera's pipeline, five passes each")
        comparison = compare(path, plan, options.sandboxing)
        options.say("the sandbox against native code")
        motion = plan.analyzers[0]
        frames = _some_frames(path, plan)
        # the middle one of three: on a shared machine a single run moves by a tenth
        speed = sorted((measure_speed(motion, frames, options.sandboxing) for _ in range(3)), key=_slowdown)[1]
        options.say("waking, fuel, a thousand sandboxes, installing a package")
        program = options.sandboxing.runtime.load(motion.module, options.sandboxing.cache)
        grants = Grants(motion.capabilities, motion.params)
        waking = measure_waking(options.sandboxing.runtime, options.sandboxing.cache, frames[0].picture)
        metering = measure_metering(frames)
        crowd = measure_crowd(program, grants)
        install = measure_install(folder / "install")
        options.say("memory of four workers, 720p")
        clip = folder / "720p25.mp4"
        make_clip(clip, 1280, 720, CLIP_FRAMES)
        pss_mb = _pss_mb(clip, folder / "state")
        return Figures(
            frames=comparison.frames,
            read_ms=comparison.read_ms,
            pipeline_ms=comparison.pipeline_ms,
            ratio=comparison.pipeline_ms / comparison.read_ms,
            stages=comparison.stages,
            instantiate_us=speed.costs.instantiate_us,
            map_us=speed.costs.map_us,
            call_us=speed.costs.call_us,
            sandbox_ms=speed.sandbox_ms,
            native_ms=speed.native_ms,
            frame_to_event_ms=comparison.frame_to_event_ms,
            pss_mb=pss_mb,
            wake_ms={name: Percentiles.of(spent_ms) for name, spent_ms in waking.items()},
            metering=metering,
            crowd=crowd,
            install=install,
        )


def _quiet_plan(source: str) -> CameraPlan:
    """`motion` at 5 frames a second, with a rule that no observation matches."""
    config = CameraConfig.model_validate({"source": source, "rules": {"never": {"kinds": ["nothing"]}}}).settings()
    return plan_camera("bench", config, Supply.of(Path("/nonexistent")))


def _some_frames(path: Path, plan: CameraPlan, count: int = 100) -> list[Frame]:
    """Analysed frames of the recording, as many as there are up to `count`."""
    sampler = Sampler(plan.rate_hz)
    frames: list[Frame] = []
    with open_source(str(path), SourceOptions()) as source:
        while len(frames) < count and (grab := source.read()) is not None:
            frames += [frame for frame in grab.frames if sampler.due(frame.media_us)]
    return frames


def _slowdown(speed: Speed) -> float:
    return speed.sandbox_ms / (speed.native_ms or 1.0)


def _pss_mb(clip: Path, state: Path) -> float | None:
    """None where the kernel does not let us look: a worker is not dumpable, so only root may."""
    try:
        return asyncio.run(pss_per_camera(clip, state))
    except PermissionError:
        return None
