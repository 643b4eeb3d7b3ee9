"""Names the languages that have an SDK, and tells from a module's folder which one it is written in.

Invariant: a folder has one language, or none; it is never guessed between two.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from camera_edge.errors import BuildError


class Language(Enum):
    """`value` is the name of its folder in the SDK, and what a command line calls it."""

    C = "c"
    ZIG = "zig"
    RUST = "rust"
    ASSEMBLYSCRIPT = "assemblyscript"

    @property
    def suffix(self) -> str:
        """What its source files end in."""
        return _SUFFIXES[self]


_SUFFIXES = {Language.C: ".c", Language.ZIG: ".zig", Language.RUST: ".rs", Language.ASSEMBLYSCRIPT: ".ts"}


def language_of(folder: Path) -> Language:
    """The language of the module in `folder`, by the sources beside its manifest. Raises BuildError."""
    found = [language for language in Language if any(folder.glob(f"*{language.suffix}"))]
    if len(found) == 1:
        return found[0]
    endings = ", ".join(_SUFFIXES.values())
    if not found:
        raise BuildError("there is no source here", where=str(folder), hint=f"it ends in one of {endings}")
    names = " and ".join(language.value for language in found)
    raise BuildError(f"there are sources in {names}", where=str(folder), hint="keep one language in a folder")


def entry_of(folder: Path, language: Language) -> str:
    """The name of the file that a compiler starts from: `main`, or the only one. Raises BuildError."""
    names = sorted(path.name for path in folder.glob(f"*{language.suffix}"))
    main = f"main{language.suffix}"
    if main in names:
        return main
    if len(names) == 1:
        return names[0]
    raise BuildError(
        f"it is not clear which file is the module: {', '.join(names)}", where=str(folder), hint=f"call it {main}"
    )
