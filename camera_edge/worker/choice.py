"""Chooses which version of a module a camera runs.

Invariant: pure. A version that asks for more than it was granted does not take the place of one that does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from camera_edge.errors import ModuleError
from camera_edge.sandbox import Capabilities, ModuleFile


@dataclass(frozen=True, slots=True)
class Choice:
    """The version to run. `waiting`: newer ones that are not run, each with the reason, for people."""

    module: ModuleFile
    waiting: tuple[str, ...] = ()


def choose(candidates: Sequence[ModuleFile], granted: frozenset[str], params: Mapping[str, str | float]) -> Choice:
    """Of `candidates`, newest first and at least one: the newest that was granted all it asks for and takes `params`.

    Where there is none, the newest: it starts if it can do without.
    """
    waiting: list[str] = []
    for module in candidates:
        reason = _reason_to_wait(module, granted, params)
        if reason is None:
            return Choice(module, tuple(f"{each}; {module.manifest.version} runs" for each in waiting))
        waiting.append(f"{module.manifest.name} {module.manifest.version} waits: {reason}")
    return Choice(candidates[0])


def _reason_to_wait(module: ModuleFile, granted: frozenset[str], params: Mapping[str, str | float]) -> str | None:
    lacking = _lacking(module, granted)
    if lacking:
        return f"it asks for {', '.join(lacking)}, which is not granted"
    try:
        module.manifest.with_defaults(params)
    except ModuleError as error:
        return error.message
    return None


def _lacking(module: ModuleFile, granted: frozenset[str]) -> list[str]:
    name = module.manifest.name
    given = Capabilities.read(granted | _implied(module), where=name)
    return given.lacks(module.manifest.asked)


def _implied(module: ModuleFile) -> frozenset[str]:
    """What naming a module for a camera grants."""
    return frozenset({"pixels", "observations"}) & frozenset(module.manifest.capabilities)
