"""Answers `wasi_ephemeral_nn` for one guest: named graphs, execution contexts and tensors in the guest's memory.

Invariant: a guest reaches only the models it was granted, every length it names is bounded before a byte is copied,
and no exception leaves a function of the table (wasmtime-py keeps a raised one in a process-wide slot).

Layouts and error numbers are those of WebAssembly/wasi-nn `wasi-nn.witx` at 71320d9. Where hosts differ, this one
answers `not_found` for an unknown name and writes the size that would be needed along with `too_large`; it has
`unload` and `finalize_execution_context` besides, which guests written for WasmEdge import. `load` takes model bytes
from a guest: no capability for it exists yet, so it answers `unsupported_operation`.
"""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from camera_edge.errors import CameraEdgeError
from camera_edge.sandbox.memory import GuestError, GuestMemory

log = logging.getLogger(__name__)

MODULE = "wasi_ephemeral_nn"

GRAPHS_MAX = 16
CONTEXTS_MAX = 32
DIMENSIONS_MAX = 8
NAME_BYTES_MAX = 256
# what one guest may make the host hold: the inputs of all its contexts, and the outputs of each
HELD_BYTES_MAX = 64 << 20

# one byte for the type: the three after it are padding, which some guests leave uninitialised
TENSOR = struct.Struct("<IIB3xII")

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


@dataclass(frozen=True, slots=True)
class NnFunction:
    """One function of the table: `call` takes `parameters` values of type i32 and returns an errno as i32."""

    parameters: int
    call: Callable[..., int]


@dataclass(slots=True)
class _Context:
    graph: Graph
    inputs: dict[int, NDArray[np.generic]] = field(default_factory=dict)
    outputs: list[NDArray[np.generic]] | None = None

    @property
    def held_bytes(self) -> int:
        return sum(array.nbytes for array in self.inputs.values())


class _Refused(Exception):
    """The guest asked for something it cannot have; carries the answer."""

    def __init__(self, errno: NnErrno) -> None:
        super().__init__(errno.name)
        self.errno = errno


def functions(
    memory: Callable[[], GuestMemory], graph_by_name: Callable[[str], Graph], granted: frozenset[str]
) -> Mapping[str, NnFunction]:
    """The functions to link under `wasi_ephemeral_nn` for one instance of a guest; each call makes empty tables.

    `memory` gives the instance's memory at the time of the call, `graph_by_name` loads a model (or raises
    CameraEdgeError), `granted` holds the names of the models this guest may load.
    """
    host = _Host(memory, graph_by_name, granted)
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
    return {name: NnFunction(parameters, _guarded(name, call)) for name, (parameters, call) in table.items()}


def _guarded(name: str, call: Callable[..., None]) -> Callable[..., int]:
    """Guest pointers and handles arrive signed: they are made u32 here, and every failure becomes an errno."""

    def answer(*args: int) -> int:
        try:
            call(*(arg & 0xFFFFFFFF for arg in args))
        except _Refused as refused:
            return int(refused.errno)
        except GuestError:
            return int(NnErrno.INVALID_ARGUMENT)
        except CameraEdgeError as error:
            log.warning("inference failed for a guest function=%s error=%s", name, error)
            return int(NnErrno.RUNTIME_ERROR)
        except Exception:
            log.exception("host function failed function=%s", name)
            return int(NnErrno.RUNTIME_ERROR)
        return int(NnErrno.SUCCESS)

    return answer


