"""One running worker process and the hub's end of its link.

Invariant: what is started here is reaped here; a worker is killed by its own process id while it is still our child.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from camera_edge.errors import LinkError
from camera_edge.hub.program import environment, log_lines
from camera_edge.link import FromWorker, Start, ToWorker
from camera_edge.link.hub_end import HubLink

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerProgram:
    """How a worker is started: `command CAMERA --link-fd N`, with `home` as its home folder."""

    command: Sequence[str]
    home: Path


class WorkerProcess:
    """Owns process, link and the task that logs what the process prints."""

    def __init__(self, process: asyncio.subprocess.Process, link: HubLink, printing: asyncio.Task[int]) -> None:
        self._process = process
        self._link = link
        self._printing = printing

    @classmethod
    async def start(cls, program: WorkerProgram, order: Start, source: str) -> WorkerProcess:
        """Starts the worker and gives it its order. Raises LinkError where the program cannot be started.

        source: the camera's address with its credentials, so that they can be kept out of the log.
        """
        link, theirs = HubLink.pair()
        fd = theirs.fileno()
        try:
            process = await asyncio.create_subprocess_exec(
                *program.command,
                order.camera,
                "--link-fd",
                str(fd),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=(fd,),
                env=environment(program.home),
                cwd="/",
                # Ctrl-C in a terminal is for the hub, which tells its workers to finish
                process_group=0,
            )
        except OSError as exc:
            await link.close()
            raise LinkError(f"the worker cannot be started: {exc.strerror}", where=program.command[0]) from exc
        finally:
            theirs.close()
        assert process.stderr is not None
        printing = asyncio.create_task(
            log_lines(process.stderr, name=order.camera, source=source), name=f"stderr-{order.camera}"
        )
        worker = cls(process, link, printing)
        try:
            await link.open()
            link.send(order)
        except BaseException:
            await worker.close()
            raise
        log.info("worker started camera=%s pid=%d", order.camera, process.pid)
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    async def receive(self) -> FromWorker | None:
        """The next message; None when there will be none. Raises LinkError on bytes that are no message."""
        return await self._link.receive()

    def send(self, message: ToWorker) -> None:
        """Sends without waiting. A worker that does not read its orders is killed."""
        try:
            self._link.send(message)
        except LinkError as exc:
            log.error("worker killed pid=%d reason=%s", self.pid, exc)
            self.kill()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def wait(self) -> int:
        """Waits for the process; returns its exit code, or the negative number of the signal that ended it."""
        return await self._process.wait()

    async def close(self) -> int:
        """Ends the process if it still runs, reaps it, closes everything; returns what `wait` does."""
        if self._process.returncode is None:
            self.kill()
        code = await self._process.wait()
        await self._link.close()
        await self._printing
        return code
