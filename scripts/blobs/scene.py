"""Synthetic scenes: a figure before a background, as a surveillance camera of any kind would show it, and its window.

Invariant: a window is a function of the generator it is drawn from; nothing recorded enters it.

What is imitated is what spoils real blobs: few pixels, blur, noise, block coding, low contrast, shadows, neighbours,
occlusion, the image's border, and a foreground mask that is a thresholded difference to a background.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from scripts.blobs.figures import DRAW, walker
from scripts.blobs.kinds import FIGURE_NAMES
from scripts.blobs.solids import Assembly, Camera, Extent, Point, Solid, limb, moved, paint
from scripts.blobs.window import COLUMNS, ROWS, BoxPx, Placement, cut, place

# how often each figure is drawn, in the order of FIGURES; what people do on foot is most of what there is to know
_SHARES = np.array([22, 8, 3, 3, 9, 6, 13, 3, 6, 5, 4, 5, 3, 3, 4, 4, 3, 3, 4, 2, 4, 3, 2], np.float64)
_ON_FOOT = frozenset({"walker", "walker_with_load", "walker_with_umbrella", "runner"})
_NOTHING = frozenset({"noise", "light"})
_PERSON_M = 1.7
# below that nobody can tell, and above it a window is as sharp as it gets
_PERSON_PX_MIN, _PERSON_PX_MAX = 13, 80
# drawn at this size, then reduced to what the camera resolves
_DRAWN_PX = 64
_COVERED_MIN = 0.45
_MARGIN = 0.15
_NEIGHBOURS_MAX = 5
# of the smaller box: more of it, and two blobs would be one
_SHARED_MAX = 0.12

Plane = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sample:
    """One window (2, ROWS, COLUMNS), the number of its figure in FIGURES, and how high a person is in the frame."""

    window: Floats
    figure: int
    person_px: float


@dataclass(frozen=True, slots=True)
class _View:
    """The piece of the frame that is drawn: its size in source pixels and where the scene's origin is in it."""

    rows: int
    columns: int
    origin: tuple[float, float]
    placement: Placement
    enlarged: int


@dataclass(frozen=True, slots=True)
class _Pictures:
    """Background, frame, and what is figure and what is shadow in it; all of one size."""

    background: Floats
    frame: Floats
    figure: NDArray[np.bool_]
    shaded: NDArray[np.bool_]


def draw(rng: np.random.Generator, figure: int | None = None) -> Sample:
    """A window of the figure with this number, or of any."""
    if figure is None:
        figure = int(rng.choice(len(_SHARES), p=_SHARES / _SHARES.sum()))
    while True:
        person_px = float(np.exp(rng.uniform(math.log(_PERSON_PX_MIN), math.log(_PERSON_PX_MAX))))
        window = _attempt(rng, FIGURE_NAMES[figure], person_px)
        if window is not None:
            mirrored = rng.random() < 0.5
            return Sample(window[:, :, ::-1].copy() if mirrored else window, figure, person_px)


def _attempt(rng: np.random.Generator, name: str, person_px: float) -> Floats | None:
    """A window, or None where the figure was not seen well enough to be detected."""
    camera = _camera(rng, person_px)
    main = Assembly.of(_main(rng, name))
    people = _neighbours(rng, name, main, camera)
    light = _light(rng)
    boxed = [main]
    if rng.random() < 0.5:
        near = (Assembly.of(person) for person in people)
        boxed += [each for each in near if _shared(main.extent(camera), each.extent(camera)) > _SHARED_MAX]
    view = _view(rng, camera, (Assembly.joined(boxed), light), person_px)
    big = replace(camera, focal_px=camera.focal_px * view.enlarged)
    pictures = _pictures(rng, Assembly.joined([main, *map(Assembly.of, people)]), (big, light), view)
    if name in _NOTHING:
        pictures = _without_figure(rng, name, pictures)
    pictures = _degraded(rng, pictures, view)
    mask = _mask(rng, pictures)
    if name == "noise" and rng.random() < 0.6:
        mask = _stray_mask(rng, mask.shape)
    seen = pictures.figure if name not in _NOTHING else np.ones_like(pictures.figure)
    window = cut(np.asarray(np.clip(pictures.frame, 0, 255), np.uint8), mask, view.placement)
    covered = float(mask[seen].mean()) if seen.any() else 0.0
    least = 0.03 if name in _NOTHING else _COVERED_MIN
    return window if covered >= least and float(window[1].mean()) > 0.005 else None


def _main(rng: np.random.Generator, name: str) -> list[Solid]:
    figure = DRAW["parcel" if name in _NOTHING else name](rng)
    return moved(figure, float(rng.uniform(-math.pi, math.pi)), 0.0, 0.0)


