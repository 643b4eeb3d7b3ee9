"""Messages between the hub and its workers, over one inherited socket pair per worker.

Invariant: imports neither numpy nor any native library, because a worker reads its orders before it is confined.
The hub's end is imported by its own name (`camera_edge.link.hub_end`): no worker needs asyncio.
"""

from camera_edge.link.messages import (
    ClipReady,
    EventChanged,
    EventPhase,
    Fault,
    FromWorker,
    Goodbye,
    Heartbeat,
    Hello,
    KeyFrame,
    ModuleProgress,
    Preview,
    PreviewPacket,
    Progress,
    Refresh,
    Start,
    Stop,
    ToWorker,
    WorkerState,
)
from camera_edge.link.worker_end import WorkerLink

__all__ = [
    "ClipReady",
    "EventChanged",
    "EventPhase",
    "Fault",
    "FromWorker",
    "Goodbye",
    "Heartbeat",
    "Hello",
    "KeyFrame",
    "ModuleProgress",
    "Preview",
    "PreviewPacket",
    "Progress",
    "Refresh",
    "Start",
    "Stop",
    "ToWorker",
    "WorkerLink",
    "WorkerState",
]
