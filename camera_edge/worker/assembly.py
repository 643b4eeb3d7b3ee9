"""Puts the rooms together for one camera: what crosses between them is handed over here.

Invariant: one redaction history, one privacy mask and one way to redact for all that is made of a camera's pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from camera_edge.capture import Stream
from camera_edge.clips import ClipFolder, PreRoll
from camera_edge.frames import PrivacyMask
from camera_edge.redact import RedactionHistory
from camera_edge.sandbox import Cache, Runtime
from camera_edge.worker.analysis import Analysis
from camera_edge.worker.crew import CrewPolicy
from camera_edge.worker.pipeline import Pipeline
from camera_edge.worker.plan import CameraPlan
from camera_edge.worker.provenance import Provenance, provenance
from camera_edge.worker.recorder import ClipOutcome, ClipTimes, Recorder
from camera_edge.worker.recording import Studio
from camera_edge.worker.redactor import Redactor

MICROSECONDS = 1_000_000
PREROLL_MAX_BYTES = 64 << 20
# what a camera whose every frame is analysed gives, for judging who is too slow for it
NATIVE_HZ = 25.0
# what the makers of clips may lag behind before they lose pictures
SLACK_US = 10 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class Output:
    """Where clips go, what decoded their pictures, and who is told of each."""

    folder: ClipFolder
    decoder: str
    done: Callable[[ClipOutcome], None]


@dataclass(frozen=True, slots=True)
class Assembly:
    """The parts of one running camera."""

    analysis: Analysis
    redactor: Redactor
    recorder: Recorder | None
    pipeline: Pipeline

    def close(self) -> None:
        """Ends all; clips that `work` has not finished by now are given up."""
        if self.recorder is not None:
            self.recorder.abandon()
        self.analysis.close()


@dataclass(frozen=True, slots=True)
class Sandboxing:
    """What compiled modules come from."""

    runtime: Runtime
    cache: Cache

    @classmethod
    def of(cls, cache: Path, *, read_only: bool) -> Sandboxing:
        return cls(Runtime(), Cache(cache, read_only=read_only))


def assemble_camera(
    plan: CameraPlan, sandboxing: Sandboxing, output: Output | None, first_number: int = 0, *, live: bool = False
) -> Assembly:
    """`output` None: no packet is kept and no clip is made. `live`: what one module does must not stop the others."""
    slow_us = round(MICROSECONDS / (plan.rate_hz or NATIVE_HZ))
    policy = CrewPolicy(strict=False, slow_us=slow_us) if live else CrewPolicy()
    analysis = Analysis(plan, sandboxing.runtime, sandboxing.cache, policy)
    times = ClipTimes(
        round(plan.clip.before_s * MICROSECONDS),
        round(plan.clip.after_s * MICROSECONDS),
        round(plan.clip.longest_s * MICROSECONDS),
    )
    longest_hold_us = max((rule.hold_us for rule in plan.rules), default=0)
    keep_us = times.before_us + longest_hold_us + SLACK_US
    history = RedactionHistory(plan.redaction, keep_us + SLACK_US)
    redactor = Redactor(history, PrivacyMask(plan.privacy_masks), plan.mode)
    recorder = None
    if output is not None:
        streams: dict[int, Stream] = {}
        decoder = output.decoder

        def made_of() -> Provenance:
            return provenance(analysis.plan, analysis.crew.versions, decoder)

        studio = Studio(PreRoll(keep_us, PREROLL_MAX_BYTES), streams, redactor, output.folder, made_of)
        recorder = Recorder(studio, streams, times, output.done)
    return Assembly(analysis, redactor, recorder, Pipeline(plan, analysis, history, recorder, first_number))
