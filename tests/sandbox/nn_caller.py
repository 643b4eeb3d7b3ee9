"""A wasi-nn guest without WebAssembly: a memory, and calls with the numbers that a guest would give."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from camera_edge.errors import ModelError
from camera_edge.sandbox import nn
from camera_edge.sandbox.memory import GuestMemory
from camera_edge.sandbox.nn import Encoding, Graph, Models, NnErrno, NnFunction

SIZE_BYTES = 1 << 20
NAME, TENSOR, DIMS, DATA, OUT, RESULT, BUILDER = 0x100, 0x200, 0x300, 0x1000, 0x80000, 0x400, 0x500
BEYOND = SIZE_BYTES - 2
F32 = 1
# what lies before and after the guest's memory
FENCE = bytes.fromhex("c5a31e77") * 16384


@dataclass(frozen=True)
class Info:
    name: str
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]


@dataclass
class Echo:
    """A graph that gives back what it gets."""

    inputs: Sequence[Info]
    fails: bool = False
    ran: list[list[NDArray[np.generic]]] = field(default_factory=list)

    @property
    def outputs(self) -> Sequence[Info]:
        return self.inputs

    def run(self, arrays: Sequence[NDArray[np.generic]], /) -> list[NDArray[np.generic]]:
        if self.fails:
            raise ModelError("cannot")
        self.ran.append(list(arrays))
        return list(arrays)


def echo(*shape: int, dtype: str = "f4") -> Echo:
    return Echo([Info("in", np.dtype(dtype), shape)])


class Guest:
    """A guest as the host sees it: a memory, calls with signed 32-bit numbers, and lines for its log."""

    def __init__(
        self,
        graphs: Mapping[str, Graph],
        granted: frozenset[str] | None = None,
        load: Callable[[bytes], Graph] | None = None,
    ) -> None:
        whole = bytearray(FENCE + bytes(SIZE_BYTES) + FENCE)
        self.memory = memoryview(whole)[len(FENCE) : -len(FENCE)]
        self._fences = memoryview(whole)[: len(FENCE)], memoryview(whole)[-len(FENCE) :]
        self._pinned = (ctypes.c_char * SIZE_BYTES).from_buffer(whole, len(FENCE))
        self.lines: list[bytes] = []
        self.defects: list[str] = []
        host_memory = GuestMemory(ctypes.addressof(self._pinned), lambda: SIZE_BYTES)
        self._host_memory = host_memory
        names = frozenset(graphs) if granted is None else granted
        models = Models(graphs.__getitem__, names, load)
        self.functions: Mapping[str, NnFunction] = nn.functions(self, models)

    @property
    def is_fenced(self) -> bool:
        """Nothing beyond the memory was written, and nothing of it has come into the memory."""
        return all(fence == FENCE for fence in self._fences) and FENCE[:8] not in bytes(self.memory)

    def read(self, pointer: int, length: int) -> bytes:
        return self._host_memory.read(pointer, length)

    def write(self, pointer: int, data: bytes) -> None:
        self._host_memory.write(pointer, data)

    def log_defect(self, module: str, name: str) -> None:
        self.defects.append(f"{module}.{name}")

    def say(self, _level: int, data: bytes) -> None:
        self.lines.append(data)

    def call(self, name: str, *args: int) -> NnErrno:
        function = self.functions[name]
        assert len(args) == function.parameters
        return NnErrno(function.call(*(ctypes.c_int32(arg).value for arg in args)))

    def put(self, pointer: int, data: bytes) -> None:
        self.memory[pointer : pointer + len(data)] = data

    def u32(self, pointer: int) -> int:
        return int.from_bytes(self.memory[pointer : pointer + 4], "little")

    def load(self, name: str) -> NnErrno:
        self.put(NAME, name.encode())
        return self.call("load_by_name", NAME, len(name.encode()), OUT)

    def context(self, name: str) -> int:
        assert self.load(name) is NnErrno.SUCCESS
        assert self.call("init_execution_context", self.u32(OUT), OUT) is NnErrno.SUCCESS
        return self.u32(OUT)

    def set_input(self, context: int, array: NDArray[np.generic], kind: int = F32, index: int = 0) -> NnErrno:
        self.put(DIMS, struct.pack(f"<{array.ndim}I", *array.shape))
        self.put(DATA, array.tobytes())
        self.put_tensor(DIMS, array.ndim, kind, DATA, array.nbytes)
        return self.call("set_input", context, index, TENSOR)

    def put_tensor(self, dims: int, count: int, kind: int, data: int, data_bytes: int) -> None:
        # the padding after the type is poisoned, as a guest may leave it
        self.put(TENSOR, struct.pack("<IIB3sII", dims, count, kind, b"\xaa\xaa\xaa", data, data_bytes))

    def output(self, context: int, dtype: str, index: int = 0) -> NDArray[np.generic]:
        assert self.call("get_output", context, index, OUT, SIZE_BYTES - OUT, RESULT) is NnErrno.SUCCESS
        return np.frombuffer(bytes(self.memory[OUT : OUT + self.u32(RESULT)]), dtype)

    def load_bytes(self, model: bytes, *, encoding: int = Encoding.ONNX, target: int = 0, parts: int = 1) -> NnErrno:
        self.put(DATA, model)
        self.put(BUILDER, struct.pack("<II", DATA, len(model)))
        return self.call("load", BUILDER, parts, encoding, target, OUT)
