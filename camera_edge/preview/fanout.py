"""Gives one camera's encoded, redacted pictures to everyone who looks in.

Invariant: nothing is asked of the worker while nobody looks; a slow viewer costs the others nothing.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from camera_edge.clock import Clock, SystemClock
from camera_edge.errors import CameraEdgeError
from camera_edge.preview.keyframes import KeyFrameRequests
from camera_edge.preview.offer import answerable
from camera_edge.preview.packets import LivePacket, PacketQueue, StampedPacket, Timeline
from camera_edge.preview.viewer import Viewer, ViewerEvents


class PreviewBusyError(CameraEdgeError):
    """No further viewer is taken now."""


@dataclass(frozen=True, slots=True)
class PreviewPolicy:
    """What an operator may set.

    ice_addresses: the addresses of this machine that viewers reach the preview at.
    queue_packets: what one viewer may be behind before it starts again at a key frame.
    connect_within_s: a session that is not connected by then is closed. A connected one that goes silent is closed
    when its consent runs out (RFC 7675; aioice: after 6 unanswered checks, about 30 s).
    key_frame_interval_s: the encoder is asked for key frames no more often.
    """

    ice_addresses: tuple[str, ...] = ("127.0.0.1",)
    max_viewers: int = 8
    queue_packets: int = 60
    connect_within_s: float = 15.0
    key_frame_interval_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Session:
    """One viewer's session; `etag` names its ICE credentials (WHEP), without quotes."""

    id: str
    answer_sdp: str
    etag: str


@dataclass(frozen=True, slots=True)
class PreviewCounters:
    """Since the start. `bytes_taken` is encoded video handed to viewers, summed over them, before RTP and SRTP."""

    sessions: int
    sessions_expired: int
    packets_published: int
    packets_lost: int
    key_frames_requested: int
    bytes_taken: int


@dataclass(slots=True)
class _Seat:
    """A viewer in its place; `playing` once it can receive."""

    viewer: Viewer
    etag: str
    expiry: asyncio.TimerHandle
    playing: bool = False


class Fanout:
    """One camera's viewers. All methods belong to the event loop's thread.

    `on_wanted(True)` is called when the first viewer can receive, `on_wanted(False)` when the last one is gone;
    `on_key_frame()` when the encoder should start a new group of pictures. Both must not block.
    """

    def __init__(
        self,
        camera: str,
        on_wanted: Callable[[bool], None],
        on_key_frame: Callable[[], None],
        policy: PreviewPolicy | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.camera = camera
        self._on_wanted = on_wanted
        self._on_key_frame = on_key_frame
        self._policy = policy or PreviewPolicy()
        self._clock = clock or SystemClock()
        self._seats: dict[str, _Seat] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._timeline = Timeline()
        self._requests = KeyFrameRequests(self._policy.key_frame_interval_s)
        self._wanted = False
        self._closed = False
        self._total = PreviewCounters(0, 0, 0, 0, 0, 0)

    @property
    def viewers(self) -> int:
        """How many can receive now."""
        return sum(seat.playing for seat in self._seats.values())

    @property
    def counters(self) -> PreviewCounters:
        tracks = [seat.viewer.track for seat in self._seats.values()]
        return replace(
            self._total,
            packets_lost=self._total.packets_lost + sum(track.lost for track in tracks),
            bytes_taken=self._total.bytes_taken + sum(track.bytes_taken for track in tracks),
        )

    def publish(self, packet: LivePacket) -> None:
        """Hand a packet to every viewer; each one that falls behind loses its own queue (`PacketQueue`)."""
        now_ns = self._clock.monotonic_ns()
        stamped = StampedPacket(packet, self._timeline.ticks(packet.pts_us, now_ns=now_ns))
        self._total = replace(self._total, packets_published=self._total.packets_published + 1)
        for seat in self._seats.values():
            seat.viewer.track.put(stamped)
        if any(seat.viewer.track.needs_key for seat in self._seats.values()):
            self._request_key_frame()

    async def answer(self, offer_sdp: str) -> Session:
        """Open a session for a viewer's offer (WHEP); the answer holds every candidate there will be.

        OfferError: the offer cannot be answered. PreviewBusyError: every place is taken, or the preview is closed.
        OutputError: none of the configured addresses can be bound.
        """
        offer = answerable(offer_sdp)
        session_id, seat = self._seat()
        try:
            answer = await seat.viewer.answer(offer, self._policy.ice_addresses)
        except CameraEdgeError:
            await self.close_session(session_id)
            raise
        self._total = replace(self._total, sessions=self._total.sessions + 1)
        return Session(session_id, answer, seat.etag)

    def etag(self, session_id: str) -> str | None:
        """The session's entity tag, or None when there is no such session."""
        seat = self._seats.get(session_id)
        return seat.etag if seat else None

    async def close_session(self, session_id: str) -> bool:
        """End a session; False when there is no such session (any more)."""
        task = self._leave(session_id)
        if task is None:
            return False
        await task
        return True

    async def close(self) -> None:
        """End every session and take no further one; idempotent."""
        self._closed = True
        for session_id in list(self._seats):
            self._leave(session_id)
        await asyncio.gather(*self._leaving)

    def _seat(self) -> tuple[str, _Seat]:
        if self._closed:
            raise PreviewBusyError("the preview is closing", where=self.camera)
        if len(self._seats) >= self._policy.max_viewers:
            raise PreviewBusyError(
                f"every place is taken ({self._policy.max_viewers})",
                where=self.camera,
                hint="close another page and try again",
            )
        session_id = secrets.token_urlsafe(16)
        events = ViewerEvents(
            playing=partial(self._play, session_id),
            key_frame=self._request_key_frame,
            gone=partial(self._gone, session_id),
        )
        viewer = Viewer(PacketQueue(self._policy.queue_packets), events)
        expiry = asyncio.get_running_loop().call_later(self._policy.connect_within_s, self._expire, session_id)
        seat = self._seats[session_id] = _Seat(viewer, secrets.token_hex(8), expiry)
        return session_id, seat

    def _play(self, session_id: str) -> None:
        seat = self._seats.get(session_id)
        if seat is None:
            return
        seat.playing = True
        seat.expiry.cancel()
        self._tell_wanted()
        self._request_key_frame()

    def _expire(self, session_id: str) -> None:
        self._total = replace(self._total, sessions_expired=self._total.sessions_expired + 1)
        self._leave(session_id)

    def _gone(self, session_id: str) -> None:
        self._leave(session_id)

    def _leave(self, session_id: str) -> asyncio.Task[None] | None:
        """Take the viewer out at once; the task it gives closes its connection."""
        seat = self._seats.pop(session_id, None)
        if seat is None:
            return None
        seat.expiry.cancel()
        track = seat.viewer.track
        self._total = replace(
            self._total,
            packets_lost=self._total.packets_lost + track.lost,
            bytes_taken=self._total.bytes_taken + track.bytes_taken,
        )
        self._tell_wanted()
        task = asyncio.create_task(seat.viewer.close(), name=f"preview-leave-{self.camera}")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        return task

    def _tell_wanted(self) -> None:
        wanted = self.viewers > 0
        if wanted != self._wanted:
            self._wanted = wanted
            self._on_wanted(wanted)

    def _request_key_frame(self) -> None:
        if self._requests.allow(now_ns=self._clock.monotonic_ns()):
            self._total = replace(self._total, key_frames_requested=self._total.key_frames_requested + 1)
            self._on_key_frame()
