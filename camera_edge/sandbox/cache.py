"""Keeps compiled modules in a private folder, so that a module is compiled once.

Invariant: a compiled file is trusted code. The folder is ours alone, a file appears in it whole or not at all, and
who may only read (a worker) never compiles.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from camera_edge.errors import ModuleError, OutputError


class Cache:
    """A folder of compiled modules, made with mode 0700 where it is missing.

    A file is named by the hash of the engine's fingerprint (version, CPU, settings) and the module's hash.
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.folder = folder
        self.read_only = read_only

    def path(self, fingerprint: str, module_sha256: str) -> Path:
        name = hashlib.sha256(f"{fingerprint} {module_sha256}".encode()).hexdigest()
        return self.folder / f"{name}.cwasm"

    def find(self, fingerprint: str, module_sha256: str) -> Path | None:
        """The compiled file, or None. Raises ModuleError where others could have written it."""
        path = self.path(fingerprint, module_sha256)
        try:
            folder, file = self.folder.stat(), path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise ModuleError(f"cannot be read: {error.strerror}", where=str(path)) from error
        for status, name in ((folder, self.folder), (file, path)):
            if status.st_uid not in (os.geteuid(), 0) or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise ModuleError(
                    "others can write here, so compiled code in it cannot be trusted",
                    where=str(name),
                    hint="delete the folder, it is made again",
                )
        return path

    def keep(self, fingerprint: str, module_sha256: str, compiled: bytes) -> Path:
        """Write a compiled module. Raises OutputError where that fails."""
        path = self.path(fingerprint, module_sha256)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".compiled-", delete=False) as file:
                temporary = Path(file.name)
                file.write(compiled)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            hint = "free some space or name another folder"
            raise OutputError(f"cannot be written: {error.strerror}", where=str(self.folder), hint=hint) from error
        return path
