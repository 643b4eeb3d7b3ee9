"""What analyzers say about one frame: values, without pixels.

Invariant: numbers are finite and boxes lie inside 0..1; what a guest says is checked before it becomes one of these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # an event has a box and crosses the link, which the hub reads without numpy
    import numpy as np
    from numpy.typing import NDArray

NO_TRACK = -1

HIDDEN_ONLY = 64
"""In a mask: hidden, but no foreground."""

AttributeValue = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in fractions of the picture, from its top left corner."""

    x: float
    y: float
    w: float
    h: float

    @property
    def sides(self) -> tuple[float, float, float, float]:
        """Left, top, width, height, as records and JSON carry them."""
        return self.x, self.y, self.w, self.h

    @property
    def bottom_centre(self) -> tuple[float, float]:
        """Where the thing stands: the point that zones are tested with."""
        return self.x + self.w / 2, self.y + self.h


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that one analyzer saw in one frame."""

    analyzer: str
    kind: str
    score: float
    box: Box
    track: int = NO_TRACK
    attributes: dict[str, AttributeValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Score:
    """One number for one frame; `lag` counts analysed frames back (0: this frame)."""

    analyzer: str
    value: float
    lag: int = 0


@dataclass(frozen=True, slots=True)
class Mask:
    """What one analyzer wants hidden in a view: uint8 (height, width), 0 = background, `HIDDEN_ONLY`: no foreground."""

    analyzer: str
    pixels: NDArray[np.uint8]

    @property
    def foreground(self) -> NDArray[np.uint8]:
        """What the analyzer found: the mask without what is hidden around it. Never what redaction goes by."""
        found = self.pixels.copy()
        found[found == HIDDEN_ONLY] = 0
        return found


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen in one analysed frame.

    `answered` names the analyzers that gave a complete answer for this very frame. An analyzer that is not in it
    has failed or was late: its silence is not "nothing seen".
    """

    frame: int
    media_us: int
    observations: tuple[Observation, ...] = ()
    masks: tuple[Mask, ...] = ()
    scores: tuple[Score, ...] = ()
    answered: frozenset[str] = frozenset()