def _neighbours(rng: np.random.Generator, name: str, main: Assembly, camera: Camera) -> list[list[Solid]]:
    """People nearby, before and behind; where people on foot are meant to be alone, none that hides or joins them."""
    people: list[list[Solid]] = []
    while len(people) < _NEIGHBOURS_MAX and rng.random() < 0.5:
        aside, depth = float(rng.uniform(-1.4, 1.4)), float(rng.uniform(-3, 5))
        other = moved(walker(rng), float(rng.uniform(-math.pi, math.pi)), aside, depth)
        if name not in _ON_FOOT or _shared(main.extent(camera), Assembly.of(other).extent(camera)) < _SHARED_MAX:
            people.append(other)
    return people


def _shared(one: Extent, other: Extent) -> float:
    """How much of the smaller box lies in the other one."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return max(width, 0.0) * max(height, 0.0) / smaller


def _camera(rng: np.random.Generator, person_px: float) -> Camera:
    """A camera in which a person is `person_px` high."""
    elevation = math.radians(float(rng.uniform(2, 60)))
    distance = float(np.exp(rng.uniform(math.log(6), math.log(80))))
    aspect = float(np.exp(rng.normal(0, 0.08)))
    camera = Camera(distance, elevation, math.radians(float(rng.normal(0, 2.5))), 1.0, aspect)
    _, top, _, bottom = Assembly.of([limb((0.0, 0.0, 0.1), (0.0, 0.0, _PERSON_M - 0.15), 0.14, 0.0)]).extent(camera)
    return replace(camera, focal_px=person_px / (bottom - top))


def _light(rng: np.random.Generator) -> Point:
    angle, height = float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.4, 2.5))
    return math.cos(angle), math.sin(angle), -height


def _view(rng: np.random.Generator, camera: Camera, seen: tuple[Assembly, Point], person_px: float) -> _View:
    """Where the window lies: by the box of what moves, as imperfect as a detector's."""
    solids, light = seen
    edges = np.array(solids.extent(camera))
    if rng.random() < 0.25:
        shaded = solids.shadow(light).extent(camera)
        edges = np.concatenate([np.minimum(edges[:2], shaded[:2]), np.maximum(edges[2:], shaded[2:])])
    left, top, right, bottom = edges + rng.normal(0, 0.035 * person_px, 4)
    if rng.random() < 0.15:
        bottom -= 0.25 * rng.random() * person_px
    right, bottom = max(right, left + 2), max(bottom, top + 2)
    if right - left > 1.2 * person_px and rng.random() < 0.5:
        centre = rng.uniform(left + 0.35 * person_px, right - 0.35 * person_px)
        left, right = centre - 1, centre + 1
    border = left + float(rng.uniform(0.2, 0.6)) * (right - left) if rng.random() < 0.1 else None
    box = BoxPx(left if border is None else border, top, right, bottom)
    believed = person_px * float(np.exp(rng.normal(0, 0.17)))
    window = place(box, believed)
    margin = _MARGIN * person_px + 4
    x0 = math.floor(window.left - margin if border is None else border)
    y0 = math.floor(window.top - margin)
    columns = max(8, math.ceil(window.left + window.step_px * COLUMNS + margin) - x0)
    rows = math.ceil(window.top + window.step_px * ROWS + margin) - y0
    moved_in = Placement(window.step_px, window.left - x0, window.top - y0)
    return _View(rows, columns, (-x0, -y0), moved_in, max(1, round(_DRAWN_PX / person_px)))


