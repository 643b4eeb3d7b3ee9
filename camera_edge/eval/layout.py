"""Finds recordings below a folder by what lies beside them, whatever they are called.

Invariant: nothing is opened here but folders; the order is that of the names, so that it is the same everywhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from camera_edge.errors import UsageError

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".ts"})
# pictures by the thousand, and nothing else
PICTURE_FOLDERS = frozenset({"input", "groundtruth", "img1", "masks"})
DEPTH_MAX = 5


def folders(data: Path) -> Iterator[Path]:
    """`data` and the folders in it, but for those of pictures. Raises UsageError where it is no folder to look into."""
    root = data.resolve()
    if not root.is_dir():
        raise UsageError("there is no such folder", where=str(data), hint="give --data the folder of a data set")
    for here, names, _ in os.walk(root):
        depth = len(Path(here).relative_to(root).parts)
        names[:] = sorted(
            name for name in names if depth < DEPTH_MAX and name not in PICTURE_FOLDERS and not name.startswith(".")
        )
        yield Path(here)


def videos(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.suffix.lower() in VIDEO_SUFFIXES and each.is_file())


def the_video(folder: Path, names: Collection[str] = ()) -> Path | None:
    """The video of a folder: the one with one of these stems, or the only one."""
    found = videos(folder)
    named = [each for each in found if each.stem in names]
    if named or len(found) == 1:
        return (named or found)[0]
    return None


def nothing_found(data: Path, what: str, layout: str) -> UsageError:
    """The error where a folder holds no recording of a kind."""
    return UsageError(f"holds no {what}", where=str(data), hint=f"give --data a folder with {layout}")


def shown(path: Path, data: Path) -> str:
    """The name of what lies at `path`, for people: below `data`, or that of the folder itself."""
    inside = path.resolve().relative_to(data.resolve()).as_posix()
    return path.resolve().name if inside == "." else inside


def last_number(name: str) -> int | None:
    """The last run of digits in a name: 12 of `in000012`."""
    digits = re.findall(r"\d+", name)
    return int(digits[-1]) if digits else None
