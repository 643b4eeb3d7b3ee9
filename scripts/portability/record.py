"""Records a tape: runs each shipped module over a source, and keeps what it was shown and told.

Invariant: modules, rings and models are those of a camera. A run in which a module fails is no tape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from camera_edge.capture import Frame, SourceOptions, open_source
from camera_edge.errors import ModuleError, OutputError, SandboxError, UsageError
from camera_edge.frames import PrivacyMask, Ring, View
from camera_edge.frames.ring import HEADER_BYTES
from camera_edge.observation import Box
from camera_edge.sandbox import Analyzer, Cache, Grants, ModuleFile, Program, RingMap, Runtime, Services, functions, nn
from camera_edge.sandbox.capability import Capabilities
from camera_edge.sandbox.module import MANIFEST_NAME
from camera_edge.worker.sampler import Sampler
from scripts.portability.tape import ANSWERS, MODULE, RING, SLOTS, Param, Reel, TapedFrame
from scripts.portability.transcript import Transcript
from scripts.portability.witness import witnessed

RATE_HZ = 5.0
# a corner that nobody may see and a zone, so that the map of zones has something in it
PRIVACY = [[(0.0, 0.0), (0.25, 0.0), (0.25, 0.2), (0.0, 0.2)]]
ZONES = [[(0.4, 0.4), (0.9, 0.4), (0.9, 1.0), (0.4, 1.0)]]

# the outputs of a model for a picture, as `Session.infer` gives them; the number counts frames from 0
Look = Callable[[int, NDArray[np.uint8], Box], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Part:
    """A module to be recorded: with which parameters, on which source, and who answers `infer`."""

    name: str
    module: ModuleFile
    manifest: bytes
    source: str
    made_of: str
    params: dict[str, str | float]
    look: Look | None = None


@dataclass(frozen=True, slots=True)
class Studio:
    """What parts are recorded with, and the folder of the tape."""

    runtime: Runtime
    cache: Cache
    folder: Path


def frames_of(address: str, count: int) -> Iterator[Frame]:
    """The first `count` frames that a camera would analyse."""
    sampler = Sampler(RATE_HZ)
    with open_source(address, SourceOptions()) as source:
        while count > 0 and (grab := source.read()) is not None:
            for frame in grab.frames:
                if count > 0 and sampler.due(frame.media_us):
                    count -= 1
                    yield frame


def record_part(studio: Studio, part: Part, count: int) -> Reel:
    """Raises SourceError, ModuleError, ModelError; SandboxError where the module gives no answer; OutputError."""
    program = studio.runtime.load(part.module, studio.cache)
    for wanted in program.compiled.imports:
        # through wasi-nn no model is run here: all runtimes say that it is not found
        if wanted.module not in (functions.MODULE, nn.MODULE):
            raise ModuleError(
                f"imports {wanted.module}.{wanted.name}, which is not taped",
                where=part.name,
                hint=f"a module that imports nothing but {functions.MODULE} can be",
            )
    frames = frames_of(part.source, count)
    first = next(frames, None)
    if first is None:
        raise UsageError("there is no frame to record", where=part.made_of, hint="name another --source")
    folder = studio.folder / part.name
    try:
        folder.mkdir()
        (folder / MODULE).write_bytes(part.module.wasm)
        (folder / MANIFEST_NAME).write_bytes(part.manifest)
        with Take(program, part, folder, first) as take:
            for frame in (first, *frames):
                take.frame(frame)
        return take.reel
    except OSError as error:
        raise OutputError(f"the tape cannot be written: {error.strerror}", where=str(folder)) from error


class Take:
    """One module at its frames, with everything that goes into its reel. `reel` is there once it is closed."""

    def __init__(self, program: Program, part: Part, folder: Path, first: Frame) -> None:
        self.reel: Reel
        self._part = part
        self._program = program
        self._folder = folder
        self._privacy = PrivacyMask(PRIVACY)
        view = View.fit(part.module.manifest.view.spec, first.picture.width, first.picture.height)
        self._ring = Ring(view, zones=self._privacy.zones_map(view, ZONES))
        self._slot_bytes = HEADER_BYTES + view.pixel_bytes
        self._grants = Grants(part.module.manifest.grant_all(part.params), part.params)
        self._transcript = Transcript()
        self._bgr: NDArray[np.uint8] | None = None
        self._frames: list[TapedFrame] = []
        self._answers: list[int] = []
        self._stack = ExitStack()

    def __enter__(self) -> Take:
        with ExitStack() as stack:
            stack.callback(self._ring.close)
            (self._folder / RING).write_bytes(self._ring.memory)
            self._slots_file = stack.enter_context((self._folder / SLOTS).open("wb"))
            self._answers_file = stack.enter_context((self._folder / ANSWERS).open("wb"))
            stack.enter_context(witnessed(self._transcript))
            services = Services(infer=self._infer if self._part.look is not None else None)
            ring = RingMap(self._ring.fd, self._ring.size_bytes, self._ring.memory)
            self._analyzer = Analyzer(self._program, self._grants, services, ring)
            self._analyzer.open()
            self._transcript.cut()
            self._stack = stack.pop_all()
        return self

    def frame(self, frame: Frame) -> None:
        """Raises SandboxError where the module has no answer for it."""
        picture = self._privacy.apply(frame.picture)
        slot = self._ring.write(picture, sequence=frame.id, media_us=frame.media_us)
        assert slot is not None, "every slot is given back"
        self._slots_file.write(self._ring.memory[slot.offset : slot.offset + self._slot_bytes])
        self._frames.append(TapedFrame(slot.sequence, slot.media_us, slot.offset))
        self._bgr = picture.to_bgr() if self._part.look is not None else None
        answer = self._analyzer.analyze(slot.offset, slot.sequence, slot.media_us)
        self._transcript.cut()
        self._ring.release(slot)
        if answer is None:
            raise SandboxError(
                f"no answer, so there is nothing to prove: {self._analyzer.last_fault}",
                where=self._part.name,
                hint="mend the module first",
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if error is None:
                self._analyzer.close()
                self._transcript.cut()
                self.reel = self._summed_up()

    def _infer(self, _model: str, region: Box) -> NDArray[np.float32]:
        look, bgr = self._part.look, self._bgr
        assert look is not None and bgr is not None, "infer is linked only where somebody looks, and called in a frame"
        numbers = look(len(self._frames) - 1, bgr, region).astype("<f4", copy=False).reshape(-1)
        self._answers.append(numbers.size)
        self._answers_file.write(numbers.tobytes())
        return numbers

    def _summed_up(self) -> Reel:
        manifest = self._part.module.manifest
        granted = Capabilities.read(self._grants.capabilities, where=manifest.name).within(manifest.asked)
        return Reel(
            name=self._part.name,
            module_sha256=self._part.module.sha256,
            capabilities=tuple(sorted(self._grants.capabilities)),
            models=tuple(sorted(granted.models)),
            state_bytes=granted.state_bytes,
            kinds=manifest.kinds,
            observations=manifest.limits.observations,
            params=tuple(_param(*item) for item in sorted(manifest.with_defaults(self._part.params).items())),
            ring_bytes=self._ring.size_bytes,
            slot_bytes=self._slot_bytes,
            frames=tuple(self._frames),
            answers=tuple(self._answers),
            made_of=self._part.made_of,
            heard=self._transcript.summary(self._analyzer.counters.fuel),
        )


def _param(name: str, value: str | float) -> Param:
    if isinstance(value, str):
        return Param(name, value, None)
    # as the host writes a number for who asks for a text
    return Param(name, f"{value:.15g}", float(value))
