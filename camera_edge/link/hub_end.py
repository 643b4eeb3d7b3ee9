"""The hub's end of the link, for asyncio.

Invariant: a worker that does not read its orders is an error, not a growing buffer.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Final

from camera_edge.errors import LinkError
from camera_edge.link.framing import HEADER, body_length, frame, from_worker
from camera_edge.link.messages import FromWorker, ToWorker

MAX_BACKLOG_BYTES: Final = 1 << 20


class HubLink:
    """One worker's messages, in order. Reading waits, so a worker that floods is slowed down, not buffered."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    @classmethod
    def pair(cls) -> tuple[HubLink, socket.socket]:
        """The hub's end and the socket to hand down to the worker. The caller closes the socket after that."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        return cls(mine), theirs

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_unix_connection(sock=self._sock)

    async def receive(self) -> FromWorker | None:
        """The next message, or None at the end of the stream (also in the middle of a message: the worker died).

        Raises LinkError on bytes that are no message.
        """
        if self._reader is None:
            return None
        try:
            header = await self._reader.readexactly(HEADER.size)
            body = await self._reader.readexactly(body_length(header))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return from_worker.parse(body)

    def send(self, message: ToWorker) -> None:
        """Sends without waiting; a worker that is gone loses it. Raises LinkError where it does not read."""
        if self._writer is None or self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > MAX_BACKLOG_BYTES:
            raise LinkError("the worker does not read its messages")
        self._writer.write(frame(message))

    async def close(self) -> None:
        writer, self._writer, self._reader = self._writer, None, None
        if writer is None:
            self._sock.close()
            return
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
