"""Kills a writer of the shelf before each thing it does to the disk, and looks at what stands there then.

Run as a program by `test_shelf.py`: a process of its own has no threads, so that it may fork. It prints one JSON line:
how often the writer was killed, and what was wrong, which should be nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from camera_edge.sandbox.shelf import Shelf
from tests.sandbox.shelved import KEY, WHEN, new_version, trust_key

KILLS_MAX = 500
_WATCHED = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.fsync"}


def put(version: str, *, rollback: bool = False) -> Callable[[Shelf], object]:
    return lambda shelf: shelf.put(new_version(version), installed_utc=WHEN, allow_rollback=rollback)


# what is done to a shelf with 1.0, 1.1, 1.2, 1.3; which versions may stand before, between and after
DEEDS: dict[str, tuple[Callable[[Shelf], object], list[list[str]]]] = {
    "upgrade": (
        put("1.4"),
        [["1.3", "1.2", "1.1", "1.0"], ["1.4", "1.3", "1.2", "1.1", "1.0"], ["1.4", "1.3", "1.2", "1.1"]],
    ),
    "rollback": (
        put("1.2", rollback=True),
        [["1.3", "1.2", "1.1", "1.0"], ["1.2", "1.1", "1.0"]],
    ),
    "remove": (
        lambda shelf: shelf.remove("guest", "1.3"),
        [["1.3", "1.2", "1.1", "1.0"], ["1.2", "1.1", "1.0"]],
    ),
}


def main(folder: Path) -> None:
    _replace_sync(lambda _descriptor: None)
    start = Shelf(folder / "start")
    trust_key(start, KEY)
    for version in ("1.0", "1.1", "1.2", "1.3"):
        put(version)(start)
    faults: list[str] = []
    kills = 0
    for name, (deed, allowed) in DEEDS.items():
        for number in range(KILLS_MAX):
            shelf = Shelf(folder / "shelf")
            shutil.copytree(start.folder, shelf.folder)
            done = _run_and_kill(deed, shelf, number)
            faults += [f"{name}, killed at {number}: {fault}" for fault in _look(shelf, deed, allowed)]
            shutil.rmtree(shelf.folder)
            kills += not done
            if done:
                break
        else:
            faults.append(f"{name}: not done after {KILLS_MAX} steps")
    sys.stdout.write(json.dumps({"kills": kills, "faults": faults}))


def _run_and_kill(deed: Callable[[Shelf], object], shelf: Shelf, number: int) -> bool:
    """Whether it was done before `number` events came."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) == 0
    seen = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event in _WATCHED or (event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT):
            seen += 1
            if seen > number:
                os._exit(9)

    _replace_sync(lambda _descriptor: hook("os.fsync", ()))
    sys.addaudithook(hook)
    deed(shelf)
    os._exit(0)


def _replace_sync(sync: Callable[[object], None]) -> None:
    """A killed process loses nothing that was not synced: only a power cut does."""
    setattr(os, "fsync", sync)  # noqa: B010  # mypy knows a narrower type


def _look(shelf: Shelf, deed: Callable[[Shelf], object], allowed: list[list[str]]) -> list[str]:
    faults = []
    stands = [module.manifest.version for module in shelf.candidates("guest")]
    if stands not in allowed:
        faults.append(f"{stands} stand there")
    if str(shelf.highest("guest")) < stands[0]:
        faults.append(f"highest is {shelf.highest('guest')} with {stands}")
    if stands != allowed[-1]:
        deed(shelf)
    stands = [module.manifest.version for module in shelf.candidates("guest")]
    if stands != allowed[-1]:
        faults.append(f"{stands} stand there after it was done again")
    # the next writer sweeps
    shelf.put(new_version(stands[0]), installed_utc=WHEN)
    faults += [f"{path.name} was left" for path in shelf.folder.rglob(".*") if path.name != ".lock"]
    return faults


if __name__ == "__main__":
    main(Path(sys.argv[1]))
