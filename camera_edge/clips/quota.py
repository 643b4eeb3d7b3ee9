"""Decides which clips must go when space is short.

Invariant: the oldest go first, and no more of them than needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredClip:
    """What a clip takes on the disk, with its snapshot and metadata."""

    id: str
    bytes: int
    closed_utc_ns: int


def what_to_delete(
    clips: Sequence[StoredClip], *, quota_bytes: int, free_bytes: int, headroom_bytes: int
) -> list[StoredClip]:
    """The clips to delete, oldest first, until the rest fits the quota and the disk has its headroom again.

    free_bytes: what the disk has free now; headroom_bytes: what it shall have free at least. If even an empty folder
    does not bring the headroom back, other things fill the disk: all clips go, since a full disk would end recording.
    """
    used_bytes = sum(clip.bytes for clip in clips)
    excess_bytes = max(used_bytes - quota_bytes, headroom_bytes - free_bytes)
    doomed: list[StoredClip] = []
    for clip in sorted(clips, key=lambda clip: (clip.closed_utc_ns, clip.id)):
        if excess_bytes <= 0:
            break
        doomed.append(clip)
        excess_bytes -= clip.bytes
    return doomed
