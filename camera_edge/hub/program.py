"""Starts programs of this package as children: what they inherit, and what becomes of what they print.

Invariant: no credential stands in a child's arguments or environment, and none of a source's reaches the log.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from camera_edge.errors import OutputError

log = logging.getLogger(__name__)

_LINE_BYTES: Final = 2000
_LINES_PER_SECOND: Final = 20
_USERINFO: Final = re.compile(r"//[^/\s]*@")

# -I: not the current folder, no PYTHON* variables, no packages of the user. -B: a worker may not write byte code
PYTHON: Final = (sys.executable, "-I", "-B", "-m")
WORKER: Final = (*PYTHON, "camera_edge", "worker")
COMPILER: Final = (*PYTHON, "camera_edge.packages.ready")


def environment(home: Path) -> dict[str, str]:
    """The whole environment of a child. home: an empty folder; libraries write into the real one unasked."""
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "HOME": str(home),
        # importing onnxruntime would ask a name server and write into HOME
        "ORT_DISABLE_TELEMETRY": "1",
        # one core's work per camera; more arenas and threads only cost memory
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "PYTHONUNBUFFERED": "1",
    }


def empty_home(state: Path) -> Path:
    """The folder that children take for their home: empty, and not writable."""
    home = state / "home"
    try:
        home.mkdir(mode=0o500, exist_ok=True)
    except OSError as exc:
        raise OutputError(f"cannot be made: {exc.strerror}", where=str(home), hint="mend its permissions") from exc
    return home


async def log_lines(stream: asyncio.StreamReader, *, name: str, source: str = "") -> int:
    """Logs what a child prints, until it ends; returns how many lines were left out.

    At most 20 lines a second and 2000 bytes a line; the rest is dropped and counted.
    """
    left_out = 0
    second, lines = 0, 0
    while line := await _line(stream):
        now = int(asyncio.get_running_loop().time())
        second, lines = (second, lines + 1) if now == second else (now, 1)
        if lines > _LINES_PER_SECOND:
            left_out += 1
            continue
        log.warning("child says name=%s text=%s", name, without_credentials(line, source))
    if left_out:
        log.warning("child said too much name=%s left_out=%d", name, left_out)
    return left_out


def without_credentials(line: bytes, source: str) -> str:
    """The text of a line without control characters, the source's own credentials, or any that look like such."""
    text = line.decode("utf-8", "replace").rstrip()
    for secret in _credentials(source):
        text = text.replace(secret, "***")
    return _USERINFO.sub("//***@", "".join(char if char.isprintable() else "?" for char in text))


def _credentials(source: str) -> list[str]:
    """User and password as they stand in an address, longest first."""
    _, _, rest = source.partition("://")
    userinfo, at, _ = rest.rpartition("@")
    if not at:
        return []
    parts = {userinfo, *userinfo.split(":", 1)}
    # a part of one or two letters stands in half of all words; as `user:password@` it is still caught
    secrets = {secret for part in parts for secret in (part, unquote(part)) if len(secret) > 2}
    return sorted(secrets, key=len, reverse=True)


async def _line(stream: asyncio.StreamReader) -> bytes:
    """One line, cut at 2000 bytes; empty at the end of the stream."""
    try:
        return (await stream.readuntil(b"\n"))[:_LINE_BYTES]
    except asyncio.IncompleteReadError as exc:
        return bytes(exc.partial)
    except asyncio.LimitOverrunError as exc:
        return (await stream.readexactly(max(exc.consumed, 1)))[:_LINE_BYTES]
