"""The worker's end of the link: blocking reads for one thread, sends from any.

Invariant: no thread exists before `start()`, so that a worker can read its orders and confine itself first.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from threading import Thread
from typing import Final

from camera_edge.errors import LinkError
from camera_edge.link.framing import HEADER, body_length, frame, to_worker
from camera_edge.link.messages import FromWorker, ToWorker
from camera_edge.link.outgoing import Outgoing

FLUSH_S: Final = 10.0
STARTED_BY_HUB: Final = "a worker is started by `camera-edge run`"


class WorkerLink:
    """Owns the inherited socket. See `Outgoing` for who loses when the hub reads too slowly."""

    def __init__(self, sock: socket.socket, outgoing: Outgoing | None = None) -> None:
        self._sock = sock
        self._outgoing = outgoing or Outgoing()
        self._sender: Thread | None = None
        self._closed = False

    @classmethod
    def from_fd(cls, fd: int) -> WorkerLink:
        """Takes over the descriptor that the hub handed down. Raises LinkError where it is no stream socket."""
        try:
            sock = socket.socket(fileno=fd)
        except OSError as exc:
            raise LinkError(f"descriptor {fd} is no link to a hub: {exc.strerror}", hint=STARTED_BY_HUB) from exc
        if sock.family != socket.AF_UNIX or sock.type != socket.SOCK_STREAM:
            sock.detach()
            raise LinkError(f"descriptor {fd} is no link to a hub", hint=STARTED_BY_HUB)
        sock.setblocking(True)
        sock.set_inheritable(False)
        return cls(sock)

    @property
    def hub_pid(self) -> int:
        """Process id of the one that made the socket pair."""
        credentials = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", credentials)[0])

    @property
    def preview_dropped(self) -> int:
        return self._outgoing.preview_dropped

    def receive(self) -> ToWorker | None:
        """The next order, waiting for it; None when the hub is gone or the link is closed.

        One thread only. Raises LinkError on bytes that are no message.
        """
        header = self._read(HEADER.size)
        if not header:
            return None
        body = self._read(body_length(header))
        return to_worker.parse(body) if body else None

    def start(self) -> None:
        """Starts the thread that sends; what was put before is sent now."""
        if self._sender is None:
            self._sender = Thread(target=self._send_all, name="link-sender", daemon=True)
            self._sender.start()

    def send(self, message: FromWorker) -> None:
        """Puts a message on its way without waiting for the hub. Raises LinkError as `Outgoing.put` does."""
        self._outgoing.put(message)

    def close(self) -> None:
        """Sends what must not be lost, for at most ten seconds, and closes the socket. Wakes `receive`."""
        if self._closed:
            return
        self._closed = True
        self.start()
        self._outgoing.close()
        if self._sender is not None:
            self._sender.join(FLUSH_S)
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def __enter__(self) -> WorkerLink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send_all(self) -> None:
        while (message := self._outgoing.take()) is not None:
            try:
                self._sock.sendall(frame(message))
            except OSError:
                # the hub is gone: `receive` gives None, and later sends are refused
                self._outgoing.close()
                return

    def _read(self, length: int) -> bytes:
        """Exactly `length` bytes, or nothing at the end of the stream."""
        chunks = bytearray()
        while len(chunks) < length:
            try:
                chunk = self._sock.recv(min(length - len(chunks), 1 << 20))
            except OSError:
                return b""
            if not chunk:
                return b""
            chunks += chunk
        return bytes(chunks)
