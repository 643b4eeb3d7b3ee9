"""Where analyzers saw something in the frame that is being looked at, for those that look closer there.

Invariant: between frames nobody has seen anything; an analyzer that gave no answer is not one that saw nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from camera_edge.observation import Box
from camera_edge.sandbox import RegionsOf


class Regions:
    """Told and asked by the thread that analyses."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Box, ...]] = {}

    def clear(self) -> None:
        self._seen = {}

    def note(self, analyzer: str, boxes: Sequence[Box]) -> None:
        """It answered for this frame, and this is where it saw something."""
        self._seen[analyzer] = tuple(boxes)

    def of(self, analyzer: str) -> RegionsOf:
        """What an analyzer that follows this one is told; None: this one gave no answer for the frame."""
        return lambda: self._seen.get(analyzer)
