"""Made-up outputs of a detector, for machines without weights: things that drift through the picture, among noise.

Invariant: frame number and seed alone decide. Sizes are drawn as logarithms and probabilities as they are, so that no
function whose last digit depends on the machine is called.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from camera_edge.inference import Contract

THINGS = 14
CLASSES = (0, 0, 0, 2, 7, 1, 16, 24)
BOX_AND_OBJECT = 5
_FAINT = 0.12

Numbers = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Thing:
    """One thing: where it is in fractions of the picture, how fast, in which frames, how sure, how large."""

    x: float
    y: float
    dx: float
    dy: float
    first: int
    frames: int
    sure: float
    log_w: float
    log_h: float
    kind: int

    def at(self, frame: int) -> tuple[float, float] | None:
        age = (frame - self.first) % (2 * self.frames)
        return ((self.x + age * self.dx) % 1.0, (self.y + age * self.dy) % 1.0) if age < self.frames else None


class Figments:
    """Outputs for one contract; `shape` as its model has it, `outputs(frame)` as `Session.infer` gives them."""

    def __init__(self, contract: Contract, seed: int) -> None:
        assert contract.input is not None, "a detector takes a picture"
        self._size = (contract.input.width, contract.input.height)
        self._output = contract.output
        self._seed = seed
        random = Random(seed)
        self._things = [self._thing(random, number) for number in range(THINGS)]

    @property
    def shape(self) -> tuple[int, ...]:
        numbers = BOX_AND_OBJECT + len(self._output.class_names)
        if self._output.decoder == "fastestdet":
            columns, rows = self._grid(self._output.strides[0])
            return (1, numbers, rows, columns)
        cells = sum(math.prod(self._grid(stride)) for stride in self._output.strides)
        return (1, cells, numbers)

    def outputs(self, frame: int) -> Numbers:
        noise = np.random.default_rng([self._seed, frame])
        grids = [self._draw(stride, frame, noise) for stride in self._output.strides]
        if self._output.decoder == "fastestdet":
            # object first, then the box, one plane each
            order = [4, 0, 1, 2, 3, *range(BOX_AND_OBJECT, grids[0].shape[2])]
            return np.ascontiguousarray(grids[0][..., order].transpose(2, 0, 1)).reshape(-1)
        return np.concatenate([grid.reshape(-1) for grid in grids])

    def _grid(self, stride: int) -> tuple[int, int]:
        return self._size[0] // stride, self._size[1] // stride

    def _thing(self, random: Random, number: int) -> _Thing:
        return _Thing(
            x=random.random(),
            y=random.random(),
            dx=random.uniform(-0.02, 0.02),
            dy=random.uniform(-0.008, 0.008),
            first=random.randrange(40),
            frames=random.randrange(10, 80),
            sure=random.uniform(0.3, 0.97),
            log_w=random.uniform(-0.5, 1.4),
            log_h=random.uniform(-0.2, 1.8),
            kind=CLASSES[number % len(CLASSES)],
        )

    def _draw(self, stride: int, frame: int, noise: np.random.Generator) -> Numbers:
        """float32 (rows, columns, x y w h object classes...): noise, and each thing in the cells around its middle."""
        columns, rows = self._grid(stride)
        cells = noise.random((rows, columns, BOX_AND_OBJECT + len(self._output.class_names)), np.float32)
        cells[..., :4] = 2 * cells[..., :4] - 1
        cells[..., 4:] *= np.float32(_FAINT)
        for thing in self._things:
            place = thing.at(frame)
            if place is not None:
                self._put(cells, thing, (place[0] * columns, place[1] * rows), noise)
        return cells

    def _put(self, cells: Numbers, thing: _Thing, middle: tuple[float, float], noise: np.random.Generator) -> None:
        """Nine cells claim the thing, the more so the nearer they are: something to suppress."""
        column, row = int(middle[0]), int(middle[1])
        for y in range(max(0, row - 1), min(cells.shape[0], row + 2)):
            for x in range(max(0, column - 1), min(cells.shape[1], column + 2)):
                jitter = noise.random(5)
                far = abs(x - column) + abs(y - row)
                cell = cells[y, x]
                cell[0] = middle[0] - x + 0.1 * jitter[0]
                cell[1] = middle[1] - y + 0.1 * jitter[1]
                cell[2] = thing.log_w + 0.1 * jitter[2]
                cell[3] = thing.log_h + 0.1 * jitter[3]
                cell[4] = max(0.0, min(1.0, thing.sure - 0.1 * far + 0.05 * jitter[4]))
                cell[BOX_AND_OBJECT + thing.kind] = 0.97
