"""Draws the actors of the synthetic scene with their shadows.

Invariant: what is drawn stays within the canvas; a canvas is BGR, uint8 (height, width, 3), and changed in place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from camera_edge.capture.script import PERSON, Actor
from camera_edge.picture import Plane

Point = tuple[float, float]
Colour = tuple[int, int, int]

_FINE = 2  # figures are drawn at twice their size and scaled down: smooth edges, smooth motion
_SHIFT = 3  # bits of a fraction of a pixel in OpenCV's drawing functions
_SKIN: Sequence[Colour] = ((140, 172, 222), (96, 132, 186), (58, 84, 128))
_TOPS: Sequence[Colour] = ((150, 72, 44), (52, 56, 172), (72, 132, 60), (40, 148, 196), (64, 60, 62), (188, 184, 176))
_TROUSERS: Sequence[Colour] = ((92, 62, 44), (54, 54, 56), (78, 98, 118), (44, 36, 30))
_HAIR: Sequence[Colour] = ((24, 26, 34), (38, 62, 98), (120, 130, 138))
_BAG: Colour = (38, 44, 128)
_SHADOW = 0.50
_SHADOW_LEAN, _SHADOW_LENGTH = -0.55, 0.20


def draw(canvas: Plane, actor: Actor, light: float) -> None:
    """Draws one actor; `light` (about 1) makes shadows fainter when the sun is away."""
    height_px = actor.height * canvas.shape[0]
    if height_px < 2:
        return
    foot = (actor.x * canvas.shape[1], actor.y * canvas.shape[0])
    corner = (math.floor(foot[0]), math.floor(foot[1]))
    person = actor.kind == PERSON
    patch = _Patch(height_px, 0.38 if person else 0.60, (foot[0] - corner[0], foot[1] - corner[1]))
    if person:
        _person(patch, actor)
    else:
        _bag(patch, (0.0, 0.0), 0.85)
    colours, opacity = patch.finish()
    _cast_shadow(canvas, opacity, patch, corner, _SHADOW * min(1.0, max(0.2, 4 * light - 2.9)))
    _blend(canvas, colours, opacity, (corner[0] - patch.half_width_px, corner[1] - patch.rise_px))


class _Patch:
    """A transparent sheet around one figure; (0, 0) is where it stands, 1 is its height, y grows upwards.

    `off_grid`: the fraction of a pixel that the figure stands right of and below a whole pixel.
    """

    def __init__(self, height_px: float, half_width: float, off_grid: Point) -> None:
        self.height_px = height_px
        self._unit = height_px * _FINE
        self.half_width_px = math.ceil(height_px * half_width) + 1
        self.rise_px = math.ceil(height_px * 1.08)
        rows = (self.rise_px + math.ceil(height_px * 0.06) + 1) * _FINE
        self._sheet = np.zeros((rows, self.half_width_px * 2 * _FINE, 4), np.uint8)
        self._origin = ((self.half_width_px + off_grid[0]) * _FINE, (self.rise_px + off_grid[1]) * _FINE)

    def limb(self, points: Sequence[Point], thickness: float, colour: Colour) -> None:
        width = max(1, round(thickness * self._unit))
        for start, end in zip(points, points[1:], strict=False):
            cv2.line(self._sheet, self._at(start), self._at(end), (*colour, 255), width, shift=_SHIFT)

    def area(self, points: Sequence[Point], colour: Colour) -> None:
        corners = np.array([self._at(point) for point in points], np.int32)
        cv2.fillConvexPoly(self._sheet, corners, (*colour, 255), shift=_SHIFT)

    def oval(self, centre: Point, axes: Point, colour: Colour, arc: tuple[float, float] = (0, 360)) -> None:
        scale = self._unit * (1 << _SHIFT)
        size = (max(1, round(axes[0] * scale)), max(1, round(axes[1] * scale)))
        cv2.ellipse(self._sheet, self._at(centre), size, 0, arc[0], arc[1], (*colour, 255), -1, shift=_SHIFT)

    def finish(self) -> tuple[Plane, Plane]:
        """Colours, already multiplied by the opacity, and opacity, at the true size."""
        size = (self._sheet.shape[1] // _FINE, self._sheet.shape[0] // _FINE)
        shown = cv2.resize(self._sheet, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        colours = cv2.cvtColor(shown, cv2.COLOR_BGRA2BGR).astype(np.uint8, copy=False)
        return colours, cv2.extractChannel(shown, 3).astype(np.uint8, copy=False)

    def _at(self, point: Point) -> tuple[int, int]:
        x = self._origin[0] + point[0] * self._unit
        y = self._origin[1] - point[1] * self._unit
        return round(x * (1 << _SHIFT)), round(y * (1 << _SHIFT))


def _person(patch: _Patch, actor: Actor) -> None:
    style, facing = actor.style, actor.heading
    top, trousers = _TOPS[style % len(_TOPS)], _TROUSERS[style // 3 % len(_TROUSERS)]
    skin, hair = _SKIN[style // 5 % len(_SKIN)], _HAIR[style // 7 % len(_HAIR)]
    swing = math.sin(actor.gait) * (1.0 if actor.gait else 0.0)
    bob = 0.012 * abs(math.cos(actor.gait)) if actor.gait else 0.0
    hip, shoulder = (0.0, 0.485 + bob), (0.012 * facing, 0.80 + bob)
    _arm(patch, shoulder, swing * facing, _dim(top, 0.70), _dim(skin, 0.8))
    _leg(patch, hip, -swing, facing, _dim(trousers, 0.72))
    _leg(patch, hip, swing, facing, trousers)
    left, right = -0.088, 0.088
    patch.area([(left + 0.01, 0.47), (right - 0.01, 0.47), (right, 0.82 + bob), (left, 0.82 + bob)], top)
    patch.area([(0.02, 0.47), (right - 0.01, 0.47), (right, 0.81 + bob), (0.03, 0.81 + bob)], _dim(top, 0.80))
    patch.oval((0.0, 0.81 + bob), (0.086, 0.030), top)
    patch.limb([(0.0, 0.82 + bob), (0.008 * facing, 0.88 + bob)], 0.055, _dim(skin, 0.85))
    _arm(patch, shoulder, -swing * facing, _dim(top, 0.92), skin)
    head = (0.014 * facing, 0.925 + bob)
    patch.oval(head, (0.052, 0.068), skin)
    patch.oval((head[0] - 0.012 * facing, head[1] + 0.012), (0.054, 0.064), hair, (180, 360))
    patch.oval((head[0] - 0.030 * facing, head[1] + 0.004), (0.026, 0.050), hair)
    if actor.carries_bag:
        _bag(patch, (0.15 * facing, 0.30), 0.20)


def _leg(patch: _Patch, hip: Point, swing: float, facing: int, colour: Colour) -> None:
    lift = max(0.0, -swing) * 0.05
    foot = (0.17 * swing * facing, 0.028 + lift)
    knee = (foot[0] * 0.45 + 0.035 * facing * (0.4 + abs(swing)), 0.265 + lift)
    patch.limb([hip, knee], 0.092, colour)
    patch.limb([knee, foot], 0.070, colour)
    patch.limb(
        [(foot[0] - 0.015 * facing, 0.022 + lift), (foot[0] + 0.055 * facing, 0.016 + lift)], 0.040, (34, 34, 38)
    )


def _arm(patch: _Patch, shoulder: Point, swing: float, sleeve: Colour, skin: Colour) -> None:
    elbow = (shoulder[0] + 0.09 * swing, shoulder[1] - 0.155)
    hand = (shoulder[0] + 0.17 * swing, shoulder[1] - 0.30)
    patch.limb([(shoulder[0], shoulder[1] - 0.01), elbow], 0.058, sleeve)
    patch.limb([elbow, hand], 0.048, sleeve)
    patch.oval(hand, (0.022, 0.026), skin)


def _bag(patch: _Patch, at: Point, size: float) -> None:
    x, y = at
    wide, tall = size * 0.62, size * 0.72
    patch.limb([(x - wide * 0.4, y + tall), (x - wide * 0.2, y + tall * 1.35)], size * 0.07, _dim(_BAG, 0.6))
    patch.limb([(x - wide * 0.2, y + tall * 1.35), (x + wide * 0.2, y + tall * 1.35)], size * 0.07, _dim(_BAG, 0.6))
    patch.limb([(x + wide * 0.2, y + tall * 1.35), (x + wide * 0.4, y + tall)], size * 0.07, _dim(_BAG, 0.6))
    low = y + size * 0.02
    patch.area([(x - wide, low), (x + wide, low), (x + wide * 0.88, y + tall), (x - wide * 0.88, y + tall)], _BAG)
    side = [(x + wide * 0.35, low), (x + wide, low), (x + wide * 0.88, y + tall), (x + wide * 0.40, y + tall)]
    patch.area(side, _dim(_BAG, 0.72))
    patch.limb([(x - wide * 0.9, y + tall * 0.72), (x + wide * 0.9, y + tall * 0.72)], size * 0.04, _dim(_BAG, 1.35))


def _dim(colour: Colour, factor: float) -> Colour:
    blue, green, red = (min(255, round(channel * factor)) for channel in colour)
    return blue, green, red


def _cast_shadow(canvas: Plane, opacity: Plane, patch: _Patch, corner: tuple[int, int], depth: float) -> None:
    """Lays the figure's outline on the ground, leaning away from the sun."""
    tall = math.ceil(patch.height_px * 0.32)
    base = tall - math.ceil(patch.height_px * 0.05)
    room = math.ceil(patch.height_px * 0.65)
    size = (opacity.shape[1] + room, tall)
    lay = [
        [1, -_SHADOW_LEAN, room + _SHADOW_LEAN * patch.rise_px],
        [0, _SHADOW_LENGTH, base - _SHADOW_LENGTH * patch.rise_px],
    ]
    outline = cv2.warpAffine(opacity, np.array(lay, np.float32), size, flags=cv2.INTER_LINEAR)
    keep = cv2.bitwise_not(cv2.convertScaleAbs(cv2.blur(outline, (3, 3)), alpha=depth)).astype(np.uint8, copy=False)
    overlap = _overlap(canvas, keep, (corner[0] - patch.half_width_px - room, corner[1] - base))
    if overlap is not None:
        region, own = canvas[overlap.canvas], keep[overlap.patch]
        cv2.multiply(region, cv2.merge([own, own, own]), dst=region, scale=1 / 255)


def _blend(canvas: Plane, colours: Plane, opacity: Plane, place: tuple[int, int]) -> None:
    overlap = _overlap(canvas, opacity, place)
    if overlap is not None:
        region = canvas[overlap.canvas]
        keep = cv2.bitwise_not(opacity[overlap.patch])
        cv2.multiply(region, cv2.merge([keep, keep, keep]), dst=region, scale=1 / 255)
        cv2.add(region, colours[overlap.patch], dst=region)


@dataclass(frozen=True, slots=True)
class _Overlap:
    """The rows and columns that a canvas and a patch laid on it share, in terms of each."""

    canvas: tuple[slice, slice]
    patch: tuple[slice, slice]


def _overlap(canvas: Plane, patch: Plane, place: tuple[int, int]) -> _Overlap | None:
    left, top = place
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(canvas.shape[1], left + patch.shape[1]), min(canvas.shape[0], top + patch.shape[0])
    if x1 <= x0 or y1 <= y0:
        return None
    own = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    return _Overlap((slice(y0, y1), slice(x0, x1)), own)
