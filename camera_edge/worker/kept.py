"""Keeps what modules learned on a live camera, so that it outlives the worker.

Invariant: a file is what a module's store held at one moment, whole; it lies in the camera's own spool folder and can
be read by its owner alone. What a module keeps is its own affair, and bounded by what it was granted; what the shipped
`normality` keeps of pictures is the empty scene, as clips show it in the clear too, and nothing of whoever passes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from camera_edge.durable import write_durably
from camera_edge.worker.plan import AnalyzerPlan, CameraPlan, state_bytes

log = logging.getLogger(__name__)

OWNER_ALONE = 0o600
SUFFIX = ".state"
# how a module is told that nobody gave it this state: one that it cannot use is to be forgotten, not complained about
KEPT_PARAM = ("camera.state", "kept")


class KeptStates:
    """The state files of one camera in `folder`. Used by one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[str, bytes] = {}

    def restore(self, plan: CameraPlan) -> CameraPlan:
        """The plan with what its modules kept; one that may keep nothing, or kept nothing, starts with nothing."""
        return replace(plan, analyzers=tuple(self._restored(each) for each in plan.analyzers))

    def save(self, states: Mapping[str, bytes]) -> None:
        """Write what has changed. A disk that cannot take it costs what was learned since, and is logged."""
        for name, state in states.items():
            if not state or self._written.get(name) == state:
                continue
            try:
                write_durably(self._path(name), state, mode=OWNER_ALONE)
            except OSError as exc:
                log.error("what was learned is not kept name=%s error=%s", name, exc)
                continue
            self._written[name] = state

    def _restored(self, plan: AnalyzerPlan) -> AnalyzerPlan:
        room = state_bytes(plan)
        if room == 0:
            return plan
        fallbacks = tuple(self._restored(each) for each in plan.fallbacks)
        params = dict([*plan.params.items(), KEPT_PARAM])
        return replace(plan, params=params, state=self._read(plan.name, room), fallbacks=fallbacks)

    def _read(self, name: str, room: int) -> bytes:
        try:
            state = self._path(name).read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as exc:
            log.error("what was learned cannot be read name=%s error=%s", name, exc)
            return b""
        # it was granted more when it was written
        return state if len(state) <= room else b""

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"
