from __future__ import annotations

from collections.abc import Callable

import pytest

from camera_edge.errors import ModuleError
from camera_edge.sandbox import ModuleFile, Runtime
from camera_edge.sandbox.admission import check_module, needed
from camera_edge.sandbox.functions import FUNCTIONS

Make = Callable[..., ModuleFile]


def imported(module: str, name: str, params: str = "", result: str = "i32") -> str:
    takes = f"(param {params})" if params else ""
    gives = f"(result {result})" if result else ""
    return f'(import "{module}" "{name}" (func {takes} {gives}))'


def test_a_module_that_asks_for_what_it_imports_is_admitted(runtime: Runtime, module: Make) -> None:
    made = module(imported("camera_edge", "score", "f64") + imported("wasi_snapshot_preview1", "fd_close", "i32"))
    interface = check_module(made.wasm, made.manifest, runtime)
    needs = [(each.name, needed(each, made.manifest)) for each in interface.imports]
    assert needs == [("score", "pixels"), ("fd_close", None)]


@pytest.mark.parametrize("name", sorted(name for name, known in FUNCTIONS.items() if known.needs is not None))
def test_no_import_is_admitted_without_its_capability(runtime: Runtime, module: Make, name: str) -> None:
    known = FUNCTIONS[name]
    assert known.needs is not None
    asks = "observations" if known.needs == "pixels" else "pixels"
    body = imported("camera_edge", name, " ".join(known.params), known.result)
    body += '(func (export "observe") (param i32 i32) (result i32) (i32.const 0))'
    made = module(body, asks=(asks,))
    with pytest.raises(ModuleError, match=rf"imports camera_edge\.{name}: its manifest does not ask for {known.needs}"):
        check_module(made.wasm, made.manifest, runtime)


@pytest.mark.parametrize(
    ("asks", "needs"),
    [(("pixels",), None), (("pixels", "onnx:a"), "onnx:<model>"), (("pixels", "nn.load"), "nn.load")],
)
def test_wasi_nn_needs_a_model(runtime: Runtime, module: Make, asks: tuple[str, ...], needs: str | None) -> None:
    made = module(imported("wasi_ephemeral_nn", "compute", "i32"), asks=asks)
    if needs is not None:
        assert needed(check_module(made.wasm, made.manifest, runtime).imports[0], made.manifest) == needs
        return
    with pytest.raises(ModuleError, match="does not ask for a model"):
        check_module(made.wasm, made.manifest, runtime)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (imported("env", "abort"), r"imports env\.abort: there is nothing of that name"),
        (imported("camera_edge", "open_file"), "there is no such function in ABI 1"),
        (imported("camera_edge", "score", "i32"), r"its type is \(f64\) -> i32"),
        (imported("wasi_snapshot_preview1", "fd_close", "i32", "i64"), "it has another type there"),
        (imported("wasi_snapshot_preview1", "fd_close", "f64"), "it has another type there"),
        (imported("wasi_snapshot_preview1", "path_open", "v128"), "it has another type there"),
        (imported("e\\1b[2J", "f"), "imports e\ufffd\\[2J.f: there is nothing of that name"),
        ('(import "camera_edge" "memory" (memory 1))', "imports functions only"),
        ('(global (export "analyze") i32 (i32.const 0))', r"has another type for analyze \(i32\) -> \(i32\)"),
        ('(func (export "camera_edge_abi") (result i64) (i64.const 1))', "has another type for camera_edge_abi"),
        ('(global (export "memory") i32 (i32.const 0))', "exports no memory"),
        ("(module)", "exports no memory"),
        ('(module (memory (export "memory") 1))', "does not export camera_edge_abi"),
    ],
)
def test_what_is_no_analyzer_is_refused(runtime: Runtime, module: Make, body: str, message: str) -> None:
    made = module(body)
    with pytest.raises(ModuleError, match=message) as caught:
        check_module(made.wasm, made.manifest, runtime)
    assert caught.value.where == "guest"


def test_a_module_that_the_engine_would_not_take_is_refused(runtime: Runtime, module: Make) -> None:
    made = module("(func $deep (drop (i32.const 5)))")
    wasm = made.wasm.replace(b"\x41\x05\x1a", b"\x42\x05\x6a")
    assert wasm != made.wasm
    with pytest.raises(ModuleError, match="the module is not valid: type mismatch"):
        check_module(wasm, made.manifest, runtime)


def test_what_the_runtime_switches_off_is_refused_here_too(runtime: Runtime, module: Make) -> None:
    made = module('(memory (export "memory") 1 2 shared)')
    with pytest.raises(ModuleError, match="threads"):
        check_module(made.wasm, made.manifest, runtime)
