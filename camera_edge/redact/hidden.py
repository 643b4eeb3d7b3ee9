"""Says which parts of a picture are hidden.

Invariant: there is no value for "unknown": who does not know hides everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.bool_]


class Everything(Enum):
    """The whole picture is hidden: nothing of it may be shown, not even its average."""

    ALL = "all"


ALL: Final = Everything.ALL


@dataclass(frozen=True, slots=True, eq=False)
class HiddenMap:
    """The hidden cells of pictures of one size: bool (rows, cols), read-only; the last row and column may be narrower.

    `cell_px` is the side of a cell in luma pixels, an even number, so that chroma cells have whole pixels too.
    """

    width: int
    height: int
    cell_px: int
    cells: Cells

    def fits(self, width: int, height: int) -> bool:
        """Whether the map was made for pictures of this size."""
        return (self.width, self.height) == (width, height)

    def same_grid(self, other: HiddenMap) -> bool:
        return other.fits(self.width, self.height) and other.cell_px == self.cell_px

    def union(self, other: HiddenMap) -> HiddenMap:
        """What either hides; both must have the same grid."""
        if not self.same_grid(other):
            raise ValueError("maps of two picture sizes have no union")
        return HiddenMap(self.width, self.height, self.cell_px, read_only(self.cells | other.cells))

    @property
    def hidden_share(self) -> float:
        """The part of the cells that is hidden, 0..1."""
        return float(self.cells.mean())


Hidden = HiddenMap | Literal[Everything.ALL]


def read_only(cells: Cells) -> Cells:
    cells.flags.writeable = False
    return cells