def _smooth(rng: np.random.Generator, shape: tuple[int, ...], cells: int) -> Floats:
    """Noise of mean 0 and about deviation 1 with so many cells across."""
    grid = rng.normal(0, 1, (cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _background(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    plane = np.full(shape, rng.uniform(30, 220), np.float32)
    plane += _smooth(rng, shape, int(rng.integers(2, 5))) * rng.uniform(0, 20)
    plane += _smooth(rng, shape, int(rng.integers(10, 40))) * rng.choice([0, rng.uniform(0, 18)])
    for _ in range(int(rng.integers(0, 4) if rng.random() < 0.7 else rng.integers(4, 16))):
        corners = rng.uniform(-0.3, 1.3, (4, 2)) * (shape[1], shape[0])
        tone = float(rng.uniform(10, 245))
        if rng.random() < 0.5:
            cv2.fillConvexPoly(plane, cv2.convexHull(corners.astype(np.int32)), tone)
        else:
            width = int(rng.integers(1, 6))
            cv2.line(plane, corners[0].astype(int).tolist(), corners[1].astype(int).tolist(), tone, width)
    return plane


def _pictures(rng: np.random.Generator, solids: Assembly, seen: tuple[Camera, Point], view: _View) -> _Pictures:
    """The scene at the size it is drawn in."""
    camera, light = seen
    shape = (view.rows * view.enlarged, view.columns * view.enlarged)
    origin = (view.origin[0] * view.enlarged, view.origin[1] * view.enlarged)
    background = _background(rng, shape)
    frame = background.copy()
    shaded = np.zeros(shape, np.uint8)
    if rng.random() < 0.5:
        paint(shaded, solids.shadow(light), (camera, origin), 255.0)
        soft = cv2.GaussianBlur(shaded, (0, 0), float(rng.uniform(0.6, 4.0))).astype(np.float32) / 255
        frame *= 1 - soft * float(rng.uniform(0.15, 0.6))
    drawn = np.zeros(shape, np.uint8)
    paint(drawn, solids, (camera, origin))
    figure = drawn > 0
    cloth = 1 + _smooth(rng, shape, int(rng.integers(3, 24))) * float(rng.uniform(0, 0.15))
    frame = np.where(figure, drawn * cloth, frame)
    if rng.random() < 0.1:
        _occlude(rng, (frame, figure), background)
    return _Pictures(background, np.asarray(frame, np.float32), figure, shaded > 0)


def _occlude(rng: np.random.Generator, hidden: tuple[Floats, NDArray[np.bool_]], background: Floats) -> None:
    """Something of the background stands before the figure: a post, a wall, a bush."""
    frame, figure = hidden
    rows, columns = frame.shape
    top, left, right = 0, 0, columns
    if rng.random() < 0.5:
        left = int(rng.uniform(0.1, 0.8) * columns)
        right = left + max(1, int(rng.uniform(0.05, 0.2) * columns))
    else:
        top = int(rng.uniform(0.6, 0.8) * rows)
    frame[top:, left:right] = background[top:, left:right]
    figure[top:, left:right] = False


def _without_figure(rng: np.random.Generator, name: str, pictures: _Pictures) -> _Pictures:
    """Nothing came: leaves stir, or the light changes."""
    shape = pictures.frame.shape
    cloud = _smooth(rng, shape, int(rng.integers(2, 6) if name == "light" else rng.integers(5, 16)))
    if name == "light":
        edge = 1 / (1 + np.exp(-cloud * float(rng.uniform(2, 12))))
        frame = pictures.background * (1 + edge * float(rng.uniform(-0.6, 0.6)))
    else:
        leaves = _smooth(rng, shape, int(rng.integers(12, 30))) * float(rng.uniform(15, 60))
        frame = pictures.background + np.where(cloud > rng.uniform(0, 1), leaves, 0)
    nothing = np.zeros_like(pictures.figure)
    return _Pictures(pictures.background, np.asarray(frame, np.float32), nothing, nothing)


def _degraded(rng: np.random.Generator, pictures: _Pictures, view: _View) -> _Pictures:
    """What lens, sensor and codec leave of it, at source resolution."""
    size = (view.columns, view.rows)
    background, frame = (
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (pictures.background, pictures.frame)
    )
    if rng.random() < 0.6:
        sigma = float(rng.uniform(0.3, 1.0))
        background, frame = (cv2.GaussianBlur(plane, (0, 0), sigma) for plane in (background, frame))
    contrast = float(rng.uniform(0.3, 1.0))
    middle = float(background.mean()) * (1 - contrast)
    noise = float(rng.choice([rng.uniform(0.3, 2.5), rng.uniform(2.5, 8)], p=[0.8, 0.2]))
    frame = frame * contrast + middle + rng.normal(0, noise, frame.shape)
    background = background * contrast + middle + rng.normal(0, noise * 0.2, frame.shape)
    frame = np.clip(frame, 0, 255)
    if rng.random() < 0.7:
        frame = _coded(frame, int(rng.integers(15, 75)))
    figure, shaded = (
        cv2.resize(plane.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
        for plane in (pictures.figure, pictures.shaded)
    )
    return _Pictures(np.asarray(background, np.float32), np.asarray(frame, np.float32), figure, shaded)


def _coded(frame: NDArray[np.float32], quality: int) -> Floats:
    """Through a block transform coder, as video goes."""
    _, data = cv2.imencode(".jpg", frame.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert decoded is not None
    return np.asarray(decoded, np.float32)


def _mask(rng: np.random.Generator, pictures: _Pictures) -> Plane:
    """The foreground as background subtraction finds it: what differs enough, tidied or not."""
    difference = np.abs(pictures.frame - pictures.background)
    noise = float(np.median(difference))
    mask = np.asarray(difference > max(float(rng.uniform(5, 26)), 3.5 * noise), np.uint8)
    if rng.random() < 0.5:
        mask[pictures.shaded & ~pictures.figure] = 0
    if rng.random() < 0.6:
        mask = np.asarray(cv2.medianBlur(mask, 3), np.uint8)
    tidying = rng.random()
    kernel = np.ones((3, 3), np.uint8)
    if tidying < 0.25:
        mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel), np.uint8)
    elif tidying < 0.4:
        mask = np.asarray(cv2.dilate(mask, kernel), np.uint8)
    return mask


def _stray_mask(rng: np.random.Generator, shape: tuple[int, ...]) -> Plane:
    """Foreground where nothing is."""
    cloud = _smooth(rng, shape, int(rng.integers(3, 12)))
    return np.asarray(cloud > float(rng.uniform(0.3, 1.4)), np.uint8)
