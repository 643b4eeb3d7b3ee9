"""Makes modules ready to run, as a child of the hub: `python -m camera_edge.packages.ready CACHE SHELF NAME...`.

Invariant: it ends with 0 only where every version that may run of every named module was verified again and is in the
cache. A NAME is that of a shipped or an installed module, or the path of a .wasm file.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from camera_edge.errors import CameraEdgeError, UsageError
from camera_edge.packages.installation import audit
from camera_edge.packages.trust import TrustStore
from camera_edge.sandbox import Cache, ModuleFile, Runtime, Shelf, load_module, shipped, shipped_names

ADDRESS_SPACE_BYTES = 4 << 30


def make_ready(cache: Cache, shelf: Shelf, names: Sequence[str]) -> None:
    """Raises CameraEdgeError for the first module that is not what it was, or cannot be compiled or kept."""
    runtime = Runtime()
    for name in names:
        for module in _modules(name, shelf):
            runtime.load(module, cache)


def recheck(shelf: Shelf, names: Collection[str]) -> None:
    """Verify by the keys and revocations of now what is installed under these names and may run.

    Raises ModuleError for a version whose signed documents and files do not belong together any more.
    """
    for finding in audit(shelf, TrustStore(shelf).read(), names):
        if finding.fault is not None and shelf.withheld(finding.record) is None:
            raise finding.fault


def _modules(name: str, shelf: Shelf) -> Sequence[ModuleFile]:
    if name.endswith(".wasm"):
        return [load_module(Path(name))]
    if name in shipped_names() or name not in shelf.names():
        return [shipped(name)]
    recheck(shelf, [name])
    return shelf.candidates(name)


def main(arguments: list[str]) -> int:
    try:
        if len(arguments) < 2:
            raise UsageError("no folders are named", hint="ready CACHE SHELF NAME...")
        make_ready(Cache(Path(arguments[0])), Shelf(Path(arguments[1])), arguments[2:])
    except CameraEdgeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    # a module that the compiler swells on (a megabyte of calls takes more than one gigabyte) ends this child alone
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    sys.exit(main(sys.argv[1:]))
