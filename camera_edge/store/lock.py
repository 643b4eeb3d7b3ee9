"""One appliance per state folder: a lock that the kernel lets go of when its holder dies.

Invariant: whoever holds it is alone with store, spool and clips.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self

from camera_edge.errors import OutputError, StateLockedError


class StateLock:
    """flock(2) on the file `lock` of the state folder, which it makes (0700) where it is missing."""

    def __init__(self, state: Path) -> None:
        self._path = state / "lock"
        self._fd = -1

    def acquire(self) -> None:
        """Raises StateLockedError where another process holds it, OutputError where the folder cannot be written."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise OutputError(
                f"the state folder cannot be written: {exc.strerror}",
                where=str(self._path.parent),
                hint="mend its permissions, or set another `state:`",
            ) from exc
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            raise StateLockedError(
                f"another camera-edge (process {holder}) uses this state folder",
                where=str(self._path.parent),
                hint="stop it, or set another `state:`",
            ) from exc
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode("ascii"), 0)
        self._fd = fd

    def release(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
