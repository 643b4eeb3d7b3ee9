"""The three Landlock system calls and their structures (linux/landlock.h), spoken through ctypes.

Invariant: only ENOSYS and EOPNOTSUPP mean "this kernel has none"; every other failure is an error, never less
protection.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
from enum import IntFlag
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from camera_edge.errors import CameraEdgeError

# the same numbers on every architecture since Linux 5.13 (asm-generic/unistd.h)
_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_VERSION_FLAG: Final = 1
_RULE_PATH: Final = 1
_RULE_PORT: Final = 2

_libc: Final = ctypes.CDLL(None, use_errno=True)


class FileAccess(IntFlag):
    """LANDLOCK_ACCESS_FS_*"""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


class PortAccess(IntFlag):
    """LANDLOCK_ACCESS_NET_*"""

    BIND_TCP = 1 << 0
    CONNECT_TCP = 1 << 1


class Scope(IntFlag):
    """LANDLOCK_SCOPE_*"""

    ABSTRACT_UNIX_SOCKET = 1 << 0
    SIGNAL = 1 << 1


READ: Final = FileAccess.READ_FILE | FileAccess.READ_DIR
# regular files and folders come and go; device nodes, sockets, pipes and links do not
WRITE: Final = (
    READ
    | FileAccess.WRITE_FILE
    | FileAccess.TRUNCATE
    | FileAccess.MAKE_REG
    | FileAccess.MAKE_DIR
    | FileAccess.REMOVE_FILE
    | FileAccess.REMOVE_DIR
    | FileAccess.REFER
)
DEVICE: Final = FileAccess.READ_FILE | FileAccess.WRITE_FILE | FileAccess.IOCTL_DEV
# what the kernel accepts in a rule for something that is no folder
_FOR_FILES: Final = (
    FileAccess.EXECUTE | FileAccess.WRITE_FILE | FileAccess.READ_FILE | FileAccess.TRUNCATE | FileAccess.IOCTL_DEV
)


class _RulesetAttributes(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


class _PortRule(ctypes.Structure):
    _fields_ = (("allowed_access", ctypes.c_uint64), ("port", ctypes.c_uint64))


def abi_version() -> int:
    """The kernel's Landlock ABI, 0 where it has none (not built, or not enabled at boot)."""
    version = int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG)))
    if version >= 0:
        return version
    if ctypes.get_errno() in (errno.ENOSYS, errno.EOPNOTSUPP):
        return 0
    raise _failed("landlock_create_ruleset")


def handled_files(abi: int) -> FileAccess:
    """Every kind of file access that this ABI can deny."""
    newest = FileAccess.MAKE_SYM if abi < 2 else FileAccess.REFER if abi < 3 else FileAccess.TRUNCATE
    if abi >= 5:
        newest = FileAccess.IOCTL_DEV
    return FileAccess((newest << 1) - 1)


class Ruleset:
    """Denies everything the kernel can deny, but what `allow_path` and `allow_connect` name."""

    def __init__(self, abi: int) -> None:
        self._files = handled_files(abi)
        self._ports = PortAccess.BIND_TCP | PortAccess.CONNECT_TCP if abi >= 4 else PortAccess(0)
        self._scoped = Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL if abi >= 6 else Scope(0)
        # a kernel refuses a structure that is longer than it knows with anything set; older ones know fewer fields
        self._attributes_bytes = 8 if abi < 4 else 16 if abi < 6 else 24
        self._fd = -1

    def open(self) -> None:
        attributes = _RulesetAttributes(self._files, self._ports, self._scoped)
        self._fd = int(
            _libc.syscall(
                _CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(self._attributes_bytes), ctypes.c_uint32(0)
            )
        )
        if self._fd < 0:
            raise _failed("landlock_create_ruleset")

    def allow_path(self, path: Path, access: FileAccess) -> None:
        """Allows `access` at and below `path` (links are followed). Raises CameraEdgeError where it does not exist."""
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError as exc:
            raise CameraEdgeError(f"cannot be allowed to the worker: {exc.strerror}", where=str(path)) from exc
        try:
            if not stat.S_ISDIR(os.fstat(fd).st_mode):
                access &= _FOR_FILES
            self._add(_RULE_PATH, _PathRule(access & self._files, fd))
        finally:
            os.close(fd)

    def allow_connect(self, port: int) -> None:
        """Allows TCP connections to `port`, at any address: Landlock knows no addresses."""
        if self._ports:
            self._add(_RULE_PORT, _PortRule(PortAccess.CONNECT_TCP, port))

    def enforce(self) -> None:
        """On the calling thread and those it starts later. Needs `no_new_privs`."""
        if _libc.syscall(_RESTRICT_SELF, ctypes.c_int(self._fd), ctypes.c_uint32(0)):
            raise _failed("landlock_restrict_self")

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.close(fd)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _add(self, kind: int, rule: ctypes.Structure) -> None:
        if _libc.syscall(_ADD_RULE, ctypes.c_int(self._fd), ctypes.c_int(kind), ctypes.byref(rule), ctypes.c_uint32(0)):
            raise _failed("landlock_add_rule")


def _failed(call: str) -> CameraEdgeError:
    number = ctypes.get_errno()
    return CameraEdgeError(
        f"{call} failed: {os.strerror(number)}", hint="under systemd, allow the landlock_* calls in SystemCallFilter="
    )
