from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from camera_edge.errors import ModuleError, OutputError
from camera_edge.sandbox import Cache, ModuleFile, Runtime

MakeModule = Callable[..., ModuleFile]


def test_a_module_is_compiled_once(runtime: Runtime, module: MakeModule, tmp_path: Path) -> None:
    cache, file = Cache(tmp_path / "cache"), module("")
    runtime.load(file, cache)
    (compiled,) = cache.folder.iterdir()
    assert compiled == cache.find(runtime.fingerprint, file.sha256)
    before = compiled.stat().st_mtime_ns
    assert Runtime().load(file, Cache(cache.folder, read_only=True)).file == file
    assert compiled.stat().st_mtime_ns == before


def test_the_cache_is_private(runtime: Runtime, module: MakeModule, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "state" / "cache")
    runtime.load(module(""), cache)
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in cache.folder.iterdir()] == [0o600]


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_cache_that_others_can_write_is_not_trusted(
    runtime: Runtime, module: MakeModule, tmp_path: Path, mode: int
) -> None:
    cache, file = Cache(tmp_path / "cache"), module("")
    runtime.load(file, cache)
    cache.folder.chmod(mode)
    with pytest.raises(ModuleError, match="cannot be trusted"):
        runtime.load(file, cache)


def test_who_may_only_read_never_compiles(runtime: Runtime, module: MakeModule, tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match="analyzer 'guest' is not compiled"):
        runtime.load(module(""), Cache(tmp_path, read_only=True))
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_compiled_module_is_made_again_or_refused(
    runtime: Runtime, module: MakeModule, tmp_path: Path
) -> None:
    cache, file = Cache(tmp_path / "cache"), module("")
    runtime.load(file, cache)
    path = cache.path(runtime.fingerprint, file.sha256)
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    with pytest.raises(ModuleError, match="damaged"):
        runtime.load(file, Cache(cache.folder, read_only=True))
    runtime.load(file, cache)
    assert path.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_named(runtime: Runtime, module: MakeModule, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError) as caught:
        runtime.load(module("(func)"), Cache(tmp_path / "file" / "cache"))
    assert caught.value.exit_code == 73


def test_another_engine_has_another_fingerprint(runtime: Runtime, module: MakeModule, tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert Runtime().fingerprint == runtime.fingerprint
    assert cache.path("one", "module") != cache.path("other", "module")
    assert cache.path("one", "module") != cache.path("one", "other")


EXPORTS = {
    "memory": '(memory (export "memory") 1)',
    "abi": '(func (export "camera_edge_abi") (result i32) i32.const 1)',
    "analyze": '(func (export "analyze") (param i32) (result i32) i32.const 0)',
}


@pytest.mark.parametrize(
    ("exports", "message"),
    [
        ({"memory": ""}, "exports no memory"),
        ({"memory": '(func (export "memory"))'}, "exports no memory"),
        ({"abi": ""}, r"does not export camera_edge_abi \(\) -> \(i32\)"),
        ({"analyze": ""}, r"does not export analyze \(i32\) -> \(i32\)"),
        ({"analyze": '(func (export "analyze"))'}, "has another type for analyze"),
        ({"analyze": '(global (export "analyze") i32 (i32.const 1))'}, "has another type for analyze"),
        ({"open": '(func (export "open"))'}, "has another type for open"),
        (
            {"analyze": '(func (export "observe") (param i32 i32) (result i32) i32.const 0)'},
            r"does not export analyze \(i32\) -> \(i32\)",
        ),
        (
            {"analyze": '(func (export "analyze") (param v128) (result i32) i32.const 0)'},
            "has another type for analyze",
        ),
        ({"open": '(func (export "open") (result v128) (v128.const i64x2 0 0))'}, "has another type for open"),
    ],
)
def test_a_module_that_is_no_analyzer_is_refused(
    runtime: Runtime, module: MakeModule, cache: Cache, exports: dict[str, str], message: str
) -> None:
    body = "(module " + " ".join({**EXPORTS, **exports}.values()) + ")"
    with pytest.raises(ModuleError, match=message) as caught:
        runtime.load(module(body), cache)
    assert caught.value.where == "guest" and caught.value.hint


def test_a_rule_module_exports_observe_and_needs_no_analyze(runtime: Runtime, module: MakeModule, cache: Cache) -> None:
    body = "(module " + " ".join(EXPORTS.values()) + "{})"
    with pytest.raises(ModuleError, match=r"does not export observe \(i32, i32\) -> \(i32\)"):
        runtime.load(module(body.format(""), asks=("observations",)), cache)
    observe = '(func (export "observe") (param i32 i32) (result i32) i32.const 0)'
    runtime.load(module(body.format(observe), asks=("observations",)), cache)


def test_a_vector_in_the_type_of_what_nobody_calls_harms_nobody(
    runtime: Runtime, module: MakeModule, cache: Cache
) -> None:
    # wasmtime's C interface ends the process when it is asked for the name of this type
    runtime.load(module('(func (export "other") (param v128))'), cache)


@pytest.mark.parametrize(
    "feature",
    [
        '(memory (export "memory") 1 2 shared)',
        '(memory (export "memory") i64 1)',
        "(memory 1)",
        "(func (param v128 v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 1)))",
        "(type (struct (field i32)))",
        "(tag)",
    ],
    ids=["threads", "64-bit memory", "two memories", "relaxed SIMD", "garbage collection", "exceptions"],
)
def test_features_that_the_contract_excludes_do_not_compile(
    runtime: Runtime, module: MakeModule, cache: Cache, feature: str
) -> None:
    with pytest.raises(ModuleError, match="cannot be compiled"):
        runtime.load(module(feature), cache)


@pytest.mark.parametrize(
    "feature",
    [
        "(func (param v128) (result v128) (i8x16.popcnt (local.get 0)))",
        "(func (param i32) (memory.fill (local.get 0) (i32.const 0) (i32.const 1)))",
        "(func (param i32) (result i32) (i32.extend8_s (local.get 0)))",
        "(func (param f32) (result i32) (i32.trunc_sat_f32_s (local.get 0)))",
        "(func (result i32 i32) (i32.const 1) (i32.const 2))",
        "(table 1 externref)",
        "(func $f (return_call $f))",
    ],
    ids=["SIMD", "bulk memory", "sign extension", "saturating", "multi-value", "references", "tail calls"],
)
def test_features_that_the_contract_allows_compile(
    runtime: Runtime, module: MakeModule, cache: Cache, feature: str
) -> None:
    runtime.load(module(feature), cache)


def test_bytes_that_only_begin_like_webassembly_are_refused(runtime: Runtime, module: MakeModule, cache: Cache) -> None:
    good = module("")
    broken = ModuleFile(good.manifest, good.wasm[:30], "0" * 64, "path")
    with pytest.raises(ModuleError, match="cannot be compiled"):
        runtime.load(broken, cache)


def test_compiling_starts_no_thread() -> None:
    # in a process of its own, for the compiler's threads would be there from the first compilation on
    program = """
from pathlib import Path
from wasmtime import Module
from camera_edge.sandbox import Runtime
def threads():
    return len(list(Path("/proc/self/task").iterdir()))
before = threads()
Module(Runtime().engine, "(module" + "(func (result i32) i32.const 1)" * 200 + ")")
assert threads() == before, f"{threads() - before} more"
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
