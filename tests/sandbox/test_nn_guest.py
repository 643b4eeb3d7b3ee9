"""Guests written in C against the public wasi-nn interface and the C library, compiled as anyone would.

Nothing in them knows this host but the three exports of an analyzer.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
import struct
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.errors import ModuleError
from camera_edge.frames import Ring
from camera_edge.inference import Graph, Registry, Session
from camera_edge.sandbox import Analyzer, Answer, Cache, Grants, RingMap, Runtime, Services, host, load_module
from scripts.blobs.kinds import FIGURE_NAMES
from scripts.blobs.scene import draw
from tests import onnx_bytes

SOURCES = Path(__file__).parent / "nn_guests"
WEIGHTS = Path(__file__).parents[3] / "shared" / "data" / "models" / "onnx_tiny"
FLAGS = ("--target=wasm32-wasi", "-mexec-model=reactor", "-O2", "-s", "-Wall", "-Wextra", "-Werror")
# what the C type of each of wasi-nn's tensor types is called in types.c
TYPES = {"F16": "f2", "F32": "f4", "F64": "f8", "U8": "u1", "I32": "i4", "I64": "i8"}
# EXPECTs that errors.c passes, those in its loop ten times
EXPECTATIONS = 58

Build = Callable[..., bytes]
Look = Callable[..., Answer | None]
Make = Callable[..., Analyzer]

foreign = partial(Graph, where="the guest's own", foreign=True)


def weights(name: str) -> bytes:
    path = WEIGHTS / f"{name}.onnx"
    if not path.is_file():
        pytest.skip("no evaluation data: shared/data/models/onnx_tiny")
    return path.read_bytes()


def named(name: str) -> Graph:
    return Graph(weights(name), where=name)


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Compiles one of the guests, with a generated header of byte arrays beside it."""
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("ziglang is not installed")
    folder = tmp_path_factory.mktemp("nn_guests")
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    # the first one compiles the C library too, which takes most of the time
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(folder / "zig"), "ZIG_LOCAL_CACHE_DIR": str(folder / "zig")}

    def compile_guest(name: str, arrays: Mapping[str, bytes], *options: str) -> bytes:
        rows = (f"{array}[] = {{{','.join(map(str, data))}}};\n" for array, data in arrays.items())
        header = "".join(f"static const unsigned char {row}" for row in rows)
        (folder / f"{name}.h").write_text(header)
        compiler = [sys.executable, "-m", "ziglang", "cc", *FLAGS, *options, f"{name}.c", "-o", "guest.wasm"]
        subprocess.run(compiler, cwd=folder, env={**caches, **os.environ}, check=True)
        return (folder / "guest.wasm").read_bytes()

    return compile_guest


@pytest.fixture(scope="session")
def digit_arrays() -> Mapping[str, bytes]:
    gray = cv2.imread(str(WEIGHTS / "img.png"), cv2.IMREAD_GRAYSCALE) if WEIGHTS.is_dir() else None
    if gray is None:
        pytest.skip("no evaluation data: shared/data/models/onnx_tiny")
    digit = cv2.resize(gray, (28, 28), interpolation=cv2.INTER_AREA)
    return {"DIGIT": np.asarray(digit, np.uint8).tobytes(), "MNIST": weights("mnist")}


@pytest.fixture(scope="session")
def by_name(build: Build, digit_arrays: Mapping[str, bytes]) -> bytes:
    return build("digit", digit_arrays)


@pytest.fixture(scope="session")
def own_model(build: Build, digit_arrays: Mapping[str, bytes]) -> bytes:
    return build("digit", digit_arrays, "-DOWN_MODEL")


