"""Answers on which side of a line something stands, and whether a way leads across it.

Invariant: the shape of the picture plays no part: what is compared is measured across one and the same line.
"""

from __future__ import annotations

from dataclasses import dataclass

from camera_edge.observation import Box
from camera_edge.rules.polygon import Point


@dataclass(frozen=True, slots=True)
class Line:
    """From `start` to `end`, in fractions of the picture. Who looks along it has its left and its right side."""

    start: Point
    end: Point

    def side(self, point: Point) -> float:
        """Above 0 on the right-hand side, below 0 on the left, 0 on the line: a distance in the line's own unit."""
        along_x, along_y = self._along
        return (point[1] - self.start[1]) * along_x - (point[0] - self.start[0]) * along_y

    def extent(self, box: Box) -> float:
        """How far the box reaches across the line, in the unit of `side`."""
        along_x, along_y = self._along
        return box.w * abs(along_y) + box.h * abs(along_x)

    def is_met(self, before: Point, after: Point) -> bool:
        """Whether the straight way between two points on different sides leads through the line, ends included."""
        side_before, side_after = self.side(before), self.side(after)
        part = side_before / (side_before - side_after)
        x = before[0] + part * (after[0] - before[0])
        y = before[1] + part * (after[1] - before[1])
        along_x, along_y = self._along
        covered = (x - self.start[0]) * along_x + (y - self.start[1]) * along_y
        return 0.0 <= covered <= along_x**2 + along_y**2

    @property
    def _along(self) -> tuple[float, float]:
        return self.end[0] - self.start[0], self.end[1] - self.start[1]
