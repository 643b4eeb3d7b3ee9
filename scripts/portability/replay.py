"""Replays a tape in wasmtime, on this CPU or in its interpreter: `python -m scripts.portability.replay TAPE [TARGET]`.

Prints one line of JSON, a `Replay`. Needs no more than the sandbox does: wasmtime, numpy, msgspec.

Invariant: the sandbox is the shipped one; the ring is mapped and the answers checked as on a camera. A module's first
frame without an answer is the last of its reel.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from camera_edge.errors import CameraEdgeError, ModelError, UsageError
from camera_edge.observation import Box
from camera_edge.sandbox import Analyzer, Cache, Grants, RingMap, Runtime, Services, load_module
from scripts.portability.tape import ANSWERS, MODULE, RING, SLOTS, Reel, Replay, open_part, read_tape
from scripts.portability.transcript import Summary, Transcript
from scripts.portability.witness import witnessed


class Prompter:
    """Answers `infer` as it was answered when the tape was made: the n-th call gets the n-th answer."""

    def __init__(self, answers: BinaryIO, counts: tuple[int, ...]) -> None:
        self._answers = answers
        self._counts = iter(counts)

    def infer(self, _model: str, _region: Box) -> NDArray[np.float32]:
        """Raises ModelError after the last one."""
        count = next(self._counts, None)
        if count is None:
            raise ModelError("the tape holds no further answer")
        return np.frombuffer(self._answers.read(4 * count), "<f4")


@dataclass(frozen=True, slots=True)
class Projector:
    """Shows the frames of a reel, one after the other, in a ring of its own."""

    reel: Reel
    slots: BinaryIO
    ring: RingMap

    def show_all(self, analyzer: Analyzer, transcript: Transcript) -> bool:
        """Whether each frame got an answer; the first without one is the last that is shown."""
        assert self.ring.fd is not None, "it was made with one"
        for frame in self.reel.frames:
            os.pwrite(self.ring.fd, self.slots.read(self.reel.slot_bytes), frame.slot_offset)
            answer = analyzer.analyze(frame.slot_offset, frame.sequence, frame.media_us)
            transcript.cut()
            if answer is None:
                return False
        return True


@contextmanager
def _projector(folder: Path, reel: Reel) -> Iterator[Projector]:
    fd = os.memfd_create("camera-edge-tape", os.MFD_CLOEXEC)
    try:
        with open_part(folder, reel, RING, reel.ring_bytes) as ring:
            os.pwrite(fd, ring.read(), 0)
        with open_part(folder, reel, SLOTS, reel.slot_bytes * len(reel.frames)) as slots:
            yield Projector(reel, slots, RingMap(fd, reel.ring_bytes))
    finally:
        os.close(fd)


def replay_reel(runtime: Runtime, cache: Cache, folder: Path, reel: Reel) -> Summary:
    """Raises ModuleError where the module does not start, UsageError for a damaged tape."""
    program = runtime.load(load_module(folder / reel.name / MODULE), cache)
    params = {param.name: param.text if param.number is None else param.number for param in reel.params}
    grants = Grants(frozenset(reel.capabilities), params)
    transcript = Transcript()
    with (
        _projector(folder, reel) as projector,
        open_part(folder, reel, ANSWERS, 4 * sum(reel.answers)) as answers,
        witnessed(transcript),
    ):
        services = Services(infer=Prompter(answers, reel.answers).infer if reel.models else None)
        with closing(Analyzer(program, grants, services, projector.ring)) as analyzer:
            analyzer.open()
            transcript.cut()
            if projector.show_all(analyzer, transcript):
                analyzer.close()
            transcript.cut()
            return transcript.summary(analyzer.counters.fuel)


def replay(folder: Path, target: str | None) -> Replay:
    """Every reel of the tape in `folder`. Raises CameraEdgeError."""
    runtime = Runtime(target)
    machine = target or platform.machine()
    tape = read_tape(folder)
    with tempfile.TemporaryDirectory(prefix="camera-edge-replay-") as cache:
        reels = {reel.name: replay_reel(runtime, Cache(Path(cache)), folder, reel) for reel in tape.reels}
    return Replay(f"wasmtime {importlib.metadata.version('wasmtime')} on {machine}", reels)


def main(arguments: list[str]) -> int:
    try:
        if not 1 <= len(arguments) <= 2:
            raise UsageError("replay TAPE [TARGET]")
        result = replay(Path(arguments[0]), arguments[1] if len(arguments) == 2 else None)
    except CameraEdgeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