@pytest.fixture
def make(tmp_path: Path, runtime: Runtime, cache: Cache, ring: Ring) -> Iterator[Make]:
    """An analyzer of these bytes that asks for models by name and for its own; granted what the test says."""
    made: list[Analyzer] = []

    def analyzer(wasm: bytes, *granted: str, services: Services | None = None) -> Analyzer:
        path = tmp_path / "reader.wasm"
        path.write_bytes(wasm)
        (tmp_path / "analyzer.toml").write_text(
            'name = "reader"\nversion = "1"\nabi = 1\nkinds = []\ncapabilities = ["pixels", "onnx:*", "nn.load"]\n'
            '[params]\nmodel = "mnist"\n'
        )
        program = runtime.load(load_module(path), cache)
        grants = Grants(frozenset({"pixels", *granted}))
        services = services or Services(graph=named, load=foreign)
        made.append(Analyzer(program, grants, services, RingMap(ring.fd, ring.size_bytes)))
        return made[-1]

    yield analyzer
    for each in made:
        each.close()


def test_a_guest_reads_the_eight_through_a_model_loaded_by_name(by_name: bytes, make: Make, look: Look) -> None:
    reader = make(by_name, "onnx:mnist")
    answers = [look(reader), look(reader)]
    assert [answer and answer.scores[0].value for answer in answers] == [8, 8]
    # what was loaded belongs to the instance; the next one loads again
    reader.sleep()
    woken = look(reader)
    assert woken is not None
    assert woken.scores[0].value == 8
    assert woken.logs[0].text.startswith("a 8, or else a ")


def test_a_guest_reads_the_eight_through_a_model_of_its_own(own_model: bytes, make: Make, look: Look) -> None:
    reader = make(own_model, "nn.load")
    answer = look(reader)
    assert answer is not None, reader.last_fault
    assert answer.scores[0].value == 8


def test_without_a_grant_nothing_is_linked(by_name: bytes, make: Make) -> None:
    with pytest.raises(ModuleError, match=r"wasi_ephemeral_nn\..*grant it"):
        make(by_name).open()


def test_another_model_than_the_granted_one_is_not_there(by_name: bytes, make: Make) -> None:
    with pytest.raises(ModuleError, match="-108"):
        make(by_name, "onnx:sum_and_difference").open()


def test_a_grant_of_a_model_is_none_for_own_models(own_model: bytes, make: Make) -> None:
    with pytest.raises(ModuleError, match="-106"):
        make(own_model, "onnx:mnist").open()


def test_a_grant_for_own_models_is_none_for_a_model_by_name(by_name: bytes, make: Make) -> None:
    with pytest.raises(ModuleError, match="-108"):
        make(by_name, "nn.load").open()


def test_a_guest_asks_the_shipped_model_about_windows_that_it_cut(
    build: Build, tmp_path: Path, make: Make, look: Look
) -> None:
    figures = ("walker", "cyclist", "car")
    windows = np.stack([clearly(name) for name in figures]).astype("<f4")
    registry = Registry(tmp_path / "state")
    services = Services(graph=lambda name: Session(registry.get(name)).graph())
    reader = make(build("blobs", {"WINDOWS": windows.tobytes()}), "onnx:blobs", services=services)
    answers = [look(reader), look(reader)]
    assert answers[0] is not None, reader.last_fault
    kinds = registry.get("blobs").contract.output.class_names
    said = [[kinds[int(score.value)] for score in answer.scores] for answer in answers if answer is not None]
    assert said == [["person", "cyclist", "vehicle"]] * 2


def clearly(name: str) -> NDArray[np.float32]:
    """A drawn window of the figure, seen large and well."""
    figure = FIGURE_NAMES.index(name)
    samples = (draw(np.random.default_rng([11, seed]), figure) for seed in range(100))
    return max(
        (sample for sample in samples if sample.person_px > 40), key=lambda each: float(each.window[1].std())
    ).window


def test_a_model_that_cannot_be_loaded_refuses_the_start_with_the_reason(
    build: Build, digit_arrays: Mapping[str, bytes], make: Make
) -> None:
    broken = build("digit", {**digit_arrays, "MNIST": digit_arrays["MNIST"][:-100]}, "-DOWN_MODEL")
    with pytest.raises(ModuleError, match=r"-105.*wasi_ephemeral_nn load: the guest's own: "):
        make(broken, "nn.load").open()


