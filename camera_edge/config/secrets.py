"""Credentials come from the environment or from files, by `${NAME}`.

Invariant: a value that was filled in is never part of an error message.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from camera_edge.errors import ConfigError

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def fill_in(text: str, *, where: str | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Replaces each `${NAME}`, looked up in the environment, then as a file NAME in `$CREDENTIALS_DIRECTORY`
    (systemd's `LoadCredential=`), then in `/run/secrets` (containers). In an address (`scheme://…`) the value is
    percent-encoded, so that a password may hold any character.

    Raises ConfigError where NAME is found nowhere.
    """
    known = os.environ if environment is None else environment
    in_address = _ADDRESS.match(text) is not None

    def value(match: re.Match[str]) -> str:
        name = match[1]
        found = known.get(name)
        if found is None:
            found = _from_files(name, known)
        if found is None:
            raise ConfigError(
                f"${{{name}}} is not set",
                where=where,
                hint=f"set the environment variable {name}, or put a file {name} into /run/secrets "
                "or load it as a systemd credential",
            )
        return quote(found, safe="") if in_address else found

    return _REFERENCE.sub(value, text)


def _from_files(name: str, environment: Mapping[str, str]) -> str | None:
    folders = [Path("/run/secrets")]
    if "CREDENTIALS_DIRECTORY" in environment:
        folders.insert(0, Path(environment["CREDENTIALS_DIRECTORY"]))
    for folder in folders:
        try:
            return (folder / name).read_text(encoding="utf-8").rstrip("\n")
        except OSError:
            continue
    return None
