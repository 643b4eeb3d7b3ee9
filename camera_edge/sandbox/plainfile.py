"""Reads folders and files that others may have filled: plain files alone, and no more of them than was asked for.

Invariant: it never waits, whatever lies under the name: a pipe without a writer, a device, a link.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from camera_edge.errors import ModuleError


def read_plain(path: Path, longest: int) -> bytes:
    """The first `longest` bytes and one more, so that a longer file is known by its length. Raises OSError."""
    return _read(os.open(path, os.O_RDONLY | os.O_NONBLOCK), longest)


def read_below(folder: Path, path: str, longest: int) -> bytes:
    """As `read_plain`, of a file below a folder; no link is followed on the way down. Raises OSError."""
    *parents, name = path.split("/")
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for parent in parents:
            below = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        return _read(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at), longest)
    finally:
        os.close(at)


def names_in(folder: Path) -> list[str]:
    """What lies in a folder, in order; nothing where there is no folder. Raises ModuleError where it cannot be read."""
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ModuleError(f"cannot be read: {error.strerror}", where=str(folder), hint="check permissions") from error


def _read(descriptor: int, longest: int) -> bytes:
    """What was opened is closed in any case."""
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is no plain file, but a pipe, a socket or a device")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(longest + 1)
    finally:
        os.close(descriptor)
