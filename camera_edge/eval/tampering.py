"""Draws tampering onto real frames: what a camera would show that is covered, turned, dazzled, cut off or frozen.

Invariant: pure; the same frames, kind and seed give the same pictures. Strength, shape and how suddenly it comes follow
from the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
Pixels = NDArray[np.float32]
_REFERENCE_PX = 360  # strengths in pixels are those of a picture of this height


class Kind(StrEnum):
    COVERED = "covered"
    MOVED = "moved"
    DEFOCUSED = "defocused"
    BLINDED = "blinded"
    BLACKOUT = "blackout"
    FROZEN = "frozen"
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a frame stands: seconds since the onset, and the random numbers of this frame alone."""

    since_s: float
    chance: np.random.Generator


Change = Callable[[Frame, Moment], Frame]


def synthesise(kind: Kind, frames: Sequence[Frame], fps: float, seed: int) -> list[Frame]:
    """`frames` from the onset on, BGR uint8 (height, width, 3) of one size, as the tampered camera shows them."""
    if not frames:
        return []
    change = _MAKERS[kind](frames[0], np.random.default_rng([seed, *kind.encode()]))
    return [
        change(frame, Moment(number / fps, np.random.default_rng([seed, number])))
        for number, frame in enumerate(frames)
    ]


def _clipped(pixels: NDArray[np.floating]) -> Frame:
    return np.asarray(np.clip(np.rint(pixels), 0, 255), np.uint8)


def _come(since_s: float, ramp_s: float) -> float:
    """How much of it is there: 0 to 1."""
    return 1.0 if since_s >= ramp_s else since_s / ramp_s


def _cloud(shape: tuple[int, int], scale_px: float, chance: np.random.Generator) -> Pixels:
    """Smooth random texture of deviation 1."""
    height, width = shape
    size = (max(2, round(width / scale_px)), max(2, round(height / scale_px)))
    coarse = chance.normal(0, 1, (size[1], size[0])).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _covered(first: Frame, chance: np.random.Generator) -> Change:
    """A hand or a sheet that is pushed in from one side, or spray; plain or textured, 60 to 100 % of the view."""
    height, width = first.shape[:2]
    colour = chance.uniform(15, 200, 3)
    texture = chance.choice([0.0, 4.0, 15.0])
    cloth = np.float32(texture) * _cloud((height, width), chance.uniform(3, 25) * height / _REFERENCE_PX, chance)
    thing = colour[np.newaxis, np.newaxis, :] + cloth[:, :, np.newaxis]
    part, ramp_s = chance.uniform(0.6, 1.0), chance.choice([0.0, 0.5, 1.0])
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    if chance.random() < 0.3:
        order = _cloud((height, width), width / 5, chance)
    else:
        side = chance.integers(4)
        order = (columns / width, 1 - columns / width, rows / height, 1 - rows / height)[side]
        order = order + 0.04 * _cloud((height, width), width / 4, chance)
    ranks = np.empty(order.size, np.float32)
    ranks[np.argsort(order, axis=None, kind="stable")] = np.arange(order.size, dtype=np.float32) / order.size
    rank = ranks.reshape(order.shape)

    def change(frame: Frame, moment: Moment) -> Frame:
        hidden = np.clip((part * _come(moment.since_s, ramp_s) - rank) * 60 + 0.5, 0, 1)[:, :, np.newaxis]
        noise = moment.chance.normal(0, 1.5, frame.shape)
        return _clipped(frame * (1 - hidden) + (thing + noise) * hidden)

    return change


def _moved(first: Frame, chance: np.random.Generator) -> Change:
    """Turned or pushed away by 10 to 60 % of the width, or rolled by 5 to 20 degrees; at once or within two seconds."""
    height, width = first.shape[:2]
    ramp_s = chance.choice([0.0, 0.0, 1.0, 2.0])
    border = int(chance.choice([cv2.BORDER_REFLECT, cv2.BORDER_REPLICATE, cv2.BORDER_WRAP]))
    turn, shift = 0.0, (0.0, 0.0)
    if chance.random() < 0.35:
        turn = chance.uniform(5, 20) * chance.choice([-1, 1])
    else:
        length = chance.uniform(0.1, 0.6) * width
        angle = chance.choice([0, np.pi, chance.uniform(0, 2 * np.pi)])
        shift = (length * np.cos(angle), 0.7 * length * np.sin(angle))

    def change(frame: Frame, moment: Moment) -> Frame:
        part = _come(moment.since_s, ramp_s)
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn * part, 1.0)
        matrix[:, 2] += np.multiply(shift, part)
        return np.asarray(cv2.warpAffine(frame, matrix, (width, height), borderMode=border), np.uint8)

    return change


