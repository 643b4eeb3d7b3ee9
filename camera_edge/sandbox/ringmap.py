"""Lays the frames of a ring over a range of a guest's memory: mapped where the machine can, copied where it cannot.

Invariant: a map is copy-on-write, readable and writable, never read-only: under PROT_READ a guest's `memory.fill`, or a
host function that writes where a guest says, would kill the process with SIGSEGV. A guest changes its own copy only,
and `refresh()` takes that copy away.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from dataclasses import dataclass

from camera_edge.errors import SandboxError

MAP_FIXED = 0x10
MADV_DONTNEED = 4
PAGE_BYTES = 65536
_FAILED = ctypes.c_void_p(-1).value

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_libc.madvise.restype = ctypes.c_int
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def unmappable() -> str | None:
    """Why this machine cannot map frames into a guest; None: it can."""
    if mmap.PAGESIZE > PAGE_BYTES:
        return f"pages of {mmap.PAGESIZE} bytes are larger than a WebAssembly page"
    try:
        os.close(os.memfd_create("camera-edge-probe", os.MFD_CLOEXEC))
    except (AttributeError, OSError) as error:
        return f"this kernel has no memfd ({error})"
    return None


@dataclass(frozen=True, slots=True)
class RingMap:
    """A frame ring as the sandbox needs to know it; `size_bytes` is a multiple of 65536.

    `fd` is its memfd. Without one (None), or where the machine cannot map it, frames are copied out of `memory`.
    """

    fd: int | None
    size_bytes: int
    memory: memoryview | None = None

    def read(self, offset: int, length: int) -> bytes:
        if self.fd is not None:
            return os.pread(self.fd, length, offset)
        assert self.memory is not None, "a ring has a descriptor or memory"
        return bytes(self.memory[offset : offset + length])


@dataclass(frozen=True, slots=True)
class Part:
    """A run of bytes of a ring."""

    offset: int
    length: int


class Mapped:
    """A ring, mapped at `address` of this process, inside a guest's memory. It goes when that memory is unmapped."""

    def __init__(self, ring: RingMap, address: int) -> None:
        self._address = address
        self._size_bytes = ring.size_bytes
        flags = mmap.MAP_PRIVATE | MAP_FIXED
        at = _libc.mmap(address, ring.size_bytes, mmap.PROT_READ | mmap.PROT_WRITE, flags, ring.fd, 0)
        if at != address:
            reason = os.strerror(ctypes.get_errno()) if at == _FAILED else "mapped elsewhere"
            raise SandboxError(f"the frame ring of {ring.size_bytes} bytes cannot be mapped: {reason}")

    def refresh(self) -> None:
        """Drop the pages that the guest wrote to, so that it sees the host's frames again.

        All of them are dropped, without asking which are dirty: reading pagemap costs as much for the rings analyzers
        use (10 microseconds at 320 x 180), and could not be opened any more once the process is undumpable.
        """
        if _libc.madvise(self._address, self._size_bytes, MADV_DONTNEED) != 0:
            raise SandboxError(f"the frame ring cannot be refreshed: {os.strerror(ctypes.get_errno())}")


class Copied:
    """Room for a ring at `address` of this process, inside a guest's memory; what a frame needs is copied there."""

    def __init__(self, ring: RingMap, address: int) -> None:
        self._ring = ring
        self._address = address

    def refresh(self, parts: tuple[Part, ...]) -> None:
        for part in parts:
            ctypes.memmove(self._address + part.offset, self._ring.read(part.offset, part.length), part.length)


def lay(ring: RingMap, address: int) -> Mapped | Copied:
    """The ring at `address`, a multiple of 65536 inside a guest's memory: mapped if that can be done."""
    if ring.fd is None or mmap.PAGESIZE > PAGE_BYTES:
        return Copied(ring, address)
    return Mapped(ring, address)
