"""Has the modules verified and compiled before any worker uses them, by a child that ends with its work.

Invariant: neither the hub nor a worker ever compiles; workers only read the folder of compiled modules.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from camera_edge.config import Config
from camera_edge.durable import make_folder
from camera_edge.errors import ModuleError, OutputError
from camera_edge.hub.program import environment
from camera_edge.settings import REDACTION_DEFAULT, SHELF_FOLDER

COMPILE_S: Final = 120.0


def module_names(config: Config) -> list[str]:
    """The modules that the enabled cameras run, each once."""
    cameras = [camera for camera in config.cameras.values() if camera.enabled]
    return sorted({REDACTION_DEFAULT, *(name for camera in cameras for name in camera.analyzers)})


@dataclass(frozen=True, slots=True)
class ModuleFolders:
    """Where compiled modules go, and where installed ones stand."""

    cache: Path
    shelf: Path

    @classmethod
    def of(cls, state: Path) -> ModuleFolders:
        return cls(state / "cache", state / SHELF_FOLDER)

    def prepare(self) -> None:
        """Makes the shelf where it is missing: workers are allowed to read only what is there when they start."""
        try:
            make_folder(self.shelf)
        except OSError as exc:
            hint = "mend its permissions"
            raise OutputError(f"cannot be made: {exc.strerror}", where=str(self.shelf), hint=hint) from exc

    def is_installed(self, name: str) -> bool:
        return (self.shelf / "modules" / name).is_dir()

    @property
    def generation(self) -> str:
        """Another text after each change of what is installed, trusted or revoked."""
        try:
            return (self.shelf / "generation").read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return ""


async def make_ready(command: Sequence[str], folders: ModuleFolders, names: Sequence[str], home: Path) -> None:
    """Runs `command CACHE SHELF NAME…`. Raises ModuleError, with the child's own words, where it does not end well."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            str(folders.cache),
            str(folders.shelf),
            *names,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=environment(home),
            cwd="/",
            process_group=0,
        )
    except OSError as exc:
        raise ModuleError(f"the compiler cannot be started: {exc.strerror}", where=command[0]) from exc
    try:
        async with asyncio.timeout(COMPILE_S):
            _, said = await process.communicate()
    except TimeoutError as exc:
        raise ModuleError(f"modules are not ready after {COMPILE_S:g} s", where=", ".join(names)) from exc
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit code {process.returncode}"
        raise ModuleError(f"the analyzers cannot be made ready: {reason}", hint="`camera-edge doctor` looks further")
