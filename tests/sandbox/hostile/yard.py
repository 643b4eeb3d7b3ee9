"""A camera with one good analyzer and one good rule module, and somebody else beside them on the same ring.

The good ones say the same whoever is beside them, and the ring holds what the host wrote: else an assertion fails.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType

import numpy as np
import wasmtime
from numpy.typing import NDArray

from camera_edge.errors import ModelError, ModuleError
from camera_edge.event import Event
from camera_edge.frames import Ring, Slot, View
from camera_edge.observation import Box, Observation
from camera_edge.picture import Picture, PixelFormat
from camera_edge.sandbox import (
    Analyzer,
    Answer,
    Batch,
    Cache,
    EventNow,
    Grants,
    Manifest,
    ModuleFile,
    Phase,
    RingMap,
    RuleModule,
    Ruling,
    Runtime,
    Services,
    Sighting,
)
from camera_edge.sandbox.manifest import Limits
from camera_edge.sandbox.nn import Graph
from tests.sandbox.hostile.cases import FRAMES, Case, imported

WIDTH, HEIGHT = 64, 32
# four slots and the map of zones
RING_BYTES = 5 * 65536

# emits what it saw in frame, frame before and zones; a mask, a score, a log line and a metric besides
WITNESS = f"""{imported("emit", "mask", "score", "log", "metric", "param_text", "state_put", "wasi.random_get")}
  (memory (export "memory") 2)
  (global $frames (mut i32) (i32.const 0))
  (data (i32.const 0) "\\30\\00\\00\\00\\05\\00\\00\\00\\00\\00\\00\\3f\\07\\00\\00\\00")
  (data (i32.const 16) "\\00\\00\\00\\3e\\00\\00\\00\\3e\\00\\00\\80\\3e\\00\\00\\80\\3e")
  (data (i32.const 32) "\\40\\00\\00\\00\\0c\\00\\00\\00")
  (data (i32.const 40) "camera") (data (i32.const 48) "thing") (data (i32.const 64) "{{\\22a\\22: \\22bus\\22}}")
  (func $sum (param $at i32) (param $n i32) (result i32) (local $sum i32)
    (loop $each
      (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (i32.load8_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $each (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func $say (param i32) (drop (call $score (f64.convert_i32_u (local.get 0)))))
  (func (export "analyze") (param $s i32) (result i32)
    (global.set $frames (i32.add (global.get $frames) (i32.const 1)))
    (call $say (global.get $frames))
    (call $say (call $sum (local.get $s) (i32.const 2112)))
    (if (i32.load offset=36 (local.get $s)) (then
      (call $say (call $sum (i32.add (local.get $s) (i32.load offset=36 (local.get $s))) (i32.const 2112)))))
    (call $say (call $sum (i32.add (local.get $s) (i32.load offset=40 (local.get $s))) (i32.const 2048)))
    (drop (call $random_get (i32.const 512) (i32.const 32))) (call $say (call $sum (i32.const 512) (i32.const 32)))
    (call $say (call $param_text (i32.const 40) (i32.const 6) (i32.const 256) (i32.const 64)))
    (drop (call $state_put (i32.const 0) (i32.const 40) (i32.const 6)))
    (memory.copy (i32.const 1024) (i32.add (local.get $s) (i32.const 64)) (i32.const 2048))
    (drop (call $mask (i32.const 1024) (i32.const 2048) (i32.const 64) (i32.const 32)))
    (drop (call $log (i32.const 1) (i32.const 40) (i32.const 6)))
    (drop (call $metric (i32.const 40) (i32.const 6) (f64.const 1)))
    (call $emit (i32.const 0)))"""
RULE_WITNESS = f"""{imported("veto", "relabel", "metric")}
  (memory (export "memory") 2) (data (i32.const 0) "thing")
  (func (export "observe") (param $b i32) (param $n i32) (result i32)
    (drop (call $metric (i32.const 0) (i32.const 5) (f64.convert_i32_u (local.get $n))))
    (drop (call $relabel (i32.const 1) (i32.const 0) (i32.const 5) (f32.const 0.25)))
    (call $veto (i32.const 0)))"""


@dataclass(frozen=True, slots=True)
class Number:
    """An input or output of the graph that wasi-nn guests are given."""

    name: str
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Twice:
    """A graph that doubles four numbers."""

    inputs: Sequence[Number] = (Number("in", np.dtype("f4"), (4,)),)
    outputs: Sequence[Number] = (Number("out", np.dtype("f4"), (4,)),)

    def run(self, arrays: Sequence[NDArray[np.generic]], /) -> list[NDArray[np.generic]]:
        return [array.astype("f4") * np.float32(2) for array in arrays]


def infer(model: str, _region: Box) -> NDArray[np.float32]:
    if model == "broken":
        raise ModelError("it cannot be run")
    return np.arange(1, 5, dtype=np.float32)


def graph(model: str) -> Graph:
    if model == "broken":
        raise ModelError("it cannot be loaded")
    return Twice()


SERVICES = Services(infer, graph)


def picture(number: int) -> Picture:
    luma = np.random.default_rng(number).integers(16, 235, (HEIGHT, WIDTH), np.uint8)
    grey = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    return Picture(luma, grey, grey, lambda: luma)


def batch(number: int) -> Batch:
    seen = Observation("witness", "thing", 0.5, Box(0.25, 0.25, 0.5, 0.5), attributes={"class": "bus"})
    event = Event("e", "yard", "rule", "thing", "witness", 0.5, number, 0)
    events = [EventNow(Phase.OPENS, event), EventNow(Phase.GOES_ON, event)]
    return Batch(number, number * 200_000, 0, 0, ("gate",), [Sighting(seen, ("gate",))] * 3, events)


def build(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(whole(text).encode("utf-8", "surrogateescape")))


def whole(text: str) -> str:
    """The text as a module, with what every guest must have where it is missing."""
    if text.lstrip().startswith("(module"):
        return text
    memory = "" if '(export "memory"' in text else '(memory (export "memory") 2)'
    version = "" if '"camera_edge_abi"' in text else '(func (export "camera_edge_abi") (result i32) (i32.const 1))'
    called = any(f'(export "{name}"' in text for name in ("analyze", "observe"))
    body = "" if called else '(func (export "analyze") (param i32) (result i32) (i32.const 0))'
    return f"(module {text} {memory} {version} {body})"


def module_file(name: str, body: str | bytes, asks: tuple[str, ...], limits: Limits) -> ModuleFile:
    wasm = body if isinstance(body, bytes) else build(body)
    manifest = Manifest(name=name, version="1", abi=1, kinds=("thing",), capabilities=asks, limits=limits)
    return ModuleFile(manifest, wasm, hashlib.sha256(wasm).hexdigest(), "path")


class Yard:
    """The ring, the witnesses, and whoever is let in. One thread, as in a worker. `copied`: frames are not mapped."""

    def __init__(self, runtime: Runtime, cache: Cache, *, copied: bool = False) -> None:
        self._copied = copied
        self._runtime = runtime
        self._cache = cache
        self._stack = ExitStack()
        zones = np.arange(WIDTH * HEIGHT, dtype=np.uint8).reshape(HEIGHT, WIDTH)
        self.ring = self._stack.enter_context(Ring(View(PixelFormat.GRAY8, WIDTH, HEIGHT), zones=zones))
        assert self.ring.size_bytes == RING_BYTES

    def __enter__(self) -> Yard:
        self.witness = self._analyzer(module_file("witness", WITNESS, ("pixels", "state:64"), Limits()))
        self.rules = self._rule_module(module_file("rules", RULE_WITNESS, ("observations",), Limits()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def let_in(self, case: Case) -> Offender:
        """The offender of this case, as far as it comes."""
        file = module_file("offender", case.body, case.asks, case.limits)
        try:
            guest = self._rule_module(file) if case.is_rule else self._analyzer(file)
        except ModuleError as error:
            return Offender(case, None, str(error))
        return Offender(case, guest, "")

    def _analyzer(self, file: ModuleFile) -> Analyzer:
        program = self._runtime.load(file, self._cache)
        params: dict[str, str | float] = {"camera": "yard", "name": "x" * 64, "number": 7.0}
        state = bytes(range(256)) if "state:4096" in file.manifest.capabilities else b""
        grants = Grants(program.manifest.grant_all({}), params, state)
        size = self.ring.size_bytes
        ring = RingMap(None, size, self.ring.memory) if self._copied else RingMap(self.ring.fd, size)
        return self._stack.enter_context(Analyzer(program, grants, SERVICES, ring))

    def _rule_module(self, file: ModuleFile) -> RuleModule:
        program = self._runtime.load(file, self._cache)
        return self._stack.enter_context(RuleModule(program, Grants(program.manifest.grant_all({}))))

    def frame(self, number: int, offenders: Sequence[Offender] = ()) -> tuple[Account, Account]:
        """One frame, shown to the offenders first and to the witnesses then."""
        slot = self.ring.write(picture(number), sequence=number, media_us=number * 200_000)
        assert slot is not None
        before = bytes(self.ring.memory)
        for offender in offenders:
            offender.meet(slot, number)
            assert bytes(self.ring.memory) == before, f"{offender.case.name} changed the ring"
        answer = self.witness.analyze(slot.offset, number, number * 200_000)
        ruling = self.rules.observe(batch(number))
        assert bytes(self.ring.memory) == before
        self.ring.release(slot)
        return Account.of(answer), Account.of(ruling)


@dataclass(frozen=True, slots=True)
class Account:
    """Everything a witness said, pixels of the mask included, in words that can be compared."""

    said: str

    @classmethod
    def of(cls, answer: Answer | Ruling | None) -> Account:
        assert answer is not None, "a witness was silenced"
        mask = answer.mask.pixels.tobytes() if isinstance(answer, Answer) and answer.mask is not None else b""
        return cls(f"{answer!r} {hashlib.sha256(mask).hexdigest()}")


class Offender:
    """Somebody who means harm. `guest` is None where the sandbox did not let it start; `refusal` says why."""

    def __init__(self, case: Case, guest: Analyzer | RuleModule | None, refusal: str) -> None:
        self.case = case
        self.guest = guest
        self.refusal = refusal
        self.answers: list[Answer | Ruling | None] = []

    def meet(self, slot: Slot, number: int) -> None:
        if isinstance(self.guest, Analyzer):
            self.answers.append(self.guest.analyze(slot.offset, number, number * 200_000))
        elif self.guest is not None:
            self.answers.append(self.guest.observe(batch(number)))


def baseline(runtime: Runtime, cache: Cache) -> list[tuple[Account, Account]]:
    """What the witnesses say where nobody is beside them."""
    with Yard(runtime, cache) as yard:
        return [yard.frame(number) for number in range(FRAMES)]
