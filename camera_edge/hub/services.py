"""Answers what the web page asks, out of the store and the cameras.

Invariant: queries only read; the store's writer is another connection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from camera_edge import __version__
from camera_edge.clock import Clock
from camera_edge.hub.camera import CameraRun
from camera_edge.link import ModuleProgress
from camera_edge.store import ClipState, EventRow, Store
from camera_edge.web import CameraStatus, ClipPart, Counter, HubStatus, ModuleStatus, Whep
from camera_edge.web import EventRow as WebEventRow


class HubServices:
    """`WebServices` as the hub gives them; in the event loop's thread."""

    def __init__(self, state: Path, reader: Store, cameras: Mapping[str, CameraRun], clock: Clock) -> None:
        self._state = state
        self._reader = reader
        self._cameras = cameras
        self._clock = clock
        self._started_utc_ns = clock.utc_ns()

    def events(self, limit: int, kind: str | None = None) -> Sequence[WebEventRow]:
        return [_web_row(row) for row in self._reader.events(limit=limit, kind=kind)]

    def clip_path(self, event_id: str, part: ClipPart) -> Path | None:
        row = self._reader.event(event_id)
        if row is None or row.clip is None or row.clip.state is not ClipState.STORED:
            return None
        clip = row.clip
        file = {ClipPart.CLIP: clip.clip, ClipPart.SNAPSHOT: clip.snapshot, ClipPart.METADATA: clip.metadata}[part]
        return None if file is None else self._state / file.path

    def status(self) -> HubStatus:
        return HubStatus(
            version=__version__,
            started_utc_ns=self._started_utc_ns,
            now_utc_ns=self._clock.utc_ns(),
            cameras=tuple(_status(camera) for camera in self._cameras.values()),
        )

    def whep(self, camera: str) -> Whep | None:
        found = self._cameras.get(camera)
        return None if found is None else found.fanout


def _web_row(row: EventRow) -> WebEventRow:
    clip = row.clip if row.clip is not None and row.clip.state is ClipState.STORED else None
    event = row.event
    return WebEventRow(
        id=event.id,
        camera=event.camera,
        rule=event.rule,
        kind=event.kind,
        analyzer=event.analyzer,
        score=event.score,
        opened_utc_ns=row.opened_utc_ns,
        closed_utc_ns=row.closed_utc_ns,
        zones=event.zones,
        why=event.why,
        box=event.box,
        has_clip=clip is not None and clip.clip is not None,
        has_snapshot=clip is not None and clip.snapshot is not None,
    )


def _status(camera: CameraRun) -> CameraStatus:
    report, progress, preview = camera.report, camera.report.progress, camera.fanout.counters
    counters = (
        Counter("frames", progress.frames),
        Counter("analysed", progress.analysed),
        Counter("dropped", progress.dropped),
        Counter("events", progress.events),
        Counter("clips", progress.clips),
        Counter("traps", progress.traps),
        Counter("reconnects", progress.reconnects),
        Counter("egress_bytes", progress.egress_bytes),
        Counter("restarts", camera.supervisor.restarts),
        Counter("hangs", camera.supervisor.hangs),
        Counter("viewers", camera.fanout.viewers),
        Counter("preview_packets", preview.packets_published),
        Counter("preview_lost", preview.packets_lost + progress.preview_dropped),
        Counter("preview_bytes", preview.bytes_taken),
    )
    message = "; ".join(filter(None, (report.message, *progress.quarantined, *progress.waiting)))
    modules = tuple(_module(each) for each in progress.modules)
    return CameraStatus(camera.name, camera.is_live, report.state, message, counters, report.confinement, modules)


def _module(progress: ModuleProgress) -> ModuleStatus:
    counters = (
        Counter("calls", progress.calls),
        Counter("answers", progress.answers),
        Counter("faults", progress.faults),
        Counter("restarts", progress.restarts),
        Counter("wakes", progress.wakes),
        Counter("skipped", progress.skipped),
        Counter("copied", progress.copied),
        Counter("refused", progress.refused),
        Counter("fuel", progress.fuel),
    )
    return ModuleStatus(progress.name, progress.version, progress.asleep, counters, progress.metrics)
