"""Keeps a redacted picture of the best frame of each event while a recording is analysed, in memory and nowhere else.

Invariant: a picture is redacted at once, when the results of its frame are in; what is kept can be shown to anybody.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from camera_edge.encode import jpeg
from camera_edge.observation import Seen
from camera_edge.picture import Picture
from camera_edge.worker.redactor import Redactor

WIDTH_MAX_PX = 480
RECENT_US = 4_000_000
"""A thing that has gone is told of when it was not seen for some time: its best frame is the last one with it."""
RECENT_STEP_US = 200_000
RECENT_MIN, RECENT_MAX = 4, 128


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A JPEG of an analysed frame, at most `WIDTH_MAX_PX` wide. `is_hidden`: nothing of the picture is shown in it."""

    frame: int
    media_us: int
    data: bytes
    is_hidden: bool


class Snapshots:
    """One recording's. Bounded: of each event, or what may become one, one picture is kept, and some recent ones."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._kept: dict[int, Snapshot] = {}
        # of a frame in which something was seen the one that is shown: itself, or one shortly before it
        self._shown_by: dict[int, int] = {}
        self._newest: Snapshot | None = None

    def look(self, seen: Seen, picture: Picture, wanted: Set[int]) -> None:
        """Keeps the frame that was just analysed if it is wanted, or something was seen in it and it is time again.

        An analysed frame is redacted by its own result and those before it, so nothing needs to be waited for.
        """
        newest = self._newest
        due = newest is None or seen.media_us >= newest.media_us + RECENT_STEP_US
        if seen.frame in wanted or (seen.observations and due):
            shown = self._redactor.redact(seen.frame, seen.media_us, picture)
            data = jpeg(shown.picture, width_max_px=WIDTH_MAX_PX)
            newest = self._newest = Snapshot(seen.frame, seen.media_us, data, shown.is_hidden)
            self._kept[seen.frame] = newest
        if newest is not None and (seen.observations or newest.frame == seen.frame):
            self._shown_by[seen.frame] = newest.frame
        self._forget(seen.media_us, wanted)

    def of(self, frame: int) -> Snapshot | None:
        """That of the frame, or of one shortly before it; None where there is neither."""
        return self._kept.get(self._shown_by.get(frame, frame))

    def _forget(self, now_us: int, wanted: Set[int]) -> None:
        newest = list(self._kept.values())[-RECENT_MAX:]
        kept = {each.frame for each in newest if each.media_us >= now_us - RECENT_US}
        kept |= {each.frame for each in newest[-RECENT_MIN:]} | wanted
        self._kept = {frame: each for frame, each in self._kept.items() if frame in kept}
        self._shown_by = {frame: by for frame, by in self._shown_by.items() if by in self._kept}
