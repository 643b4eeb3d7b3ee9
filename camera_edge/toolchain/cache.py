"""Where compilers keep what they need again, outside of any source folder.

Invariant: what lies here can be deleted at any time; a build then takes longer and gives the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


def kept_folder(name: str) -> Path | None:
    """The folder of this name in the user's cache, None where there is no home. It may not exist yet."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(base).expanduser() / "camera-edge" / name
    except RuntimeError:
        return None


@contextmanager
def cache_folder(name: str) -> Iterator[Path]:
    """A folder that can be written to: the user's, or one that goes afterwards."""
    kept = kept_folder(name)
    if kept is not None and _writable(kept):
        yield kept
        return
    with TemporaryDirectory(prefix=f"camera-edge-{name}-") as folder:
        yield Path(folder)


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.access(folder, os.W_OK)
    except OSError:
        return False
