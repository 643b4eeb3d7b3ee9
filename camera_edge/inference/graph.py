"""The one door to onnxruntime: an ONNX model in memory that takes arrays and gives arrays.

Invariant: onnxruntime is imported here, where a model is really loaded, and never with its telemetry on. Without the
variable below, importing it resolves names, and writes a device id into the home folder. It runs on one CPU thread
unless told otherwise and does not spin, so one camera costs what it computes. A model of a guest's own is looked
through first and bounded in memory and time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from threading import Timer
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camera_edge.errors import ModelError
from camera_edge.installed import installed_version

FREE = -1
_STDERR = 2
PROVIDER = "CPUExecutionProvider"
# all tensors, weights too, of all guests' own models in this process
FOREIGN_MEMORY_BYTES = 512 << 20
# one inference of such a model; far below what the hub lets pass before it takes a worker for hung
FOREIGN_RUN_S = 2.0
# it would compute what the bounds are there for, while the model is loaded and outside of them
_FOREIGN_WITHOUT = ["ConstantFolding"]

_DTYPES: dict[str, np.dtype[np.generic]] = {
    "tensor(float16)": np.dtype("f2"),
    "tensor(float)": np.dtype("f4"),
    "tensor(double)": np.dtype("f8"),
    "tensor(uint8)": np.dtype("u1"),
    "tensor(int32)": np.dtype("i4"),
    "tensor(int64)": np.dtype("i8"),
}
# what fails is raised; at the levels below this one the runtime writes it to stderr as well
_FATAL_ONLY = 4


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a graph; a dimension of -1 is free."""

    name: str
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]


class Graph:
    """A loaded ONNX model. Not thread-safe by contract: one graph, one thread."""

    def __init__(self, onnx: bytes, *, where: str, threads: int = 1, foreign: bool = False) -> None:
        """Loads a model. Raises ModelError where `onnx` is not one that this runtime can run; `where` names it.

        `foreign`: nobody vouches for it. It is refused where `screen` refuses it, and fails where it needs more than
        FOREIGN_MEMORY_BYTES, or FOREIGN_RUN_S for an inference.
        """
        self._where = where
        self._foreign = foreign
        if foreign:
            # only workers that were granted `nn.load` need it
            from camera_edge.inference.screen import screen

            screen(onnx, where=where)
        self._runtime = runtime = _onnxruntime()
        self._failures = _failures(runtime)
        options = _options(runtime, threads)
        if foreign:
            _share_bounded_memory(runtime)
            options.add_session_config_entry("session.use_env_allocators", "1")
        # a second try, which the runtime makes by default, prints to stdout and forgets what is disabled here
        asked = {"enable_fallback": 0, "disabled_optimizers": _FOREIGN_WITHOUT if foreign else None}
        try:
            self._session = runtime.InferenceSession(onnx, options, [PROVIDER], **asked)
            # names are decoded here, and need not be UTF-8
            self._inputs = tuple(self._spec(node) for node in self._session.get_inputs())
            self._outputs = tuple(self._spec(node) for node in self._session.get_outputs())
        except self._failures as error:
            hint = "the file must be a whole ONNX model, its weights inside"
            raise ModelError(f"onnxruntime cannot load it: {_line(error)}", where=where, hint=hint) from error
        self._output_names = [spec.name for spec in self._outputs]

    @property
    def inputs(self) -> Sequence[TensorSpec]:
        return self._inputs

    @property
    def outputs(self) -> Sequence[TensorSpec]:
        return self._outputs

    def run(self, arrays: Sequence[NDArray[np.generic]], /) -> list[NDArray[np.generic]]:
        """One inference: an array for each input, in order; gives the outputs, in order.

        Raises ModelError where an array has the wrong dtype or shape, or the model fails on it.
        """
        if len(arrays) != len(self._inputs):
            raise ModelError(f"{len(arrays)} inputs given, the model has {len(self._inputs)}", where=self._where)
        feed = {spec.name: array for spec, array in zip(self._inputs, arrays, strict=True)}
        try:
            with _stopped_after(FOREIGN_RUN_S, self._runtime) if self._foreign else nullcontext() as options:
                outputs: list[NDArray[np.generic]] = self._session.run(self._output_names, feed, options)
        except self._failures as error:
            raise ModelError(f"inference failed: {_line(error)}", where=self._where) from error
        return outputs

    def _spec(self, node: object) -> TensorSpec:
        name: str = node.name  # type: ignore[attr-defined]
        kind: str = node.type  # type: ignore[attr-defined]
        shape: list[int | str | None] = node.shape  # type: ignore[attr-defined]
        if kind not in _DTYPES:
            hint = f"supported are {', '.join(_DTYPES)}"
            raise ModelError(f"{name!r} is a {kind}, which is not supported", where=self._where, hint=hint)
        return TensorSpec(name, _DTYPES[kind], tuple(side if isinstance(side, int) else FREE for side in shape))


