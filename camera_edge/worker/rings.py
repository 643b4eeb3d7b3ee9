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
    """One ring for each view of pictures of one size. Capture writes, analysis releases.

    `changed` gives those of another lineup, which share the rings of views that both have.
    """

    def __init__(
        self, specs: Sequence[ViewSpec], width: int, height: int, scenery: Scenery, before: Rings | None = None
    ) -> None:
        """`before`: rings to go on with."""
        self.width = width
        self.height = height
        self._scenery = scenery
        self._rings: dict[ViewSpec, Ring] = {}
        known = {ring.view: ring for ring in before._unique} if before is not None else {}
        by_view: dict[View, Ring] = {}
        for spec in specs:
            view = View.fit(spec, self.width, self.height)
            if view not in by_view:
                by_view[view] = known.get(view) or Ring(view, zones=scenery.privacy.zones_map(view, scenery.zones))
            self._rings[spec] = by_view[view]
        self._unique: list[Ring] = list(by_view.values())

    def changed(self, specs: Sequence[ViewSpec]) -> Rings:
        return Rings(specs, self.width, self.height, self._scenery, self)

    def close(self) -> None:
        self.close_but(())

    def close_but(self, kept: Sequence[Rings]) -> None:
        """Closes the rings that are in none of `kept`."""
        shared = {id(ring) for rings in kept for ring in rings._unique}
        for ring in self._unique:
            if id(ring) not in shared:
                ring.close()

    def ring(self, spec: ViewSpec) -> Ring:
        return self._rings[spec]

    def find(self, spec: ViewSpec) -> Ring | None:
        """The ring of this view, where there is one."""
        view = View.fit(spec, self.width, self.height)
        return next((ring for ring in self._unique if ring.view == view), None)

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
