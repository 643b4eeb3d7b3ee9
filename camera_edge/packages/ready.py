"""Makes modules ready to run, as a child of the hub: `python -m camera_edge.packages.ready CACHE SHELF NAME...`.

Invariant: it ends with 0 only where every named module has a version that may run, and each of those was verified again
and is in the cache; a damaged one may not run. A NAME is that of a shipped or an installed module, or the path of a
.wasm file.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from camera_edge.errors import CameraEdgeError, UsageError
from camera_edge.packages.installation import Finding, audit
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

    A version whose documents and files do not belong together any more is passed over by this `shelf` from now on.
    Raises DamagedError where that leaves no version of a name that could run, ModuleError where the folder cannot be
    read.
    """
    for finding in _faulty(shelf, names):
        if finding.record is not None and finding.fault is not None:
            shelf.pass_over(finding.record, finding.fault)
    for name in sorted(names):
        shelf.candidates(name)


def damaged(shelf: Shelf, names: Collection[str] | None = None) -> list[str]:
    """What people should hear of versions, of these names or of all, that would run if they were whole.

    Raises ModuleError where the folder cannot be read.
    """
    return [f"{each.name} {each.version} is passed over: {each.fault}" for each in _faulty(shelf, names)]


def _faulty(shelf: Shelf, names: Collection[str] | None) -> list[Finding]:
    """What is damaged; what is withheld does not count."""
    findings = audit(shelf, TrustStore(shelf).read(), names)
    return [
        each
        for each in findings
        if each.fault is not None and (each.record is None or shelf.withheld(each.record) is None)
    ]


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
