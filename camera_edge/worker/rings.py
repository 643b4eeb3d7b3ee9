"""Puts a frame before the analyzers: each view is drawn once, into a ring that sandboxes map.

Invariant: a frame is in all its views or in none; where one ring has no free slot the new frame loses and is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from camera_edge.frames import PrivacyMask, Ring, Slot, View
from camera_edge.picture import Picture, ViewSpec


@dataclass(frozen=True, slots=True)
class Scenery:
    """What of a camera's picture is masked, and what its zones are; outlines in fractions of the picture."""

    privacy: PrivacyMask
    zones: Sequence[Sequence[tuple[float, float]]]


class Rings:
    """One ring for each view of pictures of one size. Capture writes, analysis releases."""

    def __init__(self, specs: Sequence[ViewSpec], width: int, height: int, scenery: Scenery) -> None:
        self.width = width
        self.height = height
        self._rings: dict[ViewSpec, Ring] = {}
        by_view: dict[View, Ring] = {}
        for spec in specs:
            view = View.fit(spec, width, height)
            if view not in by_view:
                by_view[view] = Ring(view, zones=scenery.privacy.zones_map(view, scenery.zones))
            self._rings[spec] = by_view[view]
        self._unique = list(by_view.values())

    def ring(self, spec: ViewSpec) -> Ring:
        return self._rings[spec]

    def write(self, picture: Picture, *, sequence: int, media_us: int) -> Mapping[Ring, Slot] | None:
        """Leases a slot in every ring. None: the frame is dropped."""
        slots: dict[Ring, Slot] = {}
        for ring in self._unique:
            slot = ring.write(picture, sequence=sequence, media_us=media_us)
            if slot is None:
                self.release(slots)
                return None
            slots[ring] = slot
        return slots

    def release(self, slots: Mapping[Ring, Slot]) -> None:
        for ring, slot in slots.items():
            ring.release(slot)

    def close(self) -> None:
        for ring in self._unique:
            ring.close()
