"""Modules of WebAssembly text in front of drawn recordings, in the real sandbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import wasmtime

from camera_edge.sandbox import ModuleFile, load_module
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.plan import Supply
from camera_edge.workshop.lines import Line
from camera_edge.workshop.rehearsal import Rehearsal, rehearse
from camera_edge.workshop.trial import Trial, Wishes, plan_trial

# half a second of ten frames a second
YARD = "synthetic:?seed=7&size=160x90&fps=10&seconds=1&pace=0"
RULE = '(func (export "camera_edge_abi") (result i32) (i32.const 1))'
OBSERVE = '(func (export "observe") (param $batch i32) (param $bytes i32) (result i32)'


@pytest.fixture(scope="session")
def sandboxing(cache: Path) -> Sandboxing:
    return Sandboxing.of(cache / "modules", read_only=False)


@pytest.fixture
def supply(tmp_path: Path) -> Supply:
    return Supply.of(tmp_path / "state")


@pytest.fixture
def run(sandboxing: Sandboxing, supply: Supply) -> Callable[[ModuleFile, Rehearsal], list[Line]]:
    """All lines of a rehearsal."""
    return lambda module, rehearsal: list(rehearse(module, rehearsal, sandboxing, supply.models))


@pytest.fixture
def trial(sandboxing: Sandboxing, supply: Supply) -> Callable[[ModuleFile, Wishes], Trial]:
    def make(module: ModuleFile, wishes: Wishes) -> Trial:
        return Trial(plan_trial(module, wishes, supply.models), sandboxing, wishes.zones)

    return make


@pytest.fixture
def rule_module(tmp_path: Path) -> Callable[..., ModuleFile]:
    """A rule module of WebAssembly text: `rule_module("name", body)`; it may raise and relabel to `thing`."""

    def make(name: str, body: str, *, more: str = "") -> ModuleFile:
        folder = tmp_path / "rules" / name
        folder.mkdir(parents=True)
        (folder / f"{name}.wasm").write_bytes(wasmtime.wat2wasm(f'(module {body} (memory (export "memory") 2) {RULE})'))
        (folder / "analyzer.toml").write_text(
            f'name = "{name}"\nversion = "1"\nabi = 1\nkinds = ["thing"]\ncapabilities = ["observations"]\n{more}'
        )
        return load_module(folder / f"{name}.wasm")

    return make
