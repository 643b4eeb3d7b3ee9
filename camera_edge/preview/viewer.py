"""One viewer: a peer connection that is given encoded pictures and sends them on.

Invariant: nothing is encoded or decoded here, nothing is received but the viewer's own control packets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpCodecCapability,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError, OperationError
from aiortc.mediastreams import MediaStreamError
from av.packet import Packet
from av.stream import Stream

from camera_edge.preview.ice import gather
from camera_edge.preview.offer import OfferError
from camera_edge.preview.packets import TICKS_PER_S, PacketQueue, StampedPacket

_TIME_BASE = Fraction(1, TICKS_PER_S)


class LiveTrack(MediaStreamTrack):
    """The pictures of one viewer, as aiortc's sender asks for them: already encoded."""

    kind = "video"

    def __init__(self, queue: PacketQueue, on_playing: Callable[[], None]) -> None:
        super().__init__()
        self._queue = queue
        self._on_playing = on_playing
        self._arrived = asyncio.Event()
        self._playing = False
        self.bytes_taken = 0

    def put(self, stamped: StampedPacket) -> None:
        """Queue a packet; what comes before the viewer can receive is left out."""
        if self._playing:
            self._queue.put(stamped)
            self._arrived.set()

    @property
    def needs_key(self) -> bool:
        return self._playing and self._queue.needs_key

    @property
    def lost(self) -> int:
        return self._queue.lost

    async def recv(self) -> Packet[Stream]:
        """The next packet. The sender's first call means that the viewer is connected and can receive."""
        if not self._playing:
            self._playing = True
            self._on_playing()
        while self.readyState == "live":
            stamped = self._queue.take()
            if stamped is not None:
                self.bytes_taken += len(stamped.packet.data)
                return _av_packet(stamped)
            self._arrived.clear()
            await self._arrived.wait()
        raise MediaStreamError


def _av_packet(stamped: StampedPacket) -> Packet[Stream]:
    packet: Packet[Stream] = Packet(stamped.packet.data)
    packet.pts = packet.dts = stamped.ticks
    packet.time_base = _TIME_BASE
    packet.is_keyframe = stamped.packet.key
    return packet


def _h264() -> list[RTCRtpCodecCapability]:
    """H.264 alone, constrained baseline first, with retransmission."""
    codecs = RTCRtpSender.getCapabilities("video").codecs
    h264 = [codec for codec in codecs if codec.mimeType.lower() == "video/h264"]
    h264.sort(key=lambda codec: codec.parameters.get("profile-level-id") != "42e01f")
    return h264 + [codec for codec in codecs if codec.mimeType.lower() == "video/rtx"]


@dataclass(frozen=True, slots=True)
class ViewerEvents:
    """Who is told when the viewer can receive, asks for a key frame, and is gone."""

    playing: Callable[[], None]
    key_frame: Callable[[], None]
    gone: Callable[[], None]


class Viewer:
    """Owns one peer connection; `close` is idempotent."""

    def __init__(self, queue: PacketQueue, events: ViewerEvents) -> None:
        self.track = LiveTrack(queue, events.playing)
        self._events = events
        # an explicit empty list: without one aiortc asks a public STUN server
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))

    @property
    def connected(self) -> bool:
        return self._peer.connectionState == "connected"

    async def answer(self, offer_sdp: str, addresses: tuple[str, ...]) -> str:
        """The answer to an offer that `offer.answerable` let through, with all our candidates in it.

        OfferError: nothing in common with the viewer, or the viewer was closed meanwhile.
        """
        transceiver = self._peer.addTransceiver(self.track, direction="sendonly")
        # afterwards it would be ignored, and VP8 negotiated
        transceiver.setCodecPreferences(_h264())
        self._hear_picture_loss(transceiver.sender)
        self._peer.on("connectionstatechange", self._on_state)
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(sdp=offer_sdp, type="offer"))
            for other in self._peer.getTransceivers():
                if other is not transceiver:
                    other.direction = "inactive"
            await gather(self._peer, addresses)
            await self._peer.setLocalDescription()
        except (OperationError, InvalidStateError, ValueError) as exc:
            raise OfferError(f"the offer cannot be answered: {exc}", hint="offer H.264 video as recvonly") from exc
        return str(self._peer.localDescription.sdp)

    async def close(self) -> None:
        await self._peer.close()
        # aiortc's sender stops the track only if it was started
        self.track.stop()

    def _hear_picture_loss(self, sender: RTCRtpSender) -> None:
        """Pass PLI and FIR on: aiortc gives them to its own encoder only, which packets go around."""
        sender._send_keyframe = self._events.key_frame  # type: ignore[method-assign]

    def _on_state(self) -> None:
        if self._peer.connectionState in ("failed", "closed"):
            self._events.gone()
