"""The one place where the host reads and writes a guest's memory.

Invariant: nothing outside of the guest's present memory is touched, whatever numbers a guest hands over.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

U32 = 0xFFFFFFFF


class GuestError(Exception):
    """A guest named bytes that are not its own. It ends at the host-function wall, as a status."""


class NoMemoryError(GuestError):
    """The instance has no memory yet: its start function calls."""


class GuestMemory:
    """The linear memory of one instance: `address` in this process, and its size in bytes at the time of the call.

    Pointers and lengths arrive from wasmtime-py as signed 32-bit numbers; both forms are taken. Every method raises
    GuestError where the range does not lie inside the memory.
    """

    def __init__(self, address: int, size_bytes: Callable[[], int]) -> None:
        self._address = address
        self._size_bytes = size_bytes

    @property
    def size_bytes(self) -> int:
        return self._size_bytes()

    def read(self, pointer: int, length: int) -> bytes:
        return ctypes.string_at(self._locate(pointer, length), _unsigned(length))

    def write(self, pointer: int, data: bytes | memoryview) -> None:
        """`data` must be contiguous; a memoryview is copied without a second copy in between."""
        if isinstance(data, memoryview):
            data = data.cast("B") if data.readonly or data.format != "B" else data
        address = self._locate(pointer, len(data))
        if isinstance(data, bytes):
            ctypes.memmove(address, data, len(data))
        else:
            room = (ctypes.c_char * len(data)).from_address(address)
            memoryview(room).cast("B")[:] = data

    def u32(self, pointer: int) -> int:
        return int.from_bytes(self.read(pointer, 4), "little")

    def check(self, pointer: int, length: int) -> None:
        """Nothing but the check, for a result that is expensive to make."""
        self._locate(pointer, length)

    def _locate(self, pointer: int, length: int) -> int:
        pointer, length = _unsigned(pointer), _unsigned(length)
        if pointer + length > self._size_bytes():
            raise GuestError(f"{length} bytes at {pointer:#x} lie outside of the guest's memory")
        return self._address + pointer


def _unsigned(number: int) -> int:
    """A negative number is the signed form of a u32; one beyond 32 bits stays what it is, and lies outside."""
    return number & U32 if number < 0 else number
