"""Keeps a redacted picture of the best frame of each event while a recording is analysed, in memory and nowhere else.

Invariant: a picture is redacted at once, when the results of its frame are in; what is kept can be shown to anybody.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from camera_edge.encode import jpeg
from camera_edge.picture import Picture
from camera_edge.worker.redactor import Redactor

WIDTH_MAX_PX = 480


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A JPEG of an analysed frame, at most `WIDTH_MAX_PX` wide. `is_hidden`: nothing of the picture is shown in it."""

    frame: int
    media_us: int
    data: bytes
    is_hidden: bool


class Snapshots:
    """One recording's. Bounded by what goes on at once: of each event, or what may become one, one picture is kept."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._kept: dict[int, Snapshot] = {}

    def look(self, frame: int, media_us: int, picture: Picture, wanted: Set[int]) -> None:
        """Keeps the frame that was just analysed if it is among the wanted ones, and drops what is wanted no more.

        An analysed frame is redacted by its own result and those before it, so nothing needs to be waited for.
        """
        self._kept = {number: kept for number, kept in self._kept.items() if number in wanted}
        if frame in wanted:
            shown = self._redactor.redact(frame, media_us, picture)
            data = jpeg(shown.picture, width_max_px=WIDTH_MAX_PX)
            self._kept[frame] = Snapshot(frame, media_us, data, shown.is_hidden)

    def of(self, frame: int) -> Snapshot | None:
        return self._kept.get(frame)