class _Host:
    """The tables of one guest instance."""

    def __init__(
        self, memory: Callable[[], GuestMemory], graph_by_name: Callable[[str], Graph], granted: frozenset[str]
    ) -> None:
        self._memory = memory
        self._graph_by_name = graph_by_name
        self._granted = granted
        self._graphs: dict[int, Graph] = {}
        self._contexts: dict[int, _Context] = {}
        # handles are never used twice, so a stale one cannot name somebody else's
        self._next_handle = 0

    def load(self, _builders: int, _count: int, encoding: int, _target: int, _out: int) -> None:
        raise _Refused(NnErrno.UNSUPPORTED_OPERATION)

    def load_by_name(self, name_pointer: int, name_bytes: int, out: int) -> None:
        if name_bytes > NAME_BYTES_MAX:
            raise _Refused(NnErrno.TOO_LARGE)
        try:
            name = self._memory().read(name_pointer, name_bytes).decode("utf-8")
        except UnicodeDecodeError as error:
            raise _Refused(NnErrno.INVALID_ARGUMENT) from error
        if name not in self._granted:
            raise _Refused(NnErrno.NOT_FOUND)
        if len(self._graphs) >= GRAPHS_MAX:
            raise _Refused(NnErrno.TOO_LARGE)
        self._put_u32(out, self._next_handle)
        self._graphs[self._new_handle()] = self._graph_by_name(name)

    def init_execution_context(self, graph: int, out: int) -> None:
        loaded = self._graphs.get(graph)
        if loaded is None:
            raise _Refused(NnErrno.INVALID_ARGUMENT)
        if len(self._contexts) >= CONTEXTS_MAX:
            raise _Refused(NnErrno.TOO_LARGE)
        self._put_u32(out, self._next_handle)
        self._contexts[self._new_handle()] = _Context(loaded)

    def set_input(self, context: int, index: int, tensor_pointer: int) -> None:
        target = self._context(context)
        if index >= len(target.graph.inputs):
            raise _Refused(NnErrno.INVALID_ARGUMENT)
        others = sum(held.held_bytes for held in self._contexts.values())
        if (replaced := target.inputs.get(index)) is not None:
            others -= replaced.nbytes
        target.inputs[index] = self._tensor(tensor_pointer, target.graph.inputs[index], HELD_BYTES_MAX - others)
        target.outputs = None

    def compute(self, context: int) -> None:
        target = self._context(context)
        target.outputs = None
        if len(target.inputs) != len(target.graph.inputs):
            raise _Refused(NnErrno.INVALID_ARGUMENT)
        outputs = target.graph.run([target.inputs[index] for index in range(len(target.graph.inputs))])
        if sum(output.nbytes for output in outputs) > HELD_BYTES_MAX:
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
            self._memory().write(buffer, _little_endian(output))
        self._put_u32(out_written, output.nbytes)
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

    def _new_handle(self) -> int:
        handle = self._next_handle
        self._next_handle += 1
        return handle

    def _put_u32(self, pointer: int, value: int) -> None:
        self._memory().write(pointer, struct.pack("<I", value))

    def _tensor(self, pointer: int, wanted: TensorInfo, free_bytes: int) -> NDArray[np.generic]:
        """The guest's tensor as an array of its own, checked against what the graph takes."""
        memory = self._memory()
        dims_pointer, dims_count, kind, data_pointer, data_bytes = TENSOR.unpack(memory.read(pointer, TENSOR.size))
        if dims_count > DIMENSIONS_MAX or kind >= len(DTYPES):
            raise _Refused(NnErrno.INVALID_ARGUMENT)
        if data_bytes > free_bytes:
            raise _Refused(NnErrno.TOO_LARGE)
        shape = struct.unpack(f"<{dims_count}I", memory.read(dims_pointer, 4 * dims_count))
        dtype = DTYPES[kind]
        # Python's integers do not wrap, so a product beyond 2^32 is unequal and not small
        if math.prod(shape) * dtype.itemsize != data_bytes or dtype != wanted.dtype or not _fits(shape, wanted.shape):
            raise _Refused(NnErrno.INVALID_ARGUMENT)
        array: NDArray[np.generic] = np.frombuffer(memory.read(data_pointer, data_bytes), dtype).reshape(shape)
        return array


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        free == -1 or size == free for size, free in zip(shape, wanted, strict=True)
    )


def _little_endian(array: NDArray[np.generic]) -> bytes:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
