"""Modules that bring a model of their own: the worker loads it for those that were granted `nn.load`."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from camera_edge.capture import Frame
from camera_edge.config import CameraConfig
from camera_edge.errors import ModuleError
from camera_edge.inference import parse_contract
from camera_edge.observation import Seen
from camera_edge.picture import Picture
from camera_edge.sandbox import load_module
from camera_edge.worker.analysis import Analysis
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.plan import AnalyzerPlan, CameraPlan, Supply, assemble, granted_models
from camera_edge.worker.provenance import provenance
from tests import onnx_bytes

Plan = Callable[..., CameraPlan]
Module = Callable[..., Path]

MODEL = onnx_bytes.sum_of_two("i4", (1,))


def text(data: bytes) -> str:
    """As WebAssembly text writes bytes."""
    return "".join(f"\\{byte:02x}" for byte in data)


# 40 + 2 by the model at 1024; the score is the sum, and the status is minus the sum of all error numbers
ADDS = f"""
(import "wasi_ephemeral_nn" "load" (func $load (param i32 i32 i32 i32 i32) (result i32)))
(import "wasi_ephemeral_nn" "init_execution_context" (func $init (param i32 i32) (result i32)))
(import "wasi_ephemeral_nn" "set_input" (func $set (param i32 i32 i32) (result i32)))
(import "wasi_ephemeral_nn" "compute" (func $compute (param i32) (result i32)))
(import "wasi_ephemeral_nn" "get_output" (func $get (param i32 i32 i32 i32 i32) (result i32)))
(import "camera_edge" "score" (func $score (param f64) (result i32)))
(memory (export "memory") 2)
(data (i32.const 16) "{text(struct.pack("<II", 1024, len(MODEL)))}")
(data (i32.const 32) "{text(struct.pack("<IIB3xII", 100, 1, 4, 104, 4))}")
(data (i32.const 64) "{text(struct.pack("<IIB3xII", 100, 1, 4, 108, 4))}")
(data (i32.const 100) "{text(struct.pack("<Iii", 1, 40, 2))}")
(data (i32.const 1024) "{text(MODEL)}")
(global $wrong (mut i32) (i32.const 0))
(func $note (param i32) (global.set $wrong (i32.add (global.get $wrong) (local.get 0))))
(func (export "open") (result i32)
  (call $note (call $load (i32.const 16) (i32.const 1) (i32.const 1) (i32.const 0) (i32.const 0)))
  (call $note (call $init (i32.load (i32.const 0)) (i32.const 4)))
  (i32.sub (i32.const 0) (global.get $wrong)))
(func (export "analyze") (param i32) (result i32)
  (call $note (call $set (i32.load (i32.const 4)) (i32.const 0) (i32.const 32)))
  (call $note (call $set (i32.load (i32.const 4)) (i32.const 1) (i32.const 64)))
  (call $note (call $compute (i32.load (i32.const 4))))
  (call $note (call $get (i32.load (i32.const 4)) (i32.const 0) (i32.const 200) (i32.const 4) (i32.const 8)))
  (call $note (call $score (f64.convert_i32_s (i32.load (i32.const 200)))))
  (i32.sub (i32.const 0) (global.get $wrong)))
"""


@pytest.fixture
def adder(module: Module, plan: Plan) -> CameraPlan:
    path = module("adder", ADDS)
    manifest = path.parent / "analyzer.toml"
    manifest.write_text(manifest.read_text().replace('["pixels"]', '["pixels", "nn.load"]'))
    return plan(path)


def look(plan: CameraPlan, sandboxing: Sandboxing) -> Seen:
    grey = np.full((48, 64), 100, np.uint8)
    picture = Picture(grey, grey[::2, ::2], grey[::2, ::2], lambda: np.dstack([grey] * 3))
    analysis = Analysis(plan, sandboxing.runtime, sandboxing.cache)
    try:
        tick = analysis.prepare(Frame(0, 0, 0, picture, None, 0))
        assert tick is not None
        return analysis.analyze(tick)
    finally:
        analysis.close()


def test_a_module_that_was_granted_it_computes_with_a_model_of_its_own(
    adder: CameraPlan, sandboxing: Sandboxing
) -> None:
    seen = look(adder, sandboxing)
    assert [score.value for score in seen.scores] == [42]


def test_without_the_grant_the_module_does_not_start(adder: CameraPlan, sandboxing: Sandboxing) -> None:
    (analyzer,) = adder.analyzers
    without = replace(adder, analyzers=[replace(analyzer, capabilities=frozenset({"pixels"}))])
    with pytest.raises(ModuleError, match=r"wasi_ephemeral_nn.*analyzers\.adder\.grant: \[nn\.load\]"):
        look(without, sandboxing)


def test_the_record_of_an_event_names_the_runtime(adder: CameraPlan) -> None:
    names = [runtime.name for runtime in provenance(adder, adder.analyzers, "decoder").fingerprint.runtimes]
    assert "onnxruntime" in names


# `load_by_name` of `one` in `open`, and of `two` in a frame
NAMED = """
(import "wasi_ephemeral_nn" "load_by_name" (func $load (param i32 i32 i32) (result i32)))
(import "camera_edge" "score" (func $score (param f64) (result i32)))
(memory (export "memory") 2)
(data (i32.const 16) "one")
(data (i32.const 32) "two")
(func (export "open") (result i32)
  (i32.sub (i32.const 0) (call $load (i32.const 16) (i32.const 3) (i32.const 0))))
(func (export "analyze") (param i32) (result i32)
  (drop (call $score (f64.convert_i32_s (call $load (i32.const 32) (i32.const 3) (i32.const 4)))))
  (i32.const 0))
"""


def test_all_models_that_were_granted_are_there_from_the_start(
    module: Module, sandboxing: Sandboxing, tmp_path: Path
) -> None:
    supply = Supply.of(tmp_path)
    file = tmp_path / "sum.onnx"
    file.write_bytes(MODEL)
    contract = parse_contract(b'contract = 1\nlicence = "MIT"\n', where="a test", lists=lambda name: ())
    for name in ("one", "two"):
        supply.models.add(file, name, contract)
    wasm = load_module(module("named", NAMED, asks='"pixels", "onnx:one", "onnx:two"'))
    granted = wasm.manifest.grant_all({})
    models = granted_models(wasm, {}, granted, supply.models)
    assert [model.name for model in models] == ["one", "two"]
    chosen = CameraConfig.model_validate({"source": "recording"}).settings()
    plan = assemble("camera", chosen, [AnalyzerPlan("named", wasm, granted, {}, models)])
    assert [score.value for score in look(plan, sandboxing).scores] == [0]


def test_a_shipped_model_is_granted_without_having_been_added(module: Module, tmp_path: Path) -> None:
    wasm = load_module(module("named", NAMED, asks='"pixels", "onnx:blobs"'))
    granted = wasm.manifest.grant_all({})
    models = granted_models(wasm, {}, granted, Supply.of(tmp_path).models)
    assert [(model.name, model.is_shipped) for model in models] == [("blobs", True)]
