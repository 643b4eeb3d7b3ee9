"""Orders the versions of a module.

A version is one to four numbers, then perhaps a pre-release: `1`, `1.4.0`, `1.4.0-rc.1`. Missing numbers count as 0.
The order is that of Semantic Versioning 2.0.0 (section 11): numbers first, a pre-release before its release.

Invariant: two texts that are equal in order name one version; what cannot be ordered is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from camera_edge.errors import ModuleError

_CHARACTERS_MAX = 64
_NUMBERS = 4
_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_VERSION = re.compile(rf"({_NUMBER}(?:\.{_NUMBER}){{0,3}})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?")


@dataclass(frozen=True, slots=True, order=True)
class ModuleVersion:
    """A version that can be compared. `text` is how its author wrote it, and plays no part in the order."""

    numbers: tuple[int, ...]
    is_release: bool
    pre_release: tuple[tuple[bool, int, str], ...]
    text: str = field(compare=False)

    def __str__(self) -> str:
        return self.text

    @classmethod
    def read(cls, text: str, *, where: str | None = None) -> ModuleVersion:
        """Raises ModuleError for what cannot be ordered."""
        found = _VERSION.fullmatch(text) if len(text) <= _CHARACTERS_MAX else None
        identifiers = (found[2] or "").split(".") if found else []
        if found is None or any(part.isdigit() and part != str(int(part)) for part in identifiers):
            hint = "write numbers, such as 1.4.0, or 1.4.0-rc.1 before a release"
            raise ModuleError(f"version {text[:_CHARACTERS_MAX]!r} cannot be ordered", where=where, hint=hint)
        numbers = [int(number) for number in found[1].split(".")]
        numbers += [0] * (_NUMBERS - len(numbers))
        order = tuple(
            (not part.isdigit(), int(part) if part.isdigit() else 0, "" if part.isdigit() else part)
            for part in identifiers
            if part
        )
        return cls(tuple(numbers), not order, order, text)
