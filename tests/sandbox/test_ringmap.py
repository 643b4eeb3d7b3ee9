"""Frames that are copied into a guest, where a machine cannot map them: the same to the guest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from camera_edge.frames import Ring, View
from camera_edge.picture import Picture, PixelFormat
from camera_edge.sandbox import (
    Analyzer,
    Answer,
    Cache,
    Grants,
    Program,
    RingMap,
    Runtime,
    Services,
    shipped,
    shipped_names,
    unmappable,
)

WIDTH, HEIGHT = 64, 48
SCORE = '(import "camera_edge" "score" (func $score (param f64) (result i32)))'
# a number that every byte of header, pixels, previous slot and map of zones has a part in
SUMS = f"""{SCORE}
  (func $sum (param $at i32) (param $bytes i32) (result i32) (local $end i32) (local $sum i32)
    (local.set $end (i32.add (local.get $at) (local.get $bytes)))
    (loop $each
      (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (i32.load8_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $each (i32.lt_u (local.get $at) (local.get $end))))
    (local.get $sum))
  (func $say (param i32) (drop (call $score (f64.convert_i32_u (local.get 0)))))
  (func (export "analyze") (param $s i32) (result i32) (local $n i32)
    (local.set $n (i32.mul (i32.load offset=32 (local.get $s)) (i32.load offset=28 (local.get $s))))
    (if (i32.eq (i32.load offset=4 (local.get $s)) (i32.const 3))
      (then (local.set $n (i32.div_u (i32.mul (local.get $n) (i32.const 3)) (i32.const 2)))))
    (call $say (call $sum (local.get $s) (i32.const 64)))
    (call $say (call $sum (i32.add (local.get $s) (i32.const 64)) (local.get $n)))
    (if (i32.load offset=36 (local.get $s)) (then
      (call $say (call $sum (i32.add (i32.add (local.get $s) (i32.load offset=36 (local.get $s))) (i32.const 64))
        (local.get $n)))))
    (call $say (call $sum (i32.add (local.get $s) (i32.load offset=40 (local.get $s)))
      (i32.mul (i32.load offset=24 (local.get $s)) (i32.load offset=28 (local.get $s)))))
    (i32.const 0))"""
OpenBoth = Callable[..., "Pair"]


def picture(seed: int) -> Picture:
    """Noise, the same for the same seed."""
    noise = np.random.default_rng(seed)
    luma = noise.integers(16, 235, (HEIGHT * 2, WIDTH * 2), np.uint8)
    red, blue = (noise.integers(16, 240, (HEIGHT, WIDTH), np.uint8) for _ in range(2))
    return Picture(luma, red, blue, lambda: luma)


def scene(step: int) -> Picture:
    """A light square that crosses a dark yard."""
    luma = np.full((HEIGHT * 2, WIDTH * 2), 90, np.uint8)
    if step:
        luma[30:70, 3 * step : 3 * step + 30] = 220
    grey = np.full((HEIGHT, WIDTH), 128, np.uint8)
    return Picture(luma, grey, grey, lambda: luma)


class Pair:
    """One module twice on one ring: once with the frames mapped, once with the frames copied."""

    def __init__(self, ring: Ring, mapped: Analyzer, copied: Analyzer) -> None:
        self.mapped = mapped
        self.copied = copied
        self.ring = ring

    def look(self, seed: int, picture: Picture) -> tuple[Answer | None, Answer | None]:
        slot = self.ring.write(picture, sequence=seed, media_us=seed * 200_000)
        assert slot is not None
        answers = [each.analyze(slot.offset, seed, seed * 200_000) for each in (self.mapped, self.copied)]
        self.ring.release(slot)
        return answers[0], answers[1]


@pytest.fixture
def both(program: Callable[..., Program]) -> Iterator[OpenBoth]:
    with ExitStack() as open_until_then:

        def make(module: str | Program, form: PixelFormat = PixelFormat.GRAY8) -> Pair:
            compiled = program(module) if isinstance(module, str) else module
            zones = np.arange(WIDTH * HEIGHT, dtype=np.uint8).reshape(HEIGHT, WIDTH)
            ring = open_until_then.enter_context(Ring(View(form, WIDTH, HEIGHT), zones=zones))
            grants = Grants(compiled.manifest.grant_all({}))
            rings = RingMap(ring.fd, ring.size_bytes), RingMap(None, ring.size_bytes, ring.memory)
            mapped, copied = (
                open_until_then.enter_context(Analyzer(compiled, grants, Services(), each)) for each in rings
            )
            return Pair(ring, mapped, copied)

        yield make


@pytest.mark.parametrize("form", list(PixelFormat))
def test_a_guest_sees_the_same_bytes_copied_as_mapped(both: OpenBoth, form: PixelFormat) -> None:
    pair = both(SUMS, form)
    for seed in range(9):
        mapped, copied = pair.look(seed, picture(seed))
        assert mapped is not None and mapped == copied
        assert len(mapped.scores) == (3 if seed == 0 else 4)
    assert (pair.mapped.counters.copied, pair.copied.counters.copied) == (0, 9)


@pytest.mark.skipif("motion" not in shipped_names(), reason="the package was not built: no modules are shipped")
def test_motion_says_the_same_copied_as_mapped(both: OpenBoth, runtime: Runtime, cache: Cache) -> None:
    pair = both(runtime.load(shipped("motion"), cache))
    answers = []
    for seed in range(40):
        mapped, copied = pair.look(seed, scene(max(0, seed - 10)))
        assert mapped is not None and copied is not None
        assert (mapped.observations, mapped.scores, mapped.fuel) == (copied.observations, copied.scores, copied.fuel)
        masks = [None if each.mask is None else each.mask.pixels.tobytes() for each in (mapped, copied)]
        assert masks[0] == masks[1]
        answers.append(mapped)
    assert any(answer.observations for answer in answers)


def test_a_guest_that_scribbles_on_a_copy_sees_the_true_bytes_again(both: OpenBoth) -> None:
    report, rest = SUMS.rsplit("(i32.const 0))", 1)
    scribble = """(memory.fill (local.get $s) (i32.const 170) (i32.add (i32.const 64) (local.get $n)))
      (memory.fill (i32.add (local.get $s) (i32.const 65536)) (i32.const 85) (i32.const 65536)) (i32.const 0))"""
    vandals, readers = both(report + scribble + rest), both(SUMS)
    for seed in range(9):
        (mapped, copied), (truth, _) = vandals.look(seed, picture(seed)), readers.look(seed, picture(seed))
        assert mapped is not None and copied is not None and truth is not None
        assert mapped.scores == copied.scores == truth.scores


def test_a_guest_with_a_copy_cannot_write_into_the_ring(both: OpenBoth) -> None:
    pair = both(
        """(func (export "analyze") (param $s i32) (result i32)
          (memory.fill (local.get $s) (i32.const 170) (i32.const 2048)) (i32.const 0))"""
    )
    pair.look(0, picture(0))
    before = bytes(pair.ring.memory)
    slot = pair.ring.write(picture(0), sequence=0, media_us=0)
    assert slot is not None
    written = bytes(pair.ring.memory)
    assert pair.copied.analyze(slot.offset, 0, 0) is not None
    assert before != written == bytes(pair.ring.memory)


def test_this_machine_can_map_frames_or_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unmappable() is None

    def fail(_name: str, _flags: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "memfd_create", fail)
    assert unmappable() == "this kernel has no memfd ([Errno 38] Function not implemented)"
