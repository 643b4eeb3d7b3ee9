"""A replay says, line by line, what one module answers, and the same each time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from camera_edge.errors import UndecodableError, UsageError
from camera_edge.frames import Ring, View
from camera_edge.picture import PixelFormat
from camera_edge.rules import Polygon
from camera_edge.sandbox import ModuleFile, load_module, shipped
from camera_edge.workshop.lines import FaultLine, FrameLine, Line, ReplayLine, ViewLine, text_of
from camera_edge.workshop.rehearsal import Rehearsal
from camera_edge.workshop.replay import ring_map
from camera_edge.workshop.trial import Wishes

Run = Callable[[ModuleFile, Rehearsal], list[Line]]
Make = Callable[..., Path]
YARD = "synthetic:?seed=7&size=160x90&fps=10&seconds=1&pace=0"
# one score: the byte of the zones' map at the middle of the picture
ZONE_IN_THE_MIDDLE = """
(import "camera_edge" "score" (func $score (param f64) (result i32)))
(func (export "analyze") (param $slot i32) (result i32)
  (call $score (f64.convert_i32_u (i32.load8_u (i32.add
    (i32.add (local.get $slot) (i32.load offset=40 (local.get $slot)))
    (i32.add
      (i32.mul (i32.div_u (i32.load offset=28 (local.get $slot)) (i32.const 2)) (i32.load offset=24 (local.get $slot)))
      (i32.div_u (i32.load offset=24 (local.get $slot)) (i32.const 2))))))))
"""
# all pixels of the view, as its mask; the log says `looked`
EVERYTHING = """
(import "camera_edge" "mask" (func $mask (param i32 i32 i32 i32) (result i32)))
(import "camera_edge" "log" (func $log (param i32 i32 i32) (result i32)))
(memory (export "memory") 2)
(data (i32.const 64) "looked")
(func (export "analyze") (param $slot i32) (result i32)
  (drop (call $log (i32.const 1) (i32.const 64) (i32.const 6)))
  (call $mask (i32.add (local.get $slot) (i32.const 64)) (i32.const 14400) (i32.const 160) (i32.const 90)))
"""
TRAPS_AT_FRAME_4 = """
(func (export "analyze") (param $slot i32) (result i32)
  (if (i64.eq (i64.load offset=8 (local.get $slot)) (i64.const 4)) (then (unreachable)))
  (i32.const 0))
"""
COUNTS_IN_ITS_STORE = """
(import "camera_edge" "state_get" (func $get (param i32 i32 i32) (result i32)))
(import "camera_edge" "score" (func $score (param f64) (result i32)))
(memory (export "memory") 2)
(func (export "analyze") (param $slot i32) (result i32)
  (drop (call $get (i32.const 0) (i32.const 64) (i32.const 1)))
  (call $score (f64.convert_i32_u (i32.load8_u (i32.const 64)))))
