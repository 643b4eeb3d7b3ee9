"""Answers whether a point lies inside a zone.

Invariant: the edge belongs to the zone, so two zones that share an edge leave no gap between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]

# far below a pixel (1/7680 is 1.3e-4), far above the rounding of a product of two numbers in 0..1
_ON_EDGE = 1e-9


@dataclass(frozen=True, slots=True)
class Polygon:
    """A closed outline in fractions of the picture, three corners or more; the last joins the first."""

    points: tuple[Point, ...]

    def contains(self, x: float, y: float) -> bool:
        """Whether (x, y) lies inside by the even-odd rule, or on an edge.

        Crossing count after W. R. Franklin, "PNPOLY - Point Inclusion in Polygon Test".
        """
        inside = False
        for start, end in pairwise((*self.points, self.points[0])):
            if _on_segment(x, y, start, end):
                return True
            if (start[1] > y) != (end[1] > y):
                crossing_x = start[0] + (y - start[1]) / (end[1] - start[1]) * (end[0] - start[0])
                inside ^= x < crossing_x
        return inside

    def edge_is_far(self, x: float, y: float, margin_x: float, margin_y: float) -> bool:
        """Whether (x, y) is away from every edge by more than an ellipse of these half-axes.

        Edges on the border of the picture do not count: nothing can be seen beyond them.
        """
        scaled = [((px - x) / margin_x, (py - y) / margin_y) for px, py in self.points]
        ends = zip(self.points, (*self.points[1:], self.points[0]), strict=True)
        sides = zip(scaled, (*scaled[1:], scaled[0]), strict=True)
        return all(
            _on_border(start, end) or _squared_distance(*side) >= 1.0
            for (start, end), side in zip(ends, sides, strict=True)
        )


def _on_border(start: Point, end: Point) -> bool:
    return any(start[axis] == end[axis] and start[axis] in (0.0, 1.0) for axis in (0, 1))


def _squared_distance(start: Point, end: Point) -> float:
    """Of the origin from a segment."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    length = along_x**2 + along_y**2
    part = 0.0 if length == 0 else min(max(-(start[0] * along_x + start[1] * along_y) / length, 0.0), 1.0)
    return (start[0] + part * along_x) ** 2 + (start[1] + part * along_y) ** 2


def _on_segment(x: float, y: float, start: Point, end: Point) -> bool:
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    cross = along_x * (y - start[1]) - along_y * (x - start[0])
    if abs(cross) > _ON_EDGE:
        return False
    low_x, high_x = sorted((start[0], end[0]))
    low_y, high_y = sorted((start[1], end[1]))
    return low_x - _ON_EDGE <= x <= high_x + _ON_EDGE and low_y - _ON_EDGE <= y <= high_y + _ON_EDGE
