"""Lays the frames of a ring over a range of a guest's memory.

Invariant: copy-on-write, readable and writable, never read-only: under PROT_READ a guest's `memory.fill`, or a host
function that writes where a guest says, would kill the process with SIGSEGV. A guest changes its own copy only, and
`refresh()` takes that copy away.
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


@dataclass(frozen=True, slots=True)
class RingMap:
    """A frame ring as the sandbox needs to know it: its memfd and its size, a multiple of 65536 bytes."""

    fd: int
    size_bytes: int


class Overlay:
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
