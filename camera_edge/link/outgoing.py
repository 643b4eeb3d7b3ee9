"""What a worker still has to send, and who loses when the hub reads too slowly.

Invariant: events, clips, faults and greetings are never dropped and keep their order; heartbeats and preview packets
are worth their newest only, so they never hold anything up.
"""

from __future__ import annotations

from collections import deque
from threading import Condition
from typing import Final

from camera_edge.errors import LinkError
from camera_edge.link.messages import FromWorker, Heartbeat, PreviewPacket

MAX_DURABLE: Final = 4096
MAX_PREVIEW_PACKETS: Final = 120
PATIENCE_S: Final = 10.0


class Outgoing:
    """Three bounded places, emptied in this order; thread safe.

    - Durable messages: at most `max_durable`. Where it is full `put` waits `patience_s`, then raises LinkError: the
      hub is dead, and what the spool folder holds is taken in by the next one.
    - One heartbeat: a newer one replaces it.
    - One group of preview pictures: a key frame replaces a group that is not sent yet; a group that grows beyond
      `MAX_PREVIEW_PACKETS` is dropped and the next key frame awaited. `preview_dropped` counts what was lost.
    """

    def __init__(self, *, max_durable: int = MAX_DURABLE, patience_s: float = PATIENCE_S) -> None:
        self._max_durable = max_durable
        self._patience_s = patience_s
        self._durable: deque[FromWorker] = deque()
        self._heartbeat: Heartbeat | None = None
        self._preview: deque[PreviewPacket] = deque()
        self._await_key = False
        self._closed = False
        self._changed = Condition()
        self.preview_dropped = 0

    def put(self, message: FromWorker) -> None:
        """Takes a message. Raises LinkError where the link is closed, or full of durable messages for too long."""
        with self._changed:
            if self._closed:
                raise LinkError("the link to the hub is closed")
            match message:
                case Heartbeat():
                    self._heartbeat = message
                case PreviewPacket():
                    self._put_preview(message)
                case _:
                    self._put_durable(message)
            self._changed.notify_all()

    def take(self) -> FromWorker | None:
        """The next message to send, waiting for one; None when closed and everything durable is taken."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting())
            if self._durable:
                message = self._durable.popleft()
                self._changed.notify_all()
                return message
            if self._closed:
                return None
            if self._heartbeat is not None:
                heartbeat, self._heartbeat = self._heartbeat, None
                return heartbeat
            return self._preview.popleft()

    def close(self) -> None:
        """No more messages; `take` still hands out the durable ones."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _waiting(self) -> bool:
        return bool(self._durable or self._heartbeat or self._preview)

    def _put_durable(self, message: FromWorker) -> None:
        has_room = self._changed.wait_for(
            lambda: self._closed or len(self._durable) < self._max_durable, timeout=self._patience_s
        )
        if not has_room or self._closed:
            raise LinkError(f"the hub has read nothing for {self._patience_s:g} s")
        self._durable.append(message)

    def _put_preview(self, packet: PreviewPacket) -> None:
        if packet.key:
            self._drop_preview()
            self._await_key = False
        elif len(self._preview) >= MAX_PREVIEW_PACKETS:
            self._drop_preview()
            self._await_key = True
        if self._await_key:
            self.preview_dropped += 1
            return
        self._preview.append(packet)

    def _drop_preview(self) -> None:
        self.preview_dropped += len(self._preview)
        self._preview.clear()
