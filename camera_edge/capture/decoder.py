"""Decodes the packets of one stream, for the first time or again.

Invariant: a damaged packet never raises; it is counted and decoding goes on. One thread, so the same packets give
the same pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import av
from av.video.codeccontext import VideoCodecContext

from camera_edge.capture.planes import picture_of
from camera_edge.capture.source import Packet, Stream
from camera_edge.errors import UndecodableError
from camera_edge.picture import Picture


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture, the ordinal of the packet that carried it, and whether the decoder marked it as corrupt."""

    packet_ordinal: int
    picture: Picture
    corrupt: bool = False


class PacketDecoder:
    """Give it the packets of one epoch in order, beginning at a key packet; pictures come out in presentation order.

    `damaged` counts the packets that the decoder refused.
    """

    def __init__(self, stream: Stream, reorder: int = 0) -> None:
        """reorder: how many pictures the stream is known to hold back; 0 lets the decoder find out by itself."""
        self.damaged = 0
        self._rotation = stream.rotation
        self._last = 0
        try:
            self._context: VideoCodecContext | None = _context(stream, reorder)
        except (av.FFmpegError, ValueError) as exc:
            raise UndecodableError(
                f"there is no decoder for {stream.codec}", hint="set the camera to H.264, H.265 or MJPEG"
            ) from exc

    def decode(self, packet: Packet) -> list[Decoded]:
        self._last = packet.ordinal
        # av.Packet(data) would lend the decoder memory without the zeroed padding that it reads beyond the end
        encoded = av.Packet(len(packet.data))
        encoded.update(packet.data)
        encoded.pts = packet.ordinal
        return self._decode(encoded)

    def flush(self) -> list[Decoded]:
        """The pictures still held back. The decoder takes no packets after it."""
        return self._decode(None)

    def close(self) -> None:
        self._context = None

    def _decode(self, encoded: av.Packet[av.stream.Stream] | None) -> list[Decoded]:
        if self._context is None or (encoded is not None and encoded.size == 0):
            return []
        try:
            frames = self._context.decode(encoded)
        except av.FFmpegError:
            self.damaged += 1
            return []
        return [self._decoded(frame) for frame in frames]

    def _decoded(self, frame: av.VideoFrame) -> Decoded:
        ordinal = self._last if frame.pts is None else frame.pts
        return Decoded(ordinal, picture_of(frame, self._rotation), frame.is_corrupt)


def _context(stream: Stream, reorder: int) -> VideoCodecContext:
    context = av.CodecContext.create(stream.codec, "r")
    if not isinstance(context, VideoCodecContext):
        raise ValueError(f"{stream.codec} is no video codec")
    context.thread_count = 1
    if stream.extradata:
        context.extradata = stream.extradata
    if reorder:
        context.options = {"has_b_frames": str(reorder)}
    return context


def decoder_fingerprint(codec: str | None) -> str:
    """Names the library and its version, and the decoder."""
    version = ".".join(str(part) for part in av.library_versions["libavcodec"])
    return f"pyav {av.__version__}, libavcodec {version}" + (f", decoder {codec}" if codec else "")
