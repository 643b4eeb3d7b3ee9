"""Where commands that run modules in their own process keep them compiled.

Invariant: a folder that cannot be written costs time and not the run, which then has a folder of its own.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.markup import escape

from camera_edge.cli.talk import talk
from camera_edge.errors import OutputError
from camera_edge.worker.assembly import Sandboxing

# more than a compiled module takes
_ROOM_BYTES = 1 << 20


def cache_folder() -> Path:
    """Raises RuntimeError where there is no home folder."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "camera-edge" / "modules"


@contextmanager
def module_cache() -> Iterator[Sandboxing]:
    """The runtime with the user's cache, or with one for this run only. Raises OutputError where neither can be had."""
    try:
        folder = cache_folder()
        _try_to_write(folder)
    except (OSError, RuntimeError) as exc:
        talk.print(
            f"[yellow]warning:[/] no place to keep compiled modules ({escape(str(exc))}); they are compiled for this "
            "run only. Set XDG_CACHE_HOME to a folder that you may write to"
        )
        with _temporary_folder() as temporary:
            yield Sandboxing.of(temporary, read_only=False)
        return
    yield Sandboxing.of(folder, read_only=False)


def _try_to_write(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(_ROOM_BYTES))
        probe.flush()


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    try:
        temporary = tempfile.TemporaryDirectory(prefix="camera-edge-")
    except OSError as exc:
        raise OutputError(
            f"there is no folder for temporary files: {exc.strerror}", hint="set TMPDIR to one that you may write to"
        ) from exc
    with temporary as name:
        yield Path(name)
