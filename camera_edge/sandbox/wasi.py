"""Answers `wasi_snapshot_preview1` just enough for the runtime of a language.

No files, no sockets, no entropy, and no clock but media time.

Invariant: two instances that see the same frames get the same answers; no function raises.
Numbers are those of `wasi_snapshot_preview1.witx` (WebAssembly/WASI).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping

from camera_edge.sandbox.host import CALL_FUEL, LOG_LINES_A_SECOND, Host
from camera_edge.sandbox.memory import U32, GuestError
from camera_edge.sandbox.sections import FunctionType
from camera_edge.sandbox.status import GuestEndError, RefusedError

MODULE = "wasi_snapshot_preview1"

# each returns an errno as i32, but for proc_exit; the rest of the interface answers `nosys`
KNOWN: Mapping[str, FunctionType] = {
    name: FunctionType(tuple(params.split()), () if name == "proc_exit" else ("i32",))
    for name, params in {
        "args_get": "i32 i32",
        "args_sizes_get": "i32 i32",
        "environ_get": "i32 i32",
        "environ_sizes_get": "i32 i32",
        "clock_res_get": "i32 i32",
        "clock_time_get": "i32 i64 i32",
        "random_get": "i32 i32",
        "fd_close": "i32",
        "fd_fdstat_get": "i32 i32",
        "fd_prestat_get": "i32 i32",
        "fd_read": "i32 i32 i32 i32",
        "fd_seek": "i32 i64 i32 i32",
        "fd_write": "i32 i32 i32 i32",
        "proc_exit": "i32",
        "sched_yield": "",
    }.items()
}
_NUMBERS = frozenset({"i32", "i64", "f32", "f64"})
SUCCESS, BADF, FAULT, INVAL, IO, NOSYS = 0, 8, 21, 28, 29, 52
STDOUT, STDERR = 1, 2
CLOCK_RESOLUTION_NS = 1000
VECTORS_MAX = 64
WRITE_BYTES_MAX = 65536
# a block of the random sequence, so that the host holds no more of it at a time
RANDOM_BLOCK_BYTES = 65536
_INFORMATION, _WARNING = 1, 2


def may_be(name: str, kind: FunctionType) -> bool:
    """Whether a function of this name can be given to a guest as one of this type.

    It is what WASI says, or takes numbers where all it answers is `nosys`: vectors and references are not handed over.
    """
    if name in KNOWN:
        return kind == KNOWN[name]
    return kind.results in ((), ("i32",)) and _NUMBERS.issuperset(kind.params)


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
            self._host.pay(CALL_FUEL)
            try:
                errno = call(*args)
            except (GuestError, RefusedError):
                errno = FAULT
            except GuestEndError:
                raise
            except Exception:  # noqa: BLE001  # the host-function wall: logged, and a status for the guest
                self._host.log_defect(MODULE, name)
                errno = IO
            self._host.pay_for_bytes()
            return errno if result else None

        return answer

    def _proc_exit(self, code: int) -> None:
        self.exited = code
        raise GuestEndError

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
        # of the lines of one write no more can be taken than of a second
        for line in data.removesuffix(b"\n").split(b"\n", LOG_LINES_A_SECOND)[:LOG_LINES_A_SECOND] if data else ():
            self._host.say(level, line.removesuffix(b"\r"))
        return self._put(written, "<I", len(data))

    def _clock_time_get(self, _clock: int, _precision: int, out: int) -> int:
        return self._put(out, "<Q", self._host.media_us * 1000)

    def _clock_res_get(self, _clock: int, out: int) -> int:
        return self._put(out, "<Q", CLOCK_RESOLUTION_NS)

    def _random_get(self, buffer: int, length: int) -> int:
        buffer, length = buffer & U32, length & U32
        memory = self._host.present_memory()
        memory.check(buffer, length)
        self._host.pay(length)
        for at in range(0, length, RANDOM_BLOCK_BYTES):
            self._blocks += 1
            block = hashlib.shake_128(self._blocks.to_bytes(8, "little"))
            memory.write(buffer + at, block.digest(min(RANDOM_BLOCK_BYTES, length - at)))
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
