"""The still part of the synthetic scene: a yard before a brick wall, with paving, grass, windows and two trees.

Invariant: a function of seed and size alone. Pictures are BGR, uint8 (height, width, 3).
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_edge.capture.script import HORIZON
from camera_edge.picture import Plane

Field = NDArray[np.float32]

_SUN = np.array([0.93, 0.98, 1.03], np.float32)
_CROWNS = ((0.115, 0.17, 0.20), (0.86, 0.15, 0.17))


class Backdrop:
    """The yard; `at(t)` gives a fresh copy of it with the crowns of the trees moved by the wind."""

    def __init__(self, seed: int, width: int, height: int) -> None:
        self._still = _yard(np.random.default_rng(seed), width, height)
        self._crowns = [_Crown(width, height, *crown) for crown in _CROWNS]

    def at(self, t_s: float) -> Plane:
        picture = self._still.copy()
        for crown in self._crowns:
            crown.sway(self._still, picture, t_s)
        return picture


class _Crown:
    """A region that is drawn again with a displacement that fades to its border."""

    def __init__(self, width: int, height: int, x: float, y: float, radius: float) -> None:
        r = max(8, round(radius * height * 1.25))
        cx, cy = round(x * width), round(y * height)
        self._left, self._top = max(0, cx - r), max(0, cy - r)
        self._right, self._bottom = min(width, cx + r), min(height, cy + r)
        rows, columns = np.mgrid[self._top : self._bottom, self._left : self._right].astype(np.float32)
        distance = np.hypot(columns - cx, rows - cy) / r
        self._weight: Field = np.clip(1.2 - 1.2 * distance, 0, 1).astype(np.float32)
        self._columns: Field = columns - self._left
        self._rows: Field = rows - self._top
        self._phase: Field = ((rows + columns * 0.7) * (9.0 / r)).astype(np.float32)
        self._reach_px = height * 0.006

    def sway(self, still: Plane, picture: Plane, t_s: float) -> None:
        gust = self._reach_px * (0.65 + 0.35 * math.sin(t_s * 0.43))
        shift: Field = self._weight * np.sin(self._phase + np.float32(t_s * 2.6)) * np.float32(gust)
        region = (slice(self._top, self._bottom), slice(self._left, self._right))
        picture[region] = cv2.remap(
            still[region],
            self._columns + shift,
            self._rows + shift * np.float32(0.4),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )


def _yard(random: np.random.Generator, width: int, height: int) -> Plane:
    picture = np.zeros((height, width, 3), np.float32)
    edge = round(HORIZON * height)
    picture[:edge] = _wall(random, width, edge)
    picture[edge:] = _ground(random, width, height - edge)
    _windows(picture, width, edge)
    cv2.line(picture, (0, edge), (width, edge), (52, 58, 62), max(1, height // 180))
    picture[edge : edge + height // 40] *= np.linspace(0.72, 1.0, height // 40, dtype=np.float32)[:, None, None]
    for x, y, radius in _CROWNS:
        _tree(random, picture, (x * width, y * height, radius * height))
    shown: Plane = np.clip(picture * _SUN, 0, 255).astype(np.uint8)
    return shown


def _colour(bgr: list[float]) -> Field:
    return np.array(bgr, np.float32)


def _grain(random: np.random.Generator, width: int, height: int, cells: int) -> Field:
    """Smooth noise of about standard deviation 1, with `cells` bumps over the width."""
    small = random.standard_normal((max(2, cells * height // width), max(2, cells))).astype(np.float32)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _wall(random: np.random.Generator, width: int, height: int) -> Field:
    rows = 16
    brick_h = max(3, height // rows)
    brick_w = brick_h * 3
    wall = np.full((height, width, 3), (118, 126, 134), np.float32)
    for row in range(height // brick_h + 1):
        for column in range(-1, width // brick_w + 1):
            x = column * brick_w + (row % 2) * brick_w // 2
            tone = random.normal(1.0, 0.07)
            colour = (88 * tone, 104 * tone, 150 * tone)
            corner = (x + brick_w - 2, (row + 1) * brick_h - 2)
            cv2.rectangle(wall, (x, row * brick_h), corner, colour, -1)
    wall += 5 * _grain(random, width, height, width // 3)[..., None]
    wall *= 1 + 0.05 * _grain(random, width, height, 12)[..., None]
    return wall


def _ground(random: np.random.Generator, width: int, height: int) -> Field:
    """Grass on the left, paving on the right; the slabs grow towards the camera."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    depth = 1 / (rows / height + 0.22)
    across = (columns / width - 0.6) * depth
    grass = _colour([62, 112, 96]) * (1 + 0.10 * _grain(random, width, height, width // 5))[..., None]
    grass *= (1 + 0.12 * _grain(random, width, height, 14))[..., None]
    tile = np.sin(np.floor(across * 6) * 12.9898 + np.floor(depth * 6) * 78.233) * 43758.5453
    tone = 1 + 0.07 * (tile - np.floor(tile) - 0.5)
    joint = (np.minimum(across * 6 % 1, depth * 6 % 1) < 0.05) & (depth < 3.6)
    paving = _colour([150, 156, 160]) * (tone * np.where(joint, 0.80, 1.0))[..., None]
    paving *= (1 + 0.035 * _grain(random, width, height, width // 3))[..., None]
    border = -0.28 + 0.02 * np.sin(depth * 3)
    share = np.clip((across - border) * 40, 0, 1)[..., None]
    kerb = (np.abs(across - border) < 0.012)[..., None]
    ground = grass * (1 - share) + paving * share
    ground = np.where(kerb, _colour([176, 180, 182]), ground)
    return np.asarray(ground * (0.86 + 0.14 * rows / height)[..., None], np.float32)


def _windows(picture: Field, width: int, edge: int) -> None:
    for x in (0.27, 0.44, 0.61):
        left, top = round(x * width), round(edge * 0.22)
        right, bottom = round((x + 0.085) * width), round(edge * 0.68)
        frame_px = max(2, edge // 40)
        cv2.rectangle(picture, (left, top), (right, bottom), (196, 204, 208), -1)
        pane = picture[top + frame_px : bottom - frame_px, left + frame_px : right - frame_px]
        shade = np.linspace(105, 52, pane.shape[0], dtype=np.float32)[:, None, None]
        pane[:] = shade * _colour([1.12, 1.0, 0.88])
        middle = (left + right) // 2
        cv2.line(picture, (middle, top), (middle, bottom), (196, 204, 208), frame_px)
        sill = (left - frame_px, bottom), (right + frame_px, bottom + 2 * frame_px)
        cv2.rectangle(picture, *sill, (150, 158, 162), -1)


def _tree(random: np.random.Generator, picture: Field, crown: tuple[float, float, float]) -> None:
    x, y, radius = crown
    height = picture.shape[0]
    base = round((HORIZON + 0.035) * height)
    trunk = max(3, round(radius * 0.13))
    for offset in range(-trunk, trunk + 1):
        tone = 1.0 - 0.45 * (offset + trunk) / (2 * trunk)
        colour = (46 * tone, 66 * tone, 88 * tone)
        cv2.line(picture, (round(x) + offset, round(y)), (round(x + offset * 1.25), base), colour, 2)
    for _ in range(420):
        angle, reach = random.uniform(0, 2 * math.pi), radius * math.sqrt(random.uniform(0, 1))
        at_x, at_y = x + reach * math.cos(angle), y + 0.85 * reach * math.sin(angle)
        lit = 0.75 + 0.35 * (-(at_x - x) - (at_y - y)) / (2 * radius) + random.normal(0, 0.10)
        colour = (40 * lit, 112 * lit, 74 * lit)
        axes = (max(2, round(radius * 0.10)), max(1, round(radius * 0.06)))
        centre = (round(at_x), round(at_y))
        cv2.ellipse(picture, centre, axes, random.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
