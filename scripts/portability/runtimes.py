"""The runtimes that a tape is replayed in, and how each is started on this machine.

Invariant: a runtime that is not here is skipped with a reason; one that is here and fails is a failure.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from camera_edge.errors import CameraEdgeError
from scripts.portability.tape import Replay

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
LONGEST_S = 600
AARCH64 = "aarch64"


class AbsentError(CameraEdgeError):
    """The runtime is not on this machine."""


class ReplayError(CameraEdgeError):
    """The runtime is here, and does not run the tape."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Command:
    """A program that replays a tape: what stands before the tape's path, and after."""

    before: tuple[str, ...]
    after: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Engine:
    """A runtime by its name; `command()` raises AbsentError where it is not here."""

    name: str
    command: Callable[[], Command]

    def replay(self, folder: Path) -> Replay:
        """Raises AbsentError, ReplayError."""
        command = self.command()
        program = [*command.before, str(folder), *command.after]
        try:
            done = subprocess.run(
                program,
                cwd=REPOSITORY,
                env={**os.environ, **command.environment},
                capture_output=True,
                text=True,
                timeout=LONGEST_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ReplayError(f"does not end within {LONGEST_S} s", where=self.name) from error
        if done.returncode:
            raise ReplayError(_last_line(done.stderr) or f"ended with {done.returncode}", where=self.name)
        try:
            return msgspec.json.decode(done.stdout, type=Replay)
        except msgspec.DecodeError as error:
            raise ReplayError(f"says nothing that can be read: {error}", where=self.name) from error


def engines() -> tuple[Engine, ...]:
    """All of them, this machine's own first."""
    own = f"wasmtime-{platform.machine()}"
    others = () if platform.machine() == AARCH64 else (Engine(f"wasmtime-{AARCH64}", _emulated),)
    return (Engine(own, _native), Engine("wasmtime-pulley", _interpreter), Engine("node-v8", _node), *others)


def _native() -> Command:
    return Command((sys.executable, "-m", "scripts.portability.replay"))


def _interpreter() -> Command:
    return Command((sys.executable, "-m", "scripts.portability.replay"), ("pulley64",))


def _node() -> Command:
    node = shutil.which("node")
    if node is None:
        raise AbsentError("no `node` is installed", hint="on Debian: apt-get install nodejs")
    return Command((node, str(HERE / "replay.mjs")))


def _emulated() -> Command:
    """An aarch64 Python with its wheels under qemu-user; the first time it is put together from Debian and PyPI."""
    qemu = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
    if qemu is None:
        raise AbsentError("no `qemu-aarch64` is installed", hint="on Debian: apt-get install qemu-user")
    program = [str(HERE / "aarch64-root"), sys.executable]
    try:
        made = subprocess.run(program, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise AbsentError(f"no aarch64 Python: it is not fetched within {LONGEST_S} s") from error
    if made.returncode:
        raise AbsentError(f"no aarch64 Python: {_last_line(made.stderr)}", hint="it needs Debian's packages and PyPI")
    root = Path(made.stdout.strip())
    paths = {"PYTHONPATH": f"{root / 'site'}:{REPOSITORY}", "PYTHONNOUSERSITE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    python = (qemu, "-L", str(root / "root"), str(root / "root/usr/bin/python3.11"))
    return Command((*python, "-m", "scripts.portability.replay"), environment=paths)


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
