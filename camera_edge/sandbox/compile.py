"""Compiles modules into the cache, as a child of the hub: `python -m camera_edge.sandbox.compile CACHE_DIR MODULE...`.

Invariant: it ends with 0 only where every named module is in the cache. A MODULE is a shipped one's name, or the path
of a .wasm file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from camera_edge.errors import CameraEdgeError, UsageError
from camera_edge.sandbox.cache import Cache
from camera_edge.sandbox.module import load_module, shipped
from camera_edge.sandbox.runtime import Runtime


def compile_all(folder: Path, names: list[str]) -> None:
    """Raises CameraEdgeError for the first module that cannot be compiled or kept."""
    runtime, cache = Runtime(), Cache(folder)
    for name in names:
        runtime.load(load_module(Path(name)) if name.endswith(".wasm") else shipped(name), cache)


def main(arguments: list[str]) -> int:
    try:
        if not arguments:
            raise UsageError("no cache folder is named", hint="compile CACHE_DIR MODULE...")
        compile_all(Path(arguments[0]), arguments[1:])
    except CameraEdgeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
