"""Decides which installed versions of a module are let go of when a newer one comes.

Invariant: what may run under the grants that an operator gave is not let go of for a version that waits for more, but
for the oldest beyond the most that are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from camera_edge.sandbox.capability import Capabilities
from camera_edge.sandbox.version import ModuleVersion

NEWEST_KEPT = 4
VERSIONS_MAX = 16


@dataclass(frozen=True, slots=True)
class Held:
    """A version on the shelf, or on its way there. `asks`: None where it is damaged. `withheld`: it may not run."""

    version: ModuleVersion
    asks: Capabilities | None
    withheld: bool = False

    def replaces(self, older: Capabilities) -> bool:
        """Whether it may run wherever a version that asks for this much may."""
        return self.asks is not None and not self.withheld and _no_more(self.asks, older)


def surplus(held: Sequence[Held]) -> tuple[ModuleVersion, ...]:
    """Those of `held`, newest first, that are let go of.

    Beyond the newest four that is what is damaged, and what a newer kept version replaces: one that is not withheld and
    asks for no more. Beyond sixteen it is the oldest, whatever they ask for.
    """
    kept: list[Held] = []
    gone: list[ModuleVersion] = []
    for each in held:
        asks = each.asks
        replaced = asks is None or any(newer.replaces(asks) for newer in kept)
        if len(kept) >= VERSIONS_MAX or (len(kept) >= NEWEST_KEPT and replaced):
            gone.append(each.version)
        else:
            kept.append(each)
    return tuple(gone)


def _no_more(asked: Capabilities, older: Capabilities) -> bool:
    """A subset; `onnx:*` is a name like the others, as which model stands for it is the operator's to say."""
    return (
        asked.pixels <= older.pixels
        and asked.observations <= older.observations
        and asked.models <= older.models
        and asked.nn_load <= older.nn_load
        and asked.state_bytes <= older.state_bytes
    )
