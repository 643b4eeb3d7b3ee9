"""Answers `wasi_snapshot_preview1` just enough for the runtime of a language.

No files, no sockets, no entropy, and no clock but media time.

Invariant: two instances that see the same frames get the same answers; no function raises.
Numbers are those of `wasi_snapshot_preview1.witx` (WebAssembly/WASI).
"""

from __future__ import annotations

import hashlib
import logging
import struct
from collections.abc import Callable

from camera_edge.sandbox.host import CALL_FUEL, Host
from camera_edge.sandbox.memory import U32, GuestError
from camera_edge.sandbox.status import RefusedError

log = logging.getLogger(__name__)

MODULE = "wasi_snapshot_preview1"

SUCCESS, BADF, FAULT, INVAL, IO, NOSYS = 0, 8, 21, 28, 29, 52
STDOUT, STDERR = 1, 2
CLOCK_RESOLUTION_NS = 1000
VECTORS_MAX = 64
WRITE_BYTES_MAX = 65536
# the rest of the interface answers `nosys`
KNOWN = frozenset(
    {"args_get", "args_sizes_get", "environ_get", "environ_sizes_get", "clock_res_get", "clock_time_get", "random_get"}
    | {"fd_close", "fd_fdstat_get", "fd_prestat_get", "fd_read", "fd_seek", "fd_write", "proc_exit", "sched_yield"}
)
_INFORMATION, _WARNING = 1, 2


class Wasi:
    """The functions for one analyzer's guest. `restart()` begins the random sequence again, for a new instance."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._blocks = 0
        self.exited: int | None = None

    def restart(self) -> None:
        self._blocks = 0
        self.exited = None

    def function(self, name: str, result: bool) -> Callable[..., int | None]:
        """What to link under this name, whatever its parameters; one that is not known answers `nosys`."""
        if name == "proc_exit":
            return self._proc_exit
        call: Callable[..., int] = getattr(self, f"_{name}") if name in KNOWN else _nosys

        def answer(*args: int) -> int | None:
            try:
                errno = call(*args)
            except (GuestError, RefusedError):
                errno = FAULT
            except Exception:
                log.exception("host function failed name=%s", name)
                errno = IO
            self._host.pay(CALL_FUEL)
            return errno if result else None

        return answer

    def _proc_exit(self, code: int) -> None:
        """No exception may leave a host function: without fuel the guest traps at its next step."""
        self.exited = code
        self._host.pay(1 << 62)

    def _fd_write(self, descriptor: int, vectors: int, count: int, written: int) -> int:
        if descriptor not in (STDOUT, STDERR):
            return BADF
        if not 0 <= count <= VECTORS_MAX:
            return INVAL
        parts = list(struct.iter_unpack("<II", self._host.read(vectors, 8 * count)))
        if sum(length for _, length in parts) > WRITE_BYTES_MAX:
            return INVAL
        data = b"".join(self._host.read(pointer, length) for pointer, length in parts)
        level = _INFORMATION if descriptor == STDOUT else _WARNING
        for line in data.splitlines():
            self._host.say(level, line)
        return self._put(written, "<I", len(data))

    def _clock_time_get(self, _clock: int, _precision: int, out: int) -> int:
        return self._put(out, "<Q", self._host.media_us * 1000)

    def _clock_res_get(self, _clock: int, out: int) -> int:
        return self._put(out, "<Q", CLOCK_RESOLUTION_NS)

    def _random_get(self, buffer: int, length: int) -> int:
        self._host.present_memory().check(buffer, length)
        self._blocks += 1
        self._host.write(buffer, hashlib.shake_128(self._blocks.to_bytes(8, "little")).digest(length & U32))
        return SUCCESS

    def _args_get(self, _argv: int, _buffer: int) -> int:
        return SUCCESS

    def _args_sizes_get(self, count: int, size: int) -> int:
        return self._put(count, "<I", 0) or self._put(size, "<I", 0)

    _environ_get = _args_get
    _environ_sizes_get = _args_sizes_get

    def _badf(self, *_args: int) -> int:
        return BADF

    _fd_close = _fd_fdstat_get = _fd_seek = _fd_read = _fd_prestat_get = _badf

    def _sched_yield(self) -> int:
        return SUCCESS

    def _put(self, pointer: int, layout: str, value: int) -> int:
        self._host.write(pointer, struct.pack(layout, value & ((1 << 64) - 1)))
        return SUCCESS


def _nosys(*_args: int) -> int:
    return NOSYS
