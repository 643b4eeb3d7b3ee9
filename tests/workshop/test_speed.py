"""Figures are taken from every frame; they are compared with nothing here, for a machine may be slow."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from camera_edge.errors import ModuleError, UsageError
from camera_edge.sandbox import ModuleFile, Shelf, load_module, shipped
from camera_edge.toolchain import Language, missing, sdk_folder
from camera_edge.workshop.daytime import DayTime
from camera_edge.workshop.speed import Measurement, ModuleSpeed, take
from camera_edge.workshop.trial import Trial, Wishes
from camera_edge.workshop.workpiece import Workpiece, find

YARD = "synthetic:?seed=7&size=160x90&fps=10&seconds=1&pace=0"
TRAP = '(func (export "analyze") (param i32) (result i32) (unreachable))'
HOSTILE = """
#include <fcntl.h>
#include <unistd.h>
#include "camera_edge.h"
__attribute__((constructor)) static void leave(void) { close(open("TRACE", O_CREAT | O_WRONLY, 0600)); }
int32_t camera_edge_open(void) { return 0; }
void camera_edge_close(void) {}
int32_t camera_edge_analyze(const camera_edge_slot *slot) { return slot == 0; }
"""
SILENT = '(func (export "observe") (param i32 i32) (result i32) (i32.const 0))'


@pytest.fixture
def measured(trial: Callable[[ModuleFile, Wishes], Trial]) -> Callable[[Workpiece, str | None], ModuleSpeed]:
    return lambda piece, source: take(piece, trial(piece.module, Wishes()), Measurement(source, 5.0, 4, DayTime()))


def test_a_module_without_sources_is_measured_alone(
    eager: Path, measured: Callable[[Workpiece, str | None], ModuleSpeed]
) -> None:
    speed = measured(Workpiece(load_module(eager), None), YARD)
    assert (speed.frames, speed.native_ns, speed.native_reason) == (4, None, "its source is not here")
    assert speed.guest_ns is not None and 0 < speed.guest_ns.p50 < speed.answer_ns.p50
    assert 0 < speed.fuel.p50 <= speed.fuel.p99 < speed.fuel_limit
    assert speed.memory_bytes == 2 << 16
    assert speed.wasm_bytes == eager.stat().st_size
    assert 0 < speed.start_ns < 1e9 and speed.wake_ns.p50 > 0


def test_c_is_compared_with_its_native_build(measured: Callable[[Workpiece, str | None], ModuleSpeed]) -> None:
    if (reason := missing(Language.C)) is not None:
        pytest.skip(reason)
    speed = measured(Workpiece(shipped("motion"), sdk_folder().parent / "motion"), YARD)
    assert speed.native_reason is None
    assert speed.native_ns is not None and speed.native_ns.p50 > 0


def test_c_of_others_is_never_run_natively_unless_it_was_asked_for(
    eager: Path, trial: Callable[[ModuleFile, Wishes], Trial], tmp_path: Path
) -> None:
    """Its constructor would leave a file behind."""
    if (reason := missing(Language.C)) is not None:
        pytest.skip(reason)
    trace = tmp_path / "it-ran"
    eager.with_suffix(".c").write_text(HOSTILE.replace("TRACE", str(trace)))
    module = load_module(eager)
    pieces = [
        Workpiece(module, eager.parent),
        find(str(eager.parent), Shelf(tmp_path)),
        find(str(eager), Shelf(tmp_path)),
    ]
    for piece, said in zip(pieces, ["not compared: --native"] * 2 + ["its source is not here"], strict=True):
        speed = take(piece, trial(module, Wishes()), Measurement(YARD, 5.0, 2, DayTime()))
        assert (speed.native_ns, speed.native_reason) == (None, said)
    assert not trace.exists()
    speed = take(pieces[1], trial(module, Wishes()), Measurement(YARD, 5.0, 2, DayTime(), native=True))
    assert speed.native_ns is not None
    assert trace.exists(), "the test would not notice"


def test_a_module_that_gives_no_answer_is_not_measured(
    module: Callable[..., Path], measured: Callable[[Workpiece, str | None], ModuleSpeed]
) -> None:
    with pytest.raises(ModuleError, match="no answer for frame 0: frame 0: analyze trapped: unreachable"):
        measured(Workpiece(load_module(module("bad", TRAP)), None), YARD)


def test_a_rule_module_is_measured_with_observations(
    rule_module: Callable[..., ModuleFile], measured: Callable[[Workpiece, str | None], ModuleSpeed], tmp_path: Path
) -> None:
    line = {"type": "score", "source": "a.mp4", "analyzer": "motion", "value": 0.0}
    seen = tmp_path / "seen.jsonl"
    seen.write_text("".join(json.dumps(line | {"frame": n, "t_s": n / 5}) + "\n" for n in range(9)))
    piece = Workpiece(rule_module("silent", SILENT), None)
    speed = measured(piece, str(seen))
    assert (speed.frames, speed.guest_ns, speed.native_ns) == (4, None, None)
    assert speed.answer_ns.p50 > 0
    with pytest.raises(UsageError, match="measured with observations"):
        measured(piece, None)
    seen.write_text("")
    with pytest.raises(ModuleError, match="no frame"):
        measured(piece, str(seen))
