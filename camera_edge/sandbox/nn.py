"""Answers `wasi_ephemeral_nn` for one guest: named graphs, execution contexts and tensors in the guest's memory.

Invariant: a guest reaches only the models it was granted, every length it names is bounded before a byte is copied,
and no exception leaves a function of the table (wasmtime-py keeps a raised one in a process-wide slot).

Layouts and error numbers are those of WebAssembly/wasi-nn `wasi-nn.witx` at 71320d9. Where hosts differ, this one
answers `not_found` for an unknown name, writes the size that would be needed along with `too_large`, and computes on
the CPU whatever target a guest names; it has `unload` and `finalize_execution_context` besides, which guests written
for WasmEdge import. A model of a guest's own is one ONNX file in one part: parts would have to be joined, and two ONNX
files joined are a third one.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from camera_edge.errors import CameraEdgeError
from camera_edge.sandbox.memory import U32, GuestError, NoMemoryError

T = TypeVar("T")

MODULE = "wasi_ephemeral_nn"

GRAPHS_MAX = 16
CONTEXTS_MAX = 32
DIMENSIONS_MAX = 8
# these cost a guest as much as `infer`
COSTLY = frozenset({"load", "compute"})
NAME_BYTES_MAX = 256
# of one model that a guest brings, and of all that it holds at a time
MODEL_BYTES_MAX = 64 << 20
MODELS_BYTES_MAX = 128 << 20
# what one guest may make the host hold: inputs and outputs of all its contexts
HELD_BYTES_MAX = 64 << 20

# one byte for the type: the three after it are padding, which some guests leave uninitialised
TENSOR = struct.Struct("<IIB3xII")
BUILDER = struct.Struct("<II")

_WARNING = 2

DTYPES: tuple[np.dtype[np.generic], ...] = tuple(np.dtype(name) for name in ("<f2", "<f4", "<f8", "u1", "<i4", "<i8"))


class NnErrno(IntEnum):
    SUCCESS = 0
    INVALID_ARGUMENT = 1
    INVALID_ENCODING = 2
    MISSING_MEMORY = 3
    BUSY = 4
    RUNTIME_ERROR = 5
    UNSUPPORTED_OPERATION = 6
    TOO_LARGE = 7
    NOT_FOUND = 8


class Encoding(IntEnum):
    """What a guest may call its model; hosts answer `invalid_encoding` to what they do not take."""

    OPENVINO = 0
    ONNX = 1
    TENSORFLOW = 2
    PYTORCH = 3
    TENSORFLOW_LITE = 4
    AUTODETECT = 5


# cpu, gpu, tpu, and the `auto` of the Rust bindings: all of them are the CPU here
TARGETS = range(4)


class TensorInfo(Protocol):
    """What a graph says about one of its inputs or outputs; a dimension of -1 is free."""

    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> np.dtype[np.generic]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...


class Graph(Protocol):
    """A loaded model. `run` takes one array for each input, in order, and raises CameraEdgeError where it fails."""

    @property
    def inputs(self) -> Sequence[TensorInfo]: ...
    @property
    def outputs(self) -> Sequence[TensorInfo]: ...
    def run(self, arrays: Sequence[NDArray[np.generic]], /) -> list[NDArray[np.generic]]: ...


class Caller(Protocol):
    """The guest that calls: its memory (each access raises GuestError out of range), a line for its log or for ours."""

    def read(self, pointer: int, length: int, /) -> bytes: ...
    def write(self, pointer: int, data: bytes, /) -> None: ...
    def say(self, level: int, data: bytes, /) -> object: ...
    def log_defect(self, module: str, name: str, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Models:
    """Where a guest's graphs come from: `by_name` for the names it was `granted`, `load` for bytes of its own.

    None: it may not. Both raise CameraEdgeError.
    """

    by_name: Callable[[str], Graph] | None = None
    granted: frozenset[str] = frozenset()
    load: Callable[[bytes], Graph] | None = None

    @property
    def any(self) -> bool:
        """The guest may have a graph at all; one that was granted and that nobody here runs is not found."""
        return self.load is not None or bool(self.granted)


@dataclass(frozen=True, slots=True)
class NnFunction:
    """One function of the table: `call` takes `parameters` values of type i32 and returns an errno as i32."""

    parameters: int
    call: Callable[..., int]


# compared by identity: the same model loaded twice is held twice
@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    """A graph, and how many bytes of the guest it was made of."""

    graph: Graph
    model_bytes: int = 0


@dataclass(slots=True)
class _Context:
    loaded: _Loaded
    inputs: dict[int, NDArray[np.generic]] = field(default_factory=dict)
    outputs: list[NDArray[np.generic]] | None = None

    @property
    def graph(self) -> Graph:
        return self.loaded.graph

    @property
    def held_bytes(self) -> int:
        return sum(array.nbytes for array in (*self.inputs.values(), *(self.outputs or ())))


class _Refused(Exception):
    """The guest asked for something it cannot have; carries the answer."""

    def __init__(self, errno: NnErrno) -> None:
        super().__init__(errno.name)
        self.errno = errno


def functions(caller: Caller, models: Models) -> Mapping[str, NnFunction]:
    """The functions to link under `wasi_ephemeral_nn` for one instance of a guest; each call makes empty tables."""
    host = _Host(caller, models)
    table: dict[str, tuple[int, Callable[..., None]]] = {
        "load": (5, host.load),
        "load_by_name": (3, host.load_by_name),
        "init_execution_context": (2, host.init_execution_context),
        "set_input": (3, host.set_input),
        "compute": (1, host.compute),
        "get_output": (5, host.get_output),
        "unload": (1, host.unload),
        "finalize_execution_context": (1, host.finalize_execution_context),
    }
    return {name: NnFunction(parameters, _guarded(name, call, caller)) for name, (parameters, call) in table.items()}


def _guarded(name: str, call: Callable[..., None], caller: Caller) -> Callable[..., int]:
    """Guest pointers and handles arrive signed: they are made u32 here, and every failure becomes an errno."""

    def answer(*args: int) -> int:
        try:
            call(*(arg & U32 for arg in args))
        except _Refused as refused:
            return int(refused.errno)
        except NoMemoryError:
            return int(NnErrno.MISSING_MEMORY)
        except GuestError:
            return int(NnErrno.INVALID_ARGUMENT)
        except CameraEdgeError as error:
            # its own model or tensors are at fault, so it goes to the guest's log, which is bounded
            caller.say(_WARNING, f"{MODULE} {name}: {error}".encode())
            return int(NnErrno.RUNTIME_ERROR)
        except Exception:  # noqa: BLE001  # the host-function wall: logged, and a status for the guest
            caller.log_defect(MODULE, name)
            return int(NnErrno.RUNTIME_ERROR)
        return int(NnErrno.SUCCESS)

    return answer


class _Host:
    """The tables of one guest instance."""

    def __init__(self, caller: Caller, models: Models) -> None:
        self._caller = caller
        self._models = models
        self._graphs: dict[int, _Loaded] = {}
        self._contexts: dict[int, _Context] = {}
        # handles are never used twice, so a stale one cannot name somebody else's
        self._next_handle = 0

    def load(self, builders: int, count: int, encoding: int, target: int, out: int) -> None:
        if self._models.load is None:
            raise _Refused(NnErrno.UNSUPPORTED_OPERATION)
        if encoding not in (Encoding.ONNX, Encoding.AUTODETECT):
            raise _Refused(NnErrno.INVALID_ENCODING)
        if target not in TARGETS or count != 1:
            raise _Refused(NnErrno.INVALID_ARGUMENT)
        pointer, length = BUILDER.unpack(self._caller.read(builders, BUILDER.size))
        if length > min(MODEL_BYTES_MAX, MODELS_BYTES_MAX - self._model_bytes):
            raise _Refused(NnErrno.TOO_LARGE)
        self._check_room(self._graphs, GRAPHS_MAX, out)
        model = self._caller.read(pointer, length)
        self._hand_out(self._graphs, _Loaded(self._models.load(model), length), out)

    def load_by_name(self, name_pointer: int, name_bytes: int, out: int) -> None:
        if name_bytes > NAME_BYTES_MAX:
            raise _Refused(NnErrno.TOO_LARGE)
        try:
            name = self._caller.read(name_pointer, name_bytes).decode("utf-8")
        except UnicodeDecodeError as error:
            raise _Refused(NnErrno.INVALID_ARGUMENT) from error
        if name not in self._models.granted or self._models.by_name is None:
            raise _Refused(NnErrno.NOT_FOUND)
        self._check_room(self._graphs, GRAPHS_MAX, out)
        self._hand_out(self._graphs, _Loaded(self._models.by_name(name)), out)

    def init_execution_context(self, graph: int, out: int) -> None:
        loaded = self._graphs.get(graph)
        if loaded is None:
            raise _Refused(NnErrno.INVALID_ARGUMENT)
        self._check_room(self._contexts, CONTEXTS_MAX, out)
        self._hand_out(self._contexts, _Context(loaded), out)

    def set_input(self, context: int, index: int, tensor_pointer: int) -> None:
        target = self._context(context)
        if index >= len(target.graph.inputs):
            raise _Refused(NnErrno.INVALID_ARGUMENT)
        # the tensor that it replaces goes, and what was computed from that
        going = [array for array in (target.inputs.get(index), *(target.outputs or ())) if array is not None]
        free_bytes = self._free_bytes + sum(array.nbytes for array in going)
        target.inputs[index] = self._tensor(tensor_pointer, target.graph.inputs[index], free_bytes)
        target.outputs = None

    def compute(self, context: int) -> None:
        target = self._context(context)
        target.outputs = None
        if len(target.inputs) != len(target.graph.inputs):
            raise _Refused(NnErrno.INVALID_ARGUMENT)
        outputs = target.graph.run([target.inputs[index] for index in range(len(target.graph.inputs))])
        if sum(output.nbytes for output in outputs) > self._free_bytes:
            raise _Refused(NnErrno.TOO_LARGE)
        target.outputs = outputs

    def get_output(self, context: int, index: int, buffer: int, capacity_bytes: int, out_written: int) -> None:
        target = self._context(context)
        if target.outputs is None:
            raise _Refused(NnErrno.RUNTIME_ERROR)
        if index >= len(target.outputs):
            raise _Refused(NnErrno.INVALID_ARGUMENT)
        output = target.outputs[index]
        if output.nbytes <= capacity_bytes:
            self._caller.write(buffer, _little_endian(output))
        self._caller.write(out_written, struct.pack("<I", output.nbytes))
        if output.nbytes > capacity_bytes:
            raise _Refused(NnErrno.TOO_LARGE)

    def unload(self, graph: int) -> None:
        """Contexts made from the graph stay usable, as a context holds what it needs."""
        if self._graphs.pop(graph, None) is None:
            raise _Refused(NnErrno.INVALID_ARGUMENT)

    def finalize_execution_context(self, context: int) -> None:
        if self._contexts.pop(context, None) is None:
            raise _Refused(NnErrno.INVALID_ARGUMENT)

    def _context(self, handle: int) -> _Context:
        if (context := self._contexts.get(handle)) is None:
            raise _Refused(NnErrno.INVALID_ARGUMENT)
        return context

    def _check_room(self, table: Mapping[int, object], most: int, out: int) -> None:
        """Before anything is made: there is room for a handle in the table, and in the guest's memory."""
        if len(table) >= most:
            raise _Refused(NnErrno.TOO_LARGE)
        self._caller.read(out, 4)

    def _hand_out(self, table: dict[int, T], item: T, out: int) -> None:
        self._caller.write(out, struct.pack("<I", self._next_handle))
        table[self._next_handle] = item
        self._next_handle += 1

    @property
    def _model_bytes(self) -> int:
        """Of all models that the guest brought and still holds, be it by a context alone."""
        held = {*self._graphs.values(), *(context.loaded for context in self._contexts.values())}
        return sum(loaded.model_bytes for loaded in held)

    @property
    def _free_bytes(self) -> int:
        return HELD_BYTES_MAX - sum(context.held_bytes for context in self._contexts.values())

    def _tensor(self, pointer: int, wanted: TensorInfo, free_bytes: int) -> NDArray[np.generic]:
        """The guest's tensor as an array of its own, checked against what the graph takes."""
        read = self._caller.read
        dims_pointer, dims_count, kind, data_pointer, data_bytes = TENSOR.unpack(read(pointer, TENSOR.size))
        if dims_count > DIMENSIONS_MAX or kind >= len(DTYPES):
            raise _Refused(NnErrno.INVALID_ARGUMENT)
        if data_bytes > free_bytes:
            raise _Refused(NnErrno.TOO_LARGE)
        shape = struct.unpack(f"<{dims_count}I", read(dims_pointer, 4 * dims_count))
        dtype = DTYPES[kind]
        # Python's integers do not wrap, so a product beyond 2^32 is unequal and not small
        if math.prod(shape) * dtype.itemsize != data_bytes or dtype != wanted.dtype or not _fits(shape, wanted.shape):
            raise _Refused(NnErrno.INVALID_ARGUMENT)
        array: NDArray[np.generic] = np.frombuffer(read(data_pointer, data_bytes), dtype).reshape(shape)
        return array


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        free == -1 or size == free for size, free in zip(shape, wanted, strict=True)
    )


def _little_endian(array: NDArray[np.generic]) -> bytes:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