def fingerprint() -> str:
    """Which runtime computes, for an event's record: results may differ by a rounding between versions and CPUs."""
    return f"onnxruntime {installed_version('onnxruntime')} {PROVIDER}"


def load_runtime() -> None:
    """Imports onnxruntime now: tenths of a second, which a guest's first own model must not cost a frame."""
    _onnxruntime()


def _onnxruntime() -> ModuleType:
    """Imports the runtime with its telemetry off; tens of megabytes, so only where a model is granted."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    with nullcontext() if "onnxruntime" in sys.modules else _without_device_warning():
        import onnxruntime

    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(_FATAL_ONLY)
    module: ModuleType = onnxruntime
    return module


@contextmanager
def _without_device_warning() -> Iterator[None]:
    """Holds back what is written to descriptor 2 meanwhile, and passes on all but one line.

    Where graphics cards cannot be listed, as in a confined worker, importing the runtime warns of it, and no setting
    prevents that (microsoft/onnxruntime issue 27092).
    """
    sys.stderr.flush()
    stderr, held = os.dup(_STDERR), os.memfd_create("stderr", os.MFD_CLOEXEC)
    os.dup2(held, _STDERR)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(stderr, _STDERR)
        lines = os.pread(held, os.fstat(held).st_size, 0).splitlines(keepends=True)
        if kept := b"".join(line for line in lines if b"device_discovery.cc" not in line):
            os.write(_STDERR, kept)
        os.close(stderr)
        os.close(held)


@cache
def _share_bounded_memory(runtime: ModuleType) -> None:
    """Registers, once in a process, the memory that foreign models share; others have their own."""
    kind = runtime.OrtMemoryInfo("Cpu", runtime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, runtime.OrtMemType.DEFAULT)
    # strategy 1: grow by what is asked for, and not by doubling
    bounds = runtime.OrtArenaCfg({"max_mem": FOREIGN_MEMORY_BYTES, "arena_extend_strategy": 1})
    runtime.create_and_register_allocator(kind, bounds)


@contextmanager
def _stopped_after(seconds: float, runtime: ModuleType) -> Iterator[Any]:
    """The options of a run that fails once the time is over (between two of its nodes), and then gives memory back."""
    options = runtime.RunOptions()
    options.log_severity_level = _FATAL_ONLY
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    timer = Timer(seconds, setattr, (options, "terminate", True))
    timer.daemon = True
    timer.start()
    try:
        yield options
    finally:
        timer.cancel()


def _options(runtime: ModuleType, threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = _FATAL_ONLY
    # the bytes are ONNX or refused: the runtime would take its own format, which nobody looks through, as well
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # a model in memory takes weights that it keeps in another file from the current folder: bytes that nobody hashed
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    return options


def _failures(runtime: ModuleType) -> tuple[type[Exception], ...]:
    """The runtime's exceptions share no root but Exception: those of its status codes, and what its checks raise."""
    state = runtime.capi.onnxruntime_pybind11_state
    own = (value for value in vars(state).values() if isinstance(value, type) and issubclass(value, Exception))
    return (*own, ValueError, TypeError, RuntimeError)


def _line(error: Exception) -> str:
    """The runtime's text, which may run over many lines."""
    return " ".join(str(error).split())[:300]