"""


def frames(lines: list[Line]) -> list[FrameLine]:
    return [line for line in lines if isinstance(line, FrameLine)]


def test_it_begins_with_the_module_and_its_view_and_has_a_line_for_each_frame(run: Run, eager: Path) -> None:
    lines = run(load_module(eager), Rehearsal(YARD))
    assert lines[:2] == [ReplayLine("eager", YARD), ViewLine("gray8", 160, 90)]
    # five a second, and the last one, as `analyze` looks at them
    assert [line.frame for line in frames(lines)] == [0, 2, 4, 6, 8, 9]
    assert [line.t_s for line in frames(lines)] == [0.0, 0.2, 0.4, 0.6, 0.8, 0.9]


def test_an_observation_is_written_in_a_fixed_order_and_exactly(run: Run, eager: Path) -> None:
    text = text_of(run(load_module(eager), Rehearsal(YARD, frames=1))[2])
    assert text == (
        '{"type":"frame","frame":0,"t_s":0.0,"observations":[{"kind":"thing","score":0.5,"box":[0.25,0.25,0.25,0.25],'
        '"track":-1,"attributes":{}}],"scores":[],"mask":null,"metrics":[],"logs":[],"refused":0}'
    )


def test_the_shipped_module_says_the_same_twice_and_with_copied_frames(run: Run) -> None:
    source = "synthetic:?seed=7&size=320x180&fps=10&seconds=8&pace=0"
    texts = [list(map(text_of, run(shipped("motion"), Rehearsal(source, copy=copy)))) for copy in (False, False, True)]
    assert texts[0] == texts[1] == texts[2]
    assert any('"kind":"motion"' in text for text in texts[0])


def test_copied_frames_are_not_mapped() -> None:
    with Ring(View(PixelFormat.GRAY8, 64, 48)) as ring:
        assert ring_map(ring, copy=False).fd == ring.fd
        copied = ring_map(ring, copy=True)
        assert copied.fd is None and copied.memory is not None and len(copied.memory) == ring.size_bytes


def test_a_mask_is_given_by_its_size_and_hash_and_words_by_level(run: Run, module: Make) -> None:
    line = frames(run(load_module(module("everything", EVERYTHING)), Rehearsal(YARD, frames=1)))[0]
    assert line.mask is not None
    assert (line.mask.width, line.mask.height, line.mask.hidden) == (160, 90, 14400)
    assert line.mask.sha256 != hashlib.sha256(bytes(14400)).hexdigest()
    assert [(said.level, said.text) for said in line.logs] == [(1, "looked")]


def test_a_fault_has_a_line_with_its_reason_and_the_next_frame_is_answered(run: Run, module: Make) -> None:
    lines = run(load_module(module("frail", TRAPS_AT_FRAME_4)), Rehearsal(YARD))[2:]
    assert [type(line) for line in lines] == [FrameLine, FrameLine, FaultLine, FrameLine, FrameLine, FrameLine]
    assert lines[2] == FaultLine(4, 0.4, "frame 4: analyze trapped: unreachable")


def test_a_module_that_always_fails_is_skipped_in_quarantine_with_the_reason(run: Run, module: Make) -> None:
    always = '(func (export "analyze") (param i32) (result i32) (i32.const -3))'
    lines = run(load_module(module("grumpy", always)), Rehearsal(YARD, rate_hz=None))[2:]
    assert all(isinstance(line, FaultLine) for line in lines)
    assert isinstance(lines[-1], FaultLine) and "5 faults in 100 frames" in lines[-1].reason


def test_zones_come_with_the_frame(run: Run, module: Make) -> None:
    whole = Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))
    corner = Polygon(((0.0, 0.0), (0.1, 0.0), (0.0, 0.1)))
    wishes = Wishes(zones={"corner": corner, "whole": whole})
    lines = frames(run(load_module(module("zones", ZONE_IN_THE_MIDDLE)), Rehearsal(YARD, wishes, frames=1)))
    assert lines[0].scores[0].value == 0b101


def test_what_its_store_holds_at_the_start_can_be_given(run: Run, module: Make) -> None:
    path = module("keeper", COUNTS_IN_ITS_STORE)
    toml = path.with_name("analyzer.toml")
    toml.write_text(toml.read_text().replace('["pixels"]', '["pixels", "state:16"]'))
    lines = frames(run(load_module(path), Rehearsal(YARD, Wishes(state=b"\x2a"), frames=1)))
    assert lines[0].scores[0].value == 42


def test_another_picture_size_begins_a_new_instance(run: Run, eager: Path, tmp_path: Path) -> None:
    for number, width in enumerate((64, 64, 96)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((48, width, 3), 90, np.uint8))
    lines = run(load_module(eager), Rehearsal(str(tmp_path), rate_hz=None))
    assert [line.width for line in lines if isinstance(line, ViewLine)] == [64, 96]
    assert isinstance(lines[0], ReplayLine) and lines[0].source == tmp_path.name


def test_a_source_without_end_is_refused_unless_frames_are_counted(run: Run, eager: Path) -> None:
    for source in ("synthetic:?size=64x48", "synthetic:?size=64x48&pace=0", "synthetic:?size=64x48&pace=0&seconds=0"):
        with pytest.raises(UsageError, match="no end"):
            run(load_module(eager), Rehearsal(source))


def test_a_recording_is_called_by_its_name_alone_whatever_its_folder(run: Run, eager: Path, tmp_path: Path) -> None:
    folder = tmp_path / "10:30"
    folder.mkdir()
    cv2.imwrite(str(folder / "one.png"), np.full((48, 64, 3), 90, np.uint8))
    assert run(load_module(eager), Rehearsal(str(folder / "one.png")))[0] == ReplayLine("eager", "one.png")


def test_a_recording_without_pictures_is_an_error(run: Run, eager: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film")
    with pytest.raises(UndecodableError):
        run(load_module(eager), Rehearsal(str(broken)))


def test_a_parameter_that_the_module_does_not_have_is_refused(run: Run) -> None:
    with pytest.raises(UsageError, match="no parameter 'colour'"):
        run(shipped("motion"), Rehearsal(YARD, Wishes({"colour": "red"})))
