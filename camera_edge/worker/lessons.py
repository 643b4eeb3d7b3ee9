"""Teaches the analyzer `normality` what is usual in recordings: passes of the worker's pipeline over all of them.

Invariant: what a pass learned travels in the module's own store, from one recording to the next, in this process's
memory alone; only the end of the last pass is given away, without what the passes needed in between.

The passes: `scene` (what the empty place looks like), `sizes` (how high things are in each row), `habits` twice (where
and how things move, what they look like; the second time the nets know already what is hard), `measure` (what is said
of frames by what was learned from other occasions, by which scores are calibrated).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from camera_edge.errors import QuarantineError, SourceError
from camera_edge.sandbox import shipped
from camera_edge.settings import CameraSettings
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.pipeline import Step
from camera_edge.worker.plan import AnalyzerPlan, CameraPlan, assemble
from camera_edge.worker.recordings import RecordingRun, Summary

NORMALITY = "normality"
PASSES = ("scene", "sizes", "habits", "habits", "measure")
# wasm_analyzers/normality/state.h: magic, version, bytes, checksum, width, height, stage, sealed, samples
_HEAD = struct.Struct("<8sIIQHHHHI")
_MAGIC = b"CE-NORM\0"
# few recordings are cut into occasions of this length, so that what was learned can be measured by what was not
SLICE_S = 20.0
ENOUGH_RECORDINGS = 4
WHOLE_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Recording:
    """A source to learn from: its address, and its camera's settings (rate, privacy masks)."""

    address: str
    settings: CameraSettings


@dataclass(frozen=True, slots=True)
class LessonStep:
    """One analysed frame: of which pass (0 is the first), which recording."""

    step: int
    recording: int


@dataclass(frozen=True, slots=True)
class Learned:
    """What `normality:state=FILE` reads, and what it was made of."""

    state: bytes
    frames: int
    recordings: int


def teach(recordings: Sequence[Recording], sandboxing: Sandboxing) -> Iterator[LessonStep | Learned]:
    """Yields every analysed frame, and `Learned` last.

    Raises SourceError and UndecodableError where a recording cannot be read, SourceError where nothing moves in any of
    them or their pictures differ in size, QuarantineError where the module fails.
    """
    state, frames = b"", 0
    for step, name in enumerate(PASSES):
        frames = 0
        for index, recording in enumerate(recordings):
            run = RecordingRun(
                recording.address, _plan(recording, name, index, len(recordings), state), sandboxing, None
            )
            for news in run.run():
                if isinstance(news, Step):
                    yield LessonStep(step, index)
                elif isinstance(news, Summary):
                    _check(news, recording)
                    state, frames = news.states.get(NORMALITY, b""), frames + news.analysed
        _check_progress(name, state, recordings)
    yield Learned(state[: _Head.of(state).kept], frames, len(recordings))


@dataclass(frozen=True, slots=True)
class _Head:
    """The head of a state."""

    kept: int
    stage: int
    sealed: bool

    @classmethod
    def of(cls, state: bytes) -> _Head:
        if len(state) < _HEAD.size or not state.startswith(_MAGIC):
            return cls(0, 0, sealed=False)
        _, _, kept, _, _, _, stage, sealed, _ = _HEAD.unpack_from(state)
        return cls(kept, stage, bool(sealed))


def _plan(recording: Recording, name: str, index: int, count: int, state: bytes) -> CameraPlan:
    module = shipped(NORMALITY)
    params: dict[str, str | float] = {
        "learn": name,
        "occasion": float(index),
        "occasion_s": SLICE_S if count < ENOUGH_RECORDINGS else WHOLE_S,
    }
    # nothing is shown to anybody, so nothing else has to say what moves
    analyzer = AnalyzerPlan(NORMALITY, module, module.manifest.grant_all(params), params, state=state)
    return replace(assemble("learn", recording.settings, [analyzer]), rules=())


def _check(summary: Summary, recording: Recording) -> None:
    if NORMALITY in summary.broken:
        raise QuarantineError(
            f"normality {summary.broken[NORMALITY]}",
            where=recording.settings.safe_source,
            hint="learn from recordings of one camera, all of one size",
        )


def _check_progress(name: str, state: bytes, recordings: Sequence[Recording]) -> None:
    """What a pass must have brought. Raises SourceError."""
    head = _Head.of(state)
    if name == PASSES[-1] and not head.sealed:
        raise SourceError(
            f"nothing could be learned from {len(recordings)} recording(s): too little moves in them",
            where=recordings[0].settings.safe_source,
            hint="give recordings of some minutes in which the usual things happen, of a camera that does not move",
        )
