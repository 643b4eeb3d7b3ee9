"""Runs `scripts/prove-portability` as its wrapper does, and gives what it printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from scripts.portability.__main__ import main

MANIFEST = """
name = "{name}"
version = "1"
abi = 1
kinds = ["thing"]
capabilities = [{capabilities}]
[view]
max_width = 64
[limits]
observations = 2
[params]
gain = 2.5
label = "façade"
"""


@dataclass(frozen=True, slots=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Prove = Callable[..., Run]


@pytest.fixture
def prove(capsys: pytest.CaptureFixture[str]) -> Prove:
    def run(*arguments: str | Path) -> Run:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Run(code, said.out, said.err)

    return run


def write_module(folder: Path, text: str, *capabilities: str) -> Path:
    """A module of WebAssembly text and its manifest, in a folder that is made; the path of the .wasm."""
    folder.mkdir(parents=True)
    asked = ", ".join(f'"{capability}"' for capability in ("pixels", *capabilities))
    (folder / "analyzer.toml").write_text(MANIFEST.format(name=folder.name, capabilities=asked), encoding="utf-8")
    wasm = folder / f"{folder.name}.wasm"
    wasm.write_bytes(wasmtime.wat2wasm(text))
    return wasm
