"""Solids of a scene and the camera that sees them: convex hulls of balls, and tubes, in metres.

Invariant: x is forward of a figure, y to its left, z up, and the ground is z = 0; a camera looks at the origin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float, float]
Points = NDArray[np.float64]
# left, top, right, bottom in pixels about the scene's origin
Extent = tuple[float, float, float, float]

# corners that a ball's outline is drawn with
_CORNERS = 10
_ANGLES = np.linspace(0, 2 * math.pi, _CORNERS, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
# fractional bits of cv2's drawing
_SHIFT = 4


@dataclass(frozen=True, slots=True)
class Solid:
    """The convex hull of balls (`points` (n, 3), `radii` (n,)), or with `is_tube` a bent tube through them."""

    points: Points
    radii: NDArray[np.float64]
    tone: float
    is_tube: bool = False


def limb(start: Point, end: Point, radius: float, tone: float, *, end_radius: float | None = None) -> Solid:
    """A bone with flesh: the hull of two balls."""
    return Solid(np.array([start, end]), np.array([radius, radius if end_radius is None else end_radius]), tone)


def hull(points: Points, tone: float) -> Solid:
    """A body with flat faces; seen as one tone."""
    return Solid(points, np.zeros(len(points)), tone)


def ring(centre: Point, radius: float, tube: float, tone: float) -> Solid:
    """A wheel without spokes, standing along x."""
    turns = np.linspace(0, 2 * math.pi, 17)
    points = np.stack([np.cos(turns) * radius, np.zeros(17), np.sin(turns) * radius], axis=1) + np.array(centre)
    return Solid(points, np.full(17, tube), tone, is_tube=True)


def disc(centre: Point, radius: float, tone: float) -> Solid:
    """A full wheel, standing along x."""
    wheel = ring(centre, radius, 0.0, tone)
    return Solid(wheel.points, np.full(17, 0.08), tone)


def box(low: Point, high: Point, tone: float, *, slope: float = 0.0) -> list[Solid]:
    """The faces of a box, each of its own tone; `slope` pulls the top edges in by so many metres in x."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    floor = [(x0, y0, z0), (x1, y0, z0), (x1, y1, z0), (x0, y1, z0)]
    roof = [(x0 + slope, y0, z1), (x1 - slope, y0, z1), (x1 - slope, y1, z1), (x0 + slope, y1, z1)]
    faces = [hull(np.array(roof), tone * 1.15)]
    for side, gain in enumerate((0.8, 0.9, 1.0, 0.9)):
        other = (side + 1) % 4
        faces.append(hull(np.array([floor[side], floor[other], roof[other], roof[side]]), tone * gain))
    return faces


def moved(solids: list[Solid], turn: float, x: float, y: float, *, size: float = 1.0) -> list[Solid]:
    """The same solids scaled, turned about the upright axis (radians) and put at (x, y)."""
    cosine, sine = math.cos(turn), math.sin(turn)
    matrix = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]]) * size
    offset = np.array([x, y, 0.0])
    return [Solid(s.points @ matrix + offset, s.radii * size, s.tone, s.is_tube) for s in solids]


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera `distance_m` away that looks down by `elevation` and is rolled by `roll` (radians)."""

    distance_m: float
    elevation: float
    roll: float
    focal_px: float
    aspect: float = 1.0

    def see(self, points: Points) -> tuple[Points, NDArray[np.float64]]:
        """Pixels (n, 2) about the origin's, and pixels per metre at each point."""
        cosine, sine = math.cos(self.elevation), math.sin(self.elevation)
        across = points[:, 0]
        up = points[:, 1] * sine + points[:, 2] * cosine
        depth = np.maximum(self.distance_m + points[:, 1] * cosine - points[:, 2] * sine, 0.5)
        scale = self.focal_px / depth
        x, y = across * scale * self.aspect, -up * scale
        cosine, sine = math.cos(self.roll), math.sin(self.roll)
        return np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=1), scale


@dataclass(frozen=True, slots=True)
class Assembly:
    """Solids as one array of balls, so that they are seen at once: solid k has the balls from starts[k] on."""

    points: Points
    radii: NDArray[np.float64]
    starts: NDArray[np.int64]
    tones: tuple[float, ...]
    tubes: tuple[bool, ...]

    @classmethod
    def of(cls, solids: list[Solid]) -> Assembly:
        starts = np.cumsum([0, *(len(solid.radii) for solid in solids)])
        return cls(
            np.concatenate([solid.points for solid in solids]),
            np.concatenate([solid.radii for solid in solids]),
            starts,
            tuple(solid.tone for solid in solids),
            tuple(solid.is_tube for solid in solids),
        )

    def shadow(self, light: Point) -> Assembly:
        """What they shade on the ground, under a light that shines along `light` (its z is below 0)."""
        slant = np.array([light[0] / -light[2], light[1] / -light[2], -1.0])
        return replace(self, points=self.points + self.points[:, 2:3] * slant, radii=self.radii * 0.9)

    @classmethod
    def joined(cls, assemblies: Sequence[Assembly]) -> Assembly:
        sizes = np.concatenate([np.diff(each.starts) for each in assemblies])
        return cls(
            np.concatenate([each.points for each in assemblies]),
            np.concatenate([each.radii for each in assemblies]),
            np.cumsum([0, *sizes]),
            tuple(tone for each in assemblies for tone in each.tones),
            tuple(is_tube for each in assemblies for is_tube in each.tubes),
        )

    def extent(self, camera: Camera) -> Extent:
        """What the camera sees of them."""
        centres, scale = camera.see(self.points)
        reach = (self.radii * scale)[:, None]
        left, top = (centres - reach).min(axis=0)
        right, bottom = (centres + reach).max(axis=0)
        return float(left), float(top), float(right), float(bottom)


def paint(
    canvas: NDArray[np.uint8],
    assembly: Assembly,
    seen: tuple[Camera, tuple[float, float]],
    tone: float | None = None,
) -> None:
    """Paints from far to near, in `tone` or in the solids' own; `seen` ends with the pixel of the scene's origin."""
    camera, origin = seen
    centres, scale = camera.see(assembly.points)
    centres = (centres + origin) * (1 << _SHIFT)
    reach = assembly.radii * scale
    near = np.add.reduceat(scale, assembly.starts[:-1]) / np.diff(assembly.starts)
    circles = centres[:, None, :] + (reach * (1 << _SHIFT))[:, None, None] * _CIRCLE
    centres, circles = np.asarray(centres, np.float32), np.asarray(circles, np.float32)
    for number in np.argsort(near, kind="stable").tolist():
        start, end = assembly.starts[number], assembly.starts[number + 1]
        own = min(max(assembly.tones[number], 1.0), 255.0) if tone is None else tone
        if assembly.tubes[number]:
            width = max(1, round(2 * float(reach[start])))
            line = centres[start:end].astype(np.int32)
            cv2.polylines(canvas, [line], isClosed=False, color=own, thickness=width, shift=_SHIFT)
        else:
            corners = circles[start:end].reshape(-1, 2) if reach[start] else centres[start:end]
            cv2.fillConvexPoly(canvas, cv2.convexHull(corners).astype(np.int32), own, shift=_SHIFT)
