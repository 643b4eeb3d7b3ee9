"""A guest written in C against the public wasi-nn interface, compiled as anyone would and run in wasmtime."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import wasmtime

from camera_edge.errors import ModuleError
from camera_edge.frames import Ring
from camera_edge.inference import Graph
from camera_edge.sandbox import (
    Analyzer,
    Answer,
    Cache,
    Grants,
    Program,
    RingMap,
    Runtime,
    Services,
    load_module,
    nn,
)
from camera_edge.sandbox.memory import GuestMemory

HERE = Path(__file__).parent
WEIGHTS = HERE.parents[2] / "shared" / "data" / "models" / "onnx_tiny"
FLAGS = ("--target=wasm32-freestanding", "-O2", "-nostdlib", "-s", "-Wall", "-Wextra", "-Werror", "-Wl,--no-entry")


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The compiled module, the picture of an eight inside."""
    if not WEIGHTS.is_dir():
        pytest.skip("no evaluation data: shared/data/models/onnx_tiny")
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("ziglang is not installed")
    folder = tmp_path_factory.mktemp("guest")
    gray = cv2.imread(str(WEIGHTS / "img.png"), cv2.IMREAD_GRAYSCALE)
    assert gray is not None
    digit = cv2.resize(gray, (28, 28), interpolation=cv2.INTER_AREA)
    numbers = ",".join(map(str, np.asarray(digit, np.uint8).ravel().tolist()))
    (folder / "digit.h").write_text(f"static const unsigned char DIGIT[28 * 28] = {{{numbers}}};\n")
    shutil.copy(HERE / "nn_guest.c", folder)
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(folder / "zig"), "ZIG_LOCAL_CACHE_DIR": str(folder / "zig")}
    compiler = [sys.executable, "-m", "ziglang", "cc", *FLAGS, "nn_guest.c", "-o", "guest.wasm"]
    subprocess.run(compiler, cwd=folder, env={**os.environ, **caches}, check=True)
    return (folder / "guest.wasm").read_bytes()


def load_graph(name: str) -> Graph:
    return Graph((WEIGHTS / f"{name}.onnx").read_bytes(), where=name)


class Instance:
    """The guest in a bare wasmtime, with the functions under test linked and its scores kept."""

    def __init__(self, wasm: bytes, granted: frozenset[str]) -> None:
        engine = wasmtime.Engine()
        self.scores: list[float] = []
        self._store = wasmtime.Store(engine)
        self._linker = wasmtime.Linker(engine)
        i32 = wasmtime.ValType.i32()
        for name, function in nn.functions(self._memory, load_graph, granted).items():
            kind = wasmtime.FuncType([i32] * function.parameters, [i32])
            self._linker.define_func(nn.MODULE, name, kind, function.call)
        score = wasmtime.FuncType([wasmtime.ValType.f64()], [i32])
        self._linker.define_func("camera_edge", "score", score, self._score)
        self._instance = self._linker.instantiate(self._store, wasmtime.Module(engine, wasm))

    def call(self, name: str, *args: int) -> int:
        function = self._instance.exports(self._store)[name]
        assert isinstance(function, wasmtime.Func)
        answer = function(self._store, *args)
        assert isinstance(answer, int)
        return answer

    def _memory(self) -> GuestMemory:
        memory = self._instance.exports(self._store)["memory"]
        assert isinstance(memory, wasmtime.Memory)
        address = ctypes.addressof(memory.data_ptr(self._store).contents)
        return GuestMemory(address, lambda: memory.data_len(self._store))

    def _score(self, value: float) -> int:
        self.scores.append(value)
        return 0


def test_a_c_guest_reads_the_eight_through_a_model_loaded_by_name(guest: bytes) -> None:
    instance = Instance(guest, frozenset({"mnist"}))
    assert instance.call("camera_edge_abi") == 1
    assert instance.call("open") == 0
    assert instance.call("analyze", 0) == 0
    assert instance.call("analyze", 0) == 0
    assert instance.scores == [8, 8]


def test_a_c_guest_without_the_grant_finds_no_model(guest: bytes) -> None:
    assert Instance(guest, frozenset({"yolox_nano"})).call("open") == -100 - nn.NnErrno.NOT_FOUND


@pytest.fixture
def program(guest: bytes, tmp_path: Path, runtime: Runtime, cache: Cache) -> Program:
    """The guest as an analyzer that asks for one model, loaded from beside its manifest."""
    wasm = tmp_path / "reader.wasm"
    wasm.write_bytes(guest)
    (tmp_path / "analyzer.toml").write_text(
        'name = "reader"\nversion = "1"\nabi = 1\nkinds = []\ncapabilities = ["pixels", "onnx:*"]\n'
        '[params]\nmodel = "mnist"\n'
    )
    return runtime.load(load_module(wasm), cache)


def analyzer(program: Program, ring: Ring, *models: str) -> Analyzer:
    capabilities = frozenset({"pixels", *(f"onnx:{model}" for model in models)})
    grants = Grants(capabilities, {"model": models[0]} if models else {})
    return Analyzer(program, grants, Services(graph=load_graph), RingMap(ring.fd, ring.size_bytes))


def test_the_sandbox_links_it_for_an_analyzer_that_was_granted_the_model(
    program: Program, ring: Ring, look: Callable[..., Answer | None]
) -> None:
    with analyzer(program, ring, "mnist") as reader:
        answers = [look(reader), look(reader)]
        assert [answer and answer.scores[0].value for answer in answers] == [8, 8]
        # what was loaded belongs to the instance; the next one loads again
        reader.sleep()
        woken = look(reader)
        assert woken is not None
        assert woken.scores[0].value == 8


def test_the_sandbox_does_not_link_it_without_a_grant(program: Program, ring: Ring) -> None:
    with pytest.raises(ModuleError, match=r"wasi_ephemeral_nn\..*grant it"):
        analyzer(program, ring).open()


def test_another_model_than_the_granted_one_is_not_there(program: Program, ring: Ring) -> None:
    with pytest.raises(ModuleError, match="-108"):
        analyzer(program, ring, "sum_and_difference").open()
