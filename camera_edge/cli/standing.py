"""What may run of the installed analyzers, looked at before and after a command that stops some.

Invariant: looking never fails: what cannot be told is a warning, since what the command did is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from camera_edge.errors import ModuleError

if TYPE_CHECKING:
    from camera_edge.sandbox.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Standing:
    """`withheld`: versions that may not run, as NAME VERSION. `may_run`: the newest of a name that may, or None.

    Whether a camera runs it is another question: that takes its grants too. `faults`: what is damaged, or could not be
    looked at.
    """

    withheld: tuple[str, ...]
    may_run: dict[str, str | None]
    faults: tuple[str, ...]

    def stopped_since(self, before: Standing) -> tuple[str, ...]:
        """The versions that might run before."""
        return tuple(each for each in self.withheld if each not in before.withheld)

    def may_run_since(self, before: Standing) -> dict[str, str | None]:
        """What may run of the names of which something was stopped."""
        names = {each.partition(" ")[0] for each in self.stopped_since(before)}
        return {name: version for name, version in self.may_run.items() if name in names}


def look(shelf: Shelf) -> Standing:
    """Which versions may run now."""
    withheld: list[str] = []
    may_run: dict[str, str | None] = {}
    faults: list[str] = []
    try:
        shelf.trust.fingerprints()
    except ModuleError as error:
        faults.append(str(error))
    try:
        names = shelf.names()
    except ModuleError as error:
        return Standing((), {}, (*faults, str(error)))
    for name in names:
        try:
            records = shelf.records(name)
            withheld += (f"{each.name} {each.version}" for each in records if shelf.withheld(each) is not None)
            faults += (text for text in map(str, shelf.damaged(name)) if text not in faults)
            candidates = shelf.candidates(name)
            may_run[name] = candidates[0].manifest.version if candidates else None
        except ModuleError as error:
            may_run[name] = None
            if str(error) not in faults:
                faults.append(str(error))
    return Standing(tuple(withheld), may_run, tuple(faults))


def sentences(before: Standing, after: Standing) -> Iterator[str]:
    """What was stopped, and what may run in its place."""
    for each in after.stopped_since(before):
        yield f"{each} may not run any more"
    for name, version in after.may_run_since(before).items():
        if version is None:
            yield f"nothing of {name} may run any more"
        elif before.may_run.get(name) == version:
            yield f"{name} {version} may run as before"
        else:
            yield f"{name} {version} may run instead"