def test_a_model_that_was_brought_goes_with_the_instance(own_model: bytes, make: Make, look: Look) -> None:
    graphs: list[weakref.ref[Graph]] = []

    def load(model: bytes) -> Graph:
        graph = foreign(model)
        graphs.append(weakref.ref(graph))
        return graph

    reader = make(own_model, "nn.load", services=Services(load=load))
    assert look(reader) is not None
    assert graphs[0]() is not None
    reader.sleep()
    gc.collect()
    assert graphs[0]() is None


def test_tensors_of_every_type_go_through_real_models_byte_for_byte(build: Build, make: Make, look: Look) -> None:
    rng = np.random.default_rng(3)
    arrays: dict[str, bytes] = {}
    for name, dtype in TYPES.items():
        arrays[f"SAME_{name}"] = onnx_bytes.identity((2, "n"), kind=onnx_bytes.KINDS[dtype])
        arrays[f"SUM_{name}"] = onnx_bytes.sum_of_two(dtype, (2, 4))
        # any bits: those of numbers that are none (NaN) too, quiet and signalling
        noise = rng.integers(0, 256, 8 * np.dtype(dtype).itemsize, np.uint8)
        noise[-np.dtype(dtype).itemsize :] = 0xFF
        arrays[f"NOISE_{name}"] = noise.tobytes()
    sender = make(build("types", arrays), "nn.load")
    for _ in range(2):
        answer = look(sender)
        assert answer is not None, sender.last_fault
        assert answer.scores[0].value == len(TYPES)


def test_every_mistake_is_answered_with_its_error_number(build: Build, make: Make, look: Look) -> None:
    asker = make(build("errors", {"MODEL": onnx_bytes.identity(("n",))}), "nn.load")
    answer = look(asker)
    assert answer is not None, asker.counters
    assert answer.scores[0].value == EXPECTATIONS
    counted = {call.result for call in asker.counters.host_calls if call.function.startswith("wasi_ephemeral_nn.")}
    assert counted == {
        "SUCCESS",
        "INVALID_ARGUMENT",
        "INVALID_ENCODING",
        "RUNTIME_ERROR",
        "TOO_LARGE",
        "NOT_FOUND",
    }


STARTS = """
(import "wasi_ephemeral_nn" "load" (func $load (param i32 i32 i32 i32 i32) (result i32)))
(import "camera_edge" "score" (func $score (param f64) (result i32)))
(global $errno (mut i32) (i32.const -1))
(func $start (global.set $errno (call $load (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 0) (i32.const 8))))
(start $start)
(func (export "analyze") (param i32) (result i32) (call $score (f64.convert_i32_s (global.get $errno))))
"""


def test_a_start_function_that_calls_has_no_memory_yet(analyzer: Callable[..., Analyzer], look: Look) -> None:
    answer = look(analyzer(STARTS, asks=("pixels", "nn.load"), services=Services(load=foreign)))
    assert answer is not None
    assert answer.scores[0].value == 3


def test_loading_costs_a_model_and_each_of_its_bytes(analyzer: Callable[..., Analyzer], look: Look) -> None:
    model = onnx_bytes.identity((1,), name="n" * 5000)
    text = rf"""
(import "wasi_ephemeral_nn" "load" (func $load (param i32 i32 i32 i32 i32) (result i32)))
(memory (export "memory") 2)
(data (i32.const 0) "{escaped(struct.pack("<II", 256, len(model)))}")
(data (i32.const 256) "{escaped(model)}")
(func (export "analyze") (param i32) (result i32)
  (i32.sub (i32.const 0) (call $load (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 0) (i32.const 16))))
"""
    answer = look(analyzer(text, asks=("pixels", "nn.load"), services=Services(load=foreign)))
    assert answer is not None
    assert host.INFER_FUEL + len(model) < answer.fuel < host.INFER_FUEL + len(model) + 100


def escaped(data: bytes) -> str:
    """As WebAssembly text writes bytes."""
    return "".join(f"\\{byte:02x}" for byte in data)
