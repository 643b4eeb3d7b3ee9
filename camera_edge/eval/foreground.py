"""Compares a foreground mask with a labelled one, pixel by pixel, as the CDnet benchmark does.

Goyette, Jodoin, Porikli, Konrad and Ishwar, "changedetection.net: A new change detection benchmark dataset", CVPR
Workshops 2012: a moving pixel (255) is to be found, a still one (0) and a shadow (50) are not, those that nobody can
say (170) and those outside the region of interest (85) do not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STILL, SHADOW, OUTSIDE, UNKNOWN, MOVING = 0, 50, 85, 170, 255

Pixels = NDArray[np.uint8]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Pixels by what they were taken for; the figures are 0 where there is nothing to divide by."""

    hits: int = 0
    false: int = 0
    missed: int = 0
    quiet: int = 0

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(
            self.hits + other.hits,
            self.false + other.false,
            self.missed + other.missed,
            self.quiet + other.quiet,
        )

    @property
    def precision(self) -> float:
        return _ratio(self.hits, self.hits + self.false)

    @property
    def recall(self) -> float:
        return _ratio(self.hits, self.hits + self.missed)

    @property
    def f(self) -> float:
        """The harmonic mean of precision and recall."""
        return _ratio(2 * self.hits, 2 * self.hits + self.false + self.missed)

    @property
    def pwc(self) -> float:
        """Percentage of wrong classifications."""
        wrong = self.false + self.missed
        return 100 * _ratio(wrong, wrong + self.hits + self.quiet)


@dataclass(frozen=True, slots=True)
class Areas:
    """Which pixels, bool (height, width) of the labels, are what. ignored: they do not count."""

    hits: Flags
    false: Flags
    missed: Flags
    ignored: Flags


def compare(foreground: Pixels, labels: Pixels, region: Pixels | None = None) -> Confusion:
    """Counts what `areas` tells apart."""
    told = areas(foreground, labels, region)
    hits, false, missed, ignored = (
        int(np.count_nonzero(each)) for each in (told.hits, told.false, told.missed, told.ignored)
    )
    return Confusion(hits, false, missed, labels.size - hits - false - missed - ignored)


def areas(foreground: Pixels, labels: Pixels, region: Pixels | None = None) -> Areas:
    """`foreground`: 0 is background, of any size: it is stretched to that of the labels, by the nearest pixel.

    `labels`: uint8 (height, width); `region`, of any size too: what is 0 there does not count.
    """
    found = stretched(foreground, labels.shape) != 0
    ignored = (labels == UNKNOWN) | (labels == OUTSIDE)
    if region is not None:
        ignored |= stretched(region, labels.shape) == 0
    moving = ~ignored & (labels == MOVING)
    return Areas(hits=found & moving, false=found & ~ignored & ~moving, missed=moving & ~found, ignored=ignored)


def stretched(pixels: Pixels, shape: tuple[int, ...]) -> Pixels:
    """`pixels` at another height and width: each pixel is the one that its centre falls on."""
    if pixels.shape == shape:
        return pixels
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(np.intp) for new, old in zip(shape, pixels.shape, strict=True)
    )
    return np.asarray(pixels[rows[:, np.newaxis], columns], np.uint8)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
