"""Writes files of the state folder so that a power cut leaves the old or the new, never half.

Invariant: what has a final name is whole and on the disk.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_durably(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Temporary file, fsync, rename, fsync of the folder. Raises OSError.

    By default others may read it: the service may run as another user than the one who writes.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_new(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """A file that must not be there yet, brought onto the disk; its folder is not. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(descriptor, mode)
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def make_folder(folder: Path) -> None:
    """A folder that others may read, whatever the umask, where there is none. Raises OSError."""
    try:
        folder.mkdir()
    except FileExistsError:
        return
    folder.chmod(0o755)


def sync_folder(folder: Path) -> None:
    """What was renamed or removed in it is so after a power cut too. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
