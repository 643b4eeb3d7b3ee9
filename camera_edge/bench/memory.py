"""What one more camera costs in memory: real workers under a real hub, measured by the kernel's own account.

PSS (proportional set size, proc_pid_smaps(5)) shares out what several processes map, so the PSS of one of four workers
is what a fourth camera adds.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from statistics import mean

from camera_edge.clock import SystemClock
from camera_edge.config import Config
from camera_edge.errors import CameraEdgeError
from camera_edge.hub import Hub

_MB = 1000 * 1000


async def pss_per_camera(clip: Path, state: Path, *, cameras: int = 4, settle_s: float = 12.0) -> float:
    """Mean PSS in MB of `cameras` workers that each play `clip` with `motion` and open no event."""
    quiet = {"never": {"kinds": ["nothing"]}}
    config = Config.model_validate(
        {
            "version": 1,
            "state": str(state),
            "web": {"listen": "127.0.0.1:0"},
            "cameras": {f"camera{n}": {"source": str(clip), "rules": quiet} for n in range(cameras)},
        }
    )
    hub = Hub(config, SystemClock())
    stop = asyncio.Event()
    running = asyncio.create_task(hub.run(stop))
    try:
        await asyncio.wait([running], timeout=settle_s)
        if running.done():
            running.result()
            raise CameraEdgeError("the hub ended before it could be measured")
        values = [pss_bytes(pid) for pid in child_pids()]
    finally:
        stop.set()
        await running
    if len(values) < cameras:
        raise CameraEdgeError(f"only {len(values)} of {cameras} workers ran")
    return mean(values) / _MB


def child_pids() -> list[int]:
    """The processes that this one's main thread has started: here, the workers."""
    pid = os.getpid()
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def pss_bytes(pid: int) -> int:
    """Proportional set size of a process."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise CameraEdgeError(f"the kernel gives no PSS of process {pid}")
