"""Tells the version of an installed distribution by the name of its folder.

Invariant: light. `importlib.metadata` parses mail headers for this, and costs every worker three megabytes.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path


@lru_cache
def installed_version(name: str) -> str:
    """The version of the distribution `name`; "unknown" where its `.dist-info` folder is on no path of this process."""
    folder = name.replace("-", "_")
    for entry in sys.path:
        for found in sorted(Path(entry).glob(f"{folder}-*.dist-info")):
            return found.name.removesuffix(".dist-info").removeprefix(f"{folder}-")
    return "unknown"
