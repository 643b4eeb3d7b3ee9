"""Runs one rule module on what others saw in front of one camera.

Invariant: that of `tenant.py`; no pixel comes here, and what it says to a batch is a `Ruling`.
"""

from __future__ import annotations

from camera_edge.sandbox.batch import INBOX_BYTES, Batch, events_told
from camera_edge.sandbox.guest import Guest, Inbox
from camera_edge.sandbox.quarantine import Policy
from camera_edge.sandbox.ruling import Ruling, RulingDraft
from camera_edge.sandbox.runtime import Program
from camera_edge.sandbox.services import Grants, Services
from camera_edge.sandbox.tenant import Tenant


class RuleModule(Tenant):
    """A module that sees observations and events of other modules."""

    def __init__(self, program: Program, grants: Grants, policy: Policy | None = None) -> None:
        super().__init__(program, grants, Services(), Inbox(INBOX_BYTES), policy)

    def observe(self, batch: Batch) -> Ruling | None:
        """What it says to the batch, or None: it failed, or is in quarantine. Raises as `Analyzer.analyze` does."""
        return self._ask(batch.sequence, batch.media_us, lambda guest: self._rule(guest, batch))

    def _rule(self, guest: Guest, batch: Batch) -> Ruling:
        draft = RulingDraft(self._program.manifest)

        def told(address: int) -> bytes:
            data = batch.encode(address)
            draft.events = events_told(data)
            return data

        used = self._put(guest, draft, lambda: guest.observe(told))
        return Ruling(
            raised=tuple(draft.raised),
            vetoed=frozenset(draft.vetoed),
            relabelled=tuple(draft.relabelled.values()),
            logs=self._host.take_logs(),
            metrics=self._host.take_metrics(),
            fuel=used,
            refused=draft.refused,
        )
