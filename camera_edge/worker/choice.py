"""Chooses which version of a module a camera runs, and in which order others are tried where that one does not start.

Invariant: pure. A version that asks for more than it was granted does not take the place of one that does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from camera_edge.errors import ModuleError
from camera_edge.sandbox import Capabilities, ModuleFile, ungranted


@dataclass(frozen=True, slots=True)
class Choice:
    """`order`: the versions to try, at least one. `waiting`: what people should know of grants, a sentence each."""

    order: tuple[ModuleFile, ...]
    waiting: tuple[str, ...] = ()


def choose(candidates: Sequence[ModuleFile], granted: frozenset[str], params: Mapping[str, str | float]) -> Choice:
    """Of `candidates`, newest first and at least one: the newest that was granted all it asks for and takes `params`.

    After those come the ones that were not granted all, and import nothing of what they lack. Where neither kind is
    there, the newest alone: what is wrong with it is told when it is started. All in the order are analyzers, or all
    are rule modules.
    """
    reasons = [_reason_to_wait(module, granted, params) for module in candidates]
    whole = [module for module, reason in zip(candidates, reasons, strict=True) if reason is None]
    modest = [
        module
        for module, reason in zip(candidates, reasons, strict=True)
        if reason is not None and _can_do_without(module, granted, params)
    ]
    order = (*whole, *modest) or (candidates[0],)
    first = order[0].manifest
    at = candidates.index(order[0])
    waiting = [
        f"{each.manifest.name} {each.manifest.version} waits: {reason}; {first.version} runs"
        for each, reason in zip(candidates[:at], reasons[:at], strict=True)
    ]
    if not whole and reasons[at] is not None:
        waiting.append(f"{first.name} {first.version} runs without a grant: {reasons[at]}")
    same_role = tuple(each for each in order if each.manifest.is_rule == first.is_rule)
    return Choice(same_role, tuple(waiting))


def implied(module: ModuleFile) -> frozenset[str]:
    """What naming a module for a camera grants."""
    return frozenset({"pixels", "observations"}) & frozenset(module.manifest.capabilities)


def _reason_to_wait(module: ModuleFile, granted: frozenset[str], params: Mapping[str, str | float]) -> str | None:
    given = Capabilities.read(granted | implied(module), where=module.manifest.name)
    lacking = given.lacks(module.manifest.asked)
    if lacking:
        return f"it asks for {', '.join(lacking)}, which is not granted"
    return _misfit(module, params)


def _can_do_without(module: ModuleFile, granted: frozenset[str], params: Mapping[str, str | float]) -> bool:
    return not ungranted(module, granted | implied(module)) and _misfit(module, params) is None


def _misfit(module: ModuleFile, params: Mapping[str, str | float]) -> str | None:
    try:
        module.manifest.with_defaults(params)
    except ModuleError as error:
        return error.message
    return None