def _defocused(first: Frame, chance: np.random.Generator) -> Change:
    """A blur of 2 to 8 pixels' deviation, that may grow over a second and a half."""
    sigma = chance.uniform(2, 8) * first.shape[0] / _REFERENCE_PX
    ramp_s = chance.choice([0.0, 0.5, 1.5])

    def change(frame: Frame, moment: Moment) -> Frame:
        blur = sigma * _come(moment.since_s, ramp_s)
        if blur < 0.1:
            return frame
        smooth = cv2.GaussianBlur(frame, (0, 0), blur)
        return _clipped(smooth + moment.chance.normal(0, 1, frame.shape))

    return change


def _blinded(first: Frame, chance: np.random.Generator) -> Change:
    """A lamp held into the lens: white at 235 to 255, with bloom around, over half of the view or all of it."""
    height, width = first.shape[:2]
    level, ramp_s = chance.uniform(235, 255), chance.choice([0.0, 0.3, 1.0])
    centre_x, centre_y = chance.uniform(0.3, 0.7) * width, chance.uniform(0.3, 0.7) * height
    reach = chance.uniform(0.45, 1.0) * width
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot(columns - centre_x, rows - centre_y) / reach
    bloom = np.exp(-(away**4))[:, :, np.newaxis]
    veil = chance.uniform(0.1, 0.4)

    def change(frame: Frame, moment: Moment) -> Frame:
        glare = _come(moment.since_s, ramp_s) * np.clip(1.3 * bloom + veil, 0, 1)
        noise = moment.chance.normal(0, 1, frame.shape)
        return _clipped(np.minimum(frame * (1 - glare) + (level + 10) * glare + noise, level))

    return change


def _blackout(first: Frame, chance: np.random.Generator) -> Change:
    """Dark at 0 to 16, at once; with the noise of a sensor or without."""
    level, sigma = chance.uniform(0, 16), chance.choice([0.0, 1.0, 3.0])

    def change(frame: Frame, moment: Moment) -> Frame:
        return _clipped(level + moment.chance.normal(0, 1, frame.shape) * sigma)

    return change


def _frozen(first: Frame, chance: np.random.Generator) -> Change:
    """The first picture again and again, exactly or as an encoder would give it."""
    sigma = chance.choice([0.0, 0.0, 0.5])

    def change(frame: Frame, moment: Moment) -> Frame:
        return _clipped(first + moment.chance.normal(0, 1, first.shape) * sigma)

    return change


def _noise(first: Frame, chance: np.random.Generator) -> Change:
    """A bad cable: grain, salt and pepper, rolling stripes, or blocks that went missing."""
    height, width = first.shape[:2]
    way = chance.choice(["grain", "salt", "stripes", "blocks"])
    sigma, part = chance.uniform(20, 80), chance.uniform(0.05, 0.3)
    period_px = chance.uniform(4, 24) * height / _REFERENCE_PX
    side = 16 if height < 720 else 32
    lost = chance.uniform(0.2, 0.6)

    def grain(frame: Frame, moment: Moment) -> Frame:
        return _clipped(frame + moment.chance.normal(0, sigma, (height, width, 1)))

    def salt(frame: Frame, moment: Moment) -> Frame:
        dice = moment.chance.random((height, width, 1))
        return np.where(dice < part / 2, 0, np.where(dice > 1 - part / 2, 255, frame)).astype(np.uint8)

    def stripes(frame: Frame, moment: Moment) -> Frame:
        wave = np.sign(np.sin(np.arange(height) / period_px * 2 * np.pi + moment.chance.uniform(0, 6)))
        return _clipped(frame + sigma * wave[:, np.newaxis, np.newaxis])

    def blocks(frame: Frame, moment: Moment) -> Frame:
        broken = frame.copy()
        for top in range(0, height, side):
            for left in range(0, width, side):
                if moment.chance.random() < lost:
                    grey = moment.chance.uniform(0, 255, 3)
                    broken[top : top + side, left : left + side] = grey
        return broken

    return {"grain": grain, "salt": salt, "stripes": stripes, "blocks": blocks}[str(way)]


_MAKERS: dict[Kind, Callable[[Frame, np.random.Generator], Change]] = {
    Kind.COVERED: _covered,
    Kind.MOVED: _moved,
    Kind.DEFOCUSED: _defocused,
    Kind.BLINDED: _blinded,
    Kind.BLACKOUT: _blackout,
    Kind.FROZEN: _frozen,
    Kind.NOISE: _noise,
}
