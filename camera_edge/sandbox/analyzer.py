"""Runs one pixel analyzer on the frames of one camera.

Invariant: that of `tenant.py`; what it says of a frame is an `Answer`.
"""

from __future__ import annotations

from camera_edge.sandbox.answer import Answer, Draft
from camera_edge.sandbox.guest import Guest
from camera_edge.sandbox.quarantine import Policy
from camera_edge.sandbox.ringmap import RingMap
from camera_edge.sandbox.runtime import Program
from camera_edge.sandbox.services import Grants, Services
from camera_edge.sandbox.slot import read_slot
from camera_edge.sandbox.tenant import Tenant


class Analyzer(Tenant):
    """A module that sees frames. `ring` must stay open as long as the analyzer is."""

    def __init__(
        self, program: Program, grants: Grants, services: Services, ring: RingMap, policy: Policy | None = None
    ) -> None:
        super().__init__(program, grants, services, ring, policy)
        self._ring = ring

    def analyze(self, slot_offset: int, frame: int, media_us: int) -> Answer | None:
        """The answer for the frame in the slot at `slot_offset`, or None: it failed, or is in quarantine.

        Opens the analyzer, or wakes it, where that is needed; raises ModuleError only where it was never open.
        """
        return self._ask(frame, media_us, lambda guest: self._answer(guest, slot_offset))

    def _answer(self, guest: Guest, slot_offset: int) -> Answer:
        slot = read_slot(self._ring, slot_offset)
        draft = Draft(self._program.manifest, slot.width, slot.height)
        used = self._put(guest, draft, lambda: guest.analyze(slot_offset))
        return Answer(
            observations=tuple(draft.observations),
            mask=draft.mask,
            scores=tuple(draft.scores),
            logs=self._host.take_logs(),
            metrics=self._host.take_metrics(),
            fuel=used,
            refused=draft.refused,
        )
