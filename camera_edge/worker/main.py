"""The worker process: takes its order, confines itself, then runs one camera and tells the hub.

Invariant: until it is confined it has one thread, and has imported neither numpy nor OpenCV nor any other library
that starts threads; the modules that need them are imported afterwards, here and nowhere else.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from camera_edge.address import split_host
from camera_edge.clock import SystemClock
from camera_edge.errors import CameraEdgeError, LinkError
from camera_edge.link import Fault, Goodbye, Hello, KeyFrame, Preview, Refresh, Start, Stop, WorkerLink
from camera_edge.worker.confine import confine, die_with, seal

if TYPE_CHECKING:
    from camera_edge.worker.live import LiveCamera
    from camera_edge.worker.plan import CameraPlan

log = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> int:
    """`CAMERA --link-fd N`, as the hub gives it. What this process prints ends in the hub's log."""
    parser = argparse.ArgumentParser(prog="camera-edge worker")
    parser.add_argument("camera")
    parser.add_argument("--link-fd", type=int, required=True)
    parsed = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format=f"{parsed.camera} %(name)s %(message)s")
    try:
        return run_worker(parsed.link_fd)
    except CameraEdgeError as exc:
        log.error("worker ended error=%s", exc)
        return exc.exit_code


def run_worker(link_fd: int) -> int:
    """Runs until the source ends, the hub says stop or goes away; returns the exit code."""
    with WorkerLink.from_fd(link_fd) as link:
        die_with(link.hub_pid)
        order = link.receive()
        if not isinstance(order, Start):
            raise LinkError("the hub's first message is no order to start")
        confinement = [*confine(*_needs(order)), seal()]
        link.start()
        try:
            ended = _run_camera(order, link, confinement)
        except CameraEdgeError as exc:
            link.send(Fault(exc.message if exc.where is None else f"{exc.where}: {exc.message}", exc.hint or ""))
            log.error("camera failed camera=%s error=%s", order.camera, exc)
            return exc.exit_code
        link.send(Goodbye(ended=ended))
    return 0


def _needs(order: Start) -> tuple[list[Path], list[Path], list[int]]:
    """What this camera reads, where it writes, and which TCP ports it connects to."""
    read = [Path(order.cache), Path(order.models), Path(order.modules)]
    write = [Path(order.spool)]
    address = order.settings.source
    target = split_host(address)
    if target is not None:
        return read, write, [target[1]]
    path = Path(address.removeprefix("v4l2:"))
    if path.is_char_device():
        write.append(path)
    elif path.exists():
        read.append(path)
    return read, write, []


def _run_camera(order: Start, link: WorkerLink, confinement: list[str]) -> bool:
    """Returns whether the source is over for good."""
    from camera_edge.capture import SourceOptions, open_source
    from camera_edge.clips import ClipFolder
    from camera_edge.inference import Registry
    from camera_edge.sandbox import Shelf
    from camera_edge.worker.assembly import Output, Sandboxing, assemble_camera
    from camera_edge.worker.kept import KeptStates
    from camera_edge.worker.live import LiveCamera
    from camera_edge.worker.plan import Supply, plan_camera

    stop = Event()
    clock = SystemClock()
    supply = Supply(Registry(Path(order.models)), Shelf(Path(order.modules)))
    kept = KeptStates(Path(order.spool))

    def plan() -> CameraPlan:
        return kept.restore(plan_camera(order.camera, order.settings, supply, may_lack=True))

    sandboxing = Sandboxing.of(Path(order.cache), read_only=True)
    folder = ClipFolder(Path(order.spool))
    folder.open()
    options = SourceOptions(wait=stop.wait, reconnect=True, clock=clock)
    source = open_source(order.settings.source, options)
    live = LiveCamera(source, clock, stop, link.send, kept.save)
    first = plan()
    with source:
        output = Output(folder, source.fingerprint(), live.clip_done)
        camera = assemble_camera(first, sandboxing, output, order.resume_number, live=True)
        link.send(Hello(os.getpid(), confinement, source.fingerprint()))
        Thread(target=_obey, args=(link, live, stop, plan), name="orders", daemon=True).start()
        assert camera.recorder is not None, "a worker always records"
        live.run(camera, camera.recorder)
    return live.ended


def _obey(link: WorkerLink, live: LiveCamera, stop: Event, plan: Callable[[], CameraPlan]) -> None:
    """Takes the hub's orders until it says stop, or is gone. `plan` makes the camera's plan anew."""
    try:
        while (order := link.receive()) is not None:
            match order:
                case Preview():
                    live.want_preview(order.wanted)
                case KeyFrame():
                    live.force_key()
                case Refresh():
                    live.renew(plan)
                case Stop():
                    break
    except LinkError as exc:
        log.error("the hub talks nonsense error=%s", exc)
    finally:
        stop.set()
