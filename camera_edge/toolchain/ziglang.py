"""Runs the zig of the PyPI package `ziglang`, which compiles Zig and C.

Invariant: it is the zig of this Python environment; one on the PATH may be of another version and give other bytes.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from camera_edge.toolchain.cache import cache_folder
from camera_edge.toolchain.stage import Stage

VERSION = "0.17.1"


def missing() -> str | None:
    """Why there is no zig here, with the next step; None where there is."""
    if importlib.util.find_spec("ziglang") is not None:
        return None
    return f"the Python package ziglang is not installed: pip install ziglang=={VERSION}"


def run(stage: Stage, arguments: Sequence[str], cache: Path | None = None) -> None:
    """Run zig in the stage, with its cache in `cache` or in the user's. Raises BuildError."""
    command = [sys.executable, "-m", "ziglang", *arguments]
    if cache is not None:
        _run(stage, command, cache)
        return
    with cache_folder("zig") as kept:
        _run(stage, command, kept)


def _run(stage: Stage, command: Sequence[str], cache: Path) -> None:
    stage.run(command, {"ZIG_GLOBAL_CACHE_DIR": str(cache), "ZIG_LOCAL_CACHE_DIR": str(cache)})
