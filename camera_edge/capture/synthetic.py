"""A camera that shows a drawn, seeded scene: a yard with walkers, an intruder at the gate and a bag that is left.

Invariant: the picture at a media time is a function of seed, size and rate alone.
"""

from __future__ import annotations

from random import Random

import cv2
import numpy as np

from camera_edge.capture.address import Address
from camera_edge.capture.backdrop import Backdrop
from camera_edge.capture.figures import draw
from camera_edge.capture.pictures import PictureSource
from camera_edge.capture.planes import picture_of_i420
from camera_edge.capture.script import Script, Truth, light_at
from camera_edge.capture.source import Frame, Grab, SourceOptions
from camera_edge.errors import UsageError
from camera_edge.picture import Plane

_KEYS = frozenset({"seed", "size", "fps", "pace", "seconds"})
_HINT = "write synthetic:?seed=7&size=960x540&fps=15&pace=1&seconds=0"
_LATE_S = 1.0
_NOISE_SIGMA = 2.2
_NOISE_PLANES = 8
_NOISE_MARGIN = 32


class SyntheticScene:
    """Draws the scene. I420 of ITU-R BT.601, uint8 (height * 3 / 2, width)."""

    def __init__(self, seed: int, width: int, height: int) -> None:
        self._seed = seed
        self._script = Script(seed)
        self._backdrop = Backdrop(seed, width, height)
        self._noise = _noise(seed, width, height)

    def truth(self, t_s: float) -> list[Truth]:
        """What is in the picture at a media time, in seconds."""
        return self._script.truth(t_s)

    def draw(self, number: int, t_s: float) -> Plane:
        """The picture at a media time; `number` chooses the sensor's noise."""
        canvas = self._backdrop.at(t_s)
        light = light_at(t_s)
        for _, actor in self._script.cast(t_s):
            draw(canvas, actor, light)
        i420 = cv2.cvtColor(canvas, cv2.COLOR_BGR2YUV_I420).astype(np.uint8, copy=False)
        luma = i420[: canvas.shape[0]]
        cv2.LUT(luma, _gain(light), dst=luma)
        self._add_noise(luma, number)
        return i420

    def _add_noise(self, luma: Plane, number: int) -> None:
        random = Random(self._seed * 1_000_003 + number)
        brighter, darker = self._noise[random.randrange(_NOISE_PLANES)]
        top, left = random.randrange(_NOISE_MARGIN), random.randrange(_NOISE_MARGIN)
        part = (slice(top, top + luma.shape[0]), slice(left, left + luma.shape[1]))
        cv2.add(luma, brighter[part], dst=luma)
        cv2.subtract(luma, darker[part], dst=luma)


class SyntheticCamera(PictureSource):
    """The scene as a source. With `pace=1` (default) it is live: a picture is made when it is due, and those that are
    more than a second late are skipped and counted. With `pace=0` it is a recording of `seconds` (0: without end).
    """

    def __init__(self, address: Address, options: SourceOptions) -> None:
        super().__init__()
        """Raises `UsageError` for unknown or wrong parameters."""
        unknown = sorted(set(address.parameters) - _KEYS)
        if unknown:
            raise UsageError(f"the synthetic camera has no parameter {unknown[0]!r}", hint=_HINT)
        self.name = address.name
        self.live = _number(address, "pace", 1, (0, 1)) == 1
        self._options = options
        self._seed = _number(address, "seed", 7, (0, 2**31))
        self._fps = _number(address, "fps", 15, (1, 60))
        self._seconds = _number(address, "seconds", 0, (0, 10**9))
        self._size = _size(address)
        self._scene: SyntheticScene | None = None
        self._next = 0
        self._start_ns = 0
        self._start_utc_ns = 0

    def truth(self, media_us: int) -> list[Truth]:
        """What is in the picture at a media time."""
        return Script(self._seed).truth(media_us / 1e6)

    def open(self) -> None:
        self._scene = self._scene or SyntheticScene(self._seed, *self._size)
        self._start_ns = self._options.clock.monotonic_ns() - round(self._next * 1e9 / self._fps)
        self._start_utc_ns = self._options.clock.utc_ns()

    def read(self) -> Grab | None:
        if self._scene is None or (self.live and self._stopped_while_waiting()):
            return None
        number = self._next
        if self._seconds and number >= self._seconds * self._fps:
            return None
        self._next += 1
        media_us = round(number * 1_000_000 / self._fps)
        picture = picture_of_i420(self._scene.draw(number, media_us / 1e6))
        utc_ns = self._options.clock.utc_ns() if self.live else self._start_utc_ns + media_us * 1000
        self._tally.grabbed += 1
        self._tally.decoded += 1
        return Grab(None, (Frame(number, media_us, utc_ns, picture, None, 0),))

    def close(self) -> None:
        self._scene = None

    def _stopped_while_waiting(self) -> bool:
        """Waits until the next picture is due; True if the program shall stop."""
        elapsed_s = (self._options.clock.monotonic_ns() - self._start_ns) / 1e9
        early_s = self._next / self._fps - elapsed_s
        if early_s > 0:
            return self._options.wait(early_s)
        if -early_s > _LATE_S:
            due = int(elapsed_s * self._fps)
            self._tally.skipped += due - self._next
            self._next = due
        return False


def _gain(light: float) -> Plane:
    levels = (np.arange(256, dtype=np.float32) - 16) * np.float32(light) + 16
    table: Plane = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return table


def _noise(seed: int, width: int, height: int) -> list[tuple[Plane, Plane]]:
    """Planes to add and to subtract, larger than the picture, so that each frame cuts another part."""
    random = np.random.default_rng(seed + 1)
    shape = (height + _NOISE_MARGIN, width + _NOISE_MARGIN)
    planes = []
    for _ in range(_NOISE_PLANES):
        noise = np.rint(random.standard_normal(shape, np.float32) * np.float32(_NOISE_SIGMA))
        brighter, darker = np.maximum(noise, 0).astype(np.uint8), np.maximum(-noise, 0).astype(np.uint8)
        planes.append((brighter, darker))
    return planes


def _number(address: Address, key: str, default: int, bounds: tuple[int, int]) -> int:
    text = address.parameters.get(key, str(default))
    if not text.isascii() or not text.isdigit() or not bounds[0] <= int(text) <= bounds[1]:
        raise UsageError(f"{key} of the synthetic camera is not a number from {bounds[0]} to {bounds[1]}", hint=_HINT)
    return int(text)


def _size(address: Address) -> tuple[int, int]:
    width, _, height = address.parameters.get("size", "960x540").partition("x")
    if not (width.isdigit() and height.isdigit() and 64 <= int(width) <= 3840 and 36 <= int(height) <= 2160):
        raise UsageError("size of the synthetic camera is not between 64x36 and 3840x2160", hint=_HINT)
    return int(width) // 2 * 2, int(height) // 2 * 2
