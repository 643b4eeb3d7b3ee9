"""Gives a shipped module what it asks for, so that it can be measured alone: a made-up detector where it wants a model.

Invariant: the made-up answer is the same in every run, and looks like one of YOLOX-Nano in a busy place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camera_edge.observation import Box
from camera_edge.sandbox import Grants, ModuleFile, Services

INPUT_PX = 416
CLASSES = 80
STRIDES = (8, 16, 32)
THINGS = 12
# x, y, w, h, object
_BOX = 5
_MODEL = "made_up"
# width and height in pixels of the model's input
_THING_PX = (24.0, 60.0)


@dataclass(frozen=True, slots=True)
class Provision:
    """All that a module asks for."""

    grants: Grants
    services: Services


def provide(module: ModuleFile) -> Provision:
    """A detector's answer costs nothing to make, so that what is measured is the module."""
    params: dict[str, str | float] = {}
    if any(name.startswith("onnx:") for name in module.manifest.capabilities):
        params = {
            "model": _MODEL,
            "model.decoder": "yolox",
            "model.classes": "\n".join(f"class {number}" for number in range(CLASSES)),
            "model.strides": ",".join(map(str, STRIDES)),
            "model.outputs": f"1x{_cells()}x{_BOX + CLASSES}",
            "model.fit": "letterbox",
            "model.width": float(INPUT_PX),
            "model.height": float(INPUT_PX),
        }
    answer = detector_answer().reshape(-1)

    def infer(_model: str, _region: Box) -> NDArray[np.float32]:
        return answer

    grants = Grants(module.manifest.grant_all(params), module.manifest.with_defaults(params))
    return Provision(grants, Services(infer=infer))


def detector_answer() -> NDArray[np.float32]:
    """A YOLOX output, cells × (5 + classes), float32: `THINGS` things, and next to nothing in all other cells.

    Modelled on YOLOX-Nano's answers to 25 frames of OpenCV's `vtest`, a busy place: of its 3,549 cells half have an
    objectness below 6e-6 and 9 of 10 below 0.015; 120 to 180 have one above 0.1, a dozen around each person, which the
    analyzer has to suppress. Class values are 0.001 in the median, 0.12 at the 99th percentile.
    """
    random = np.random.default_rng(7)
    rows = np.empty((_cells(), _BOX + CLASSES), np.float32)
    rows[:, :2] = random.normal(0.5, 1.0, (_cells(), 2))
    rows[:, 2:4] = random.normal(1.5, 0.7, (_cells(), 2))
    rows[:, 4] = np.minimum(5e-6 * np.exp(random.normal(0, 5.0, _cells())), 0.05)
    rows[:, _BOX:] = np.minimum(1e-3 * np.exp(random.normal(0, 2.0, (_cells(), CLASSES))), 0.4)
    # 4 columns and 3 rows of the part of the input where a letterboxed 16:9 picture lies, each a little aside
    width, height = INPUT_PX / 4, INPUT_PX * 9 / 16 / 3
    for number in range(THINGS):
        x, y = (
            (number % 4 + 0.5) * width + random.uniform(-20, 20),
            (number // 4 + 0.5) * height + random.uniform(-5, 5),
        )
        _put(rows, x, y, class_index=number % 3)
    return rows


def _put(rows: NDArray[np.float32], x: float, y: float, class_index: int) -> None:
    """A thing around (x, y), as the cells near it see it: 9 of the finest grid, 4 of the next."""
    first = 0
    for stride, reach in ((8, (-1, 0, 1)), (16, (0, 1))):
        columns = INPUT_PX // stride
        for down in reach:
            for aside in reach:
                column, row = int(x / stride) + aside, int(y / stride) + down
                cell = rows[first + row * columns + column]
                cell[:2] = x / stride - column, y / stride - row
                cell[2:4] = np.log(np.array(_THING_PX) / stride)
                cell[4] = 0.9 - 0.2 * (abs(aside) + abs(down))
                cell[_BOX + class_index] = 0.85
        first += columns * columns


def _cells() -> int:
    return sum((INPUT_PX // stride) ** 2 for stride in STRIDES)
