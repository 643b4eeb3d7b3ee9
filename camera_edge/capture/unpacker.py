"""Turns the packets of one source into numbered, timed pictures.

Invariant: every packet is decoded once, by the decoder of its epoch; ids and ordinals never start anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from camera_edge.capture.annexb import parameter_sets
from camera_edge.capture.decoder import Decoded, PacketDecoder
from camera_edge.capture.reader import Format, Sample
from camera_edge.capture.source import Frame, Grab, Packet, Stream, Tally

_PENDING = 64


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a packet came: by its own stamp, by the monotonic clock and in UTC."""

    stamp_us: int | None
    monotonic_ns: int
    utc_ns: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a frame stands in media time and in UTC."""

    media_us: int
    utc_ns: int


Place = Callable[[Arrival], Placed]


class Unpacker:
    """Feed it the samples of a source; begin it again, with the format found then, after each reconnect.

    At most 64 packets wait for their pictures; what a decoder holds back longer has lost its stamp and is dropped
    and counted as corrupt.
    """

    def __init__(self, place: Place, tally: Tally, unshown: frozenset[int] = frozenset()) -> None:
        """unshown: ordinals of packets that must be decoded, but whose pictures the container says not to show."""
        self._place = place
        self._tally = tally
        self._unshown = unshown
        self._decoder: PacketDecoder | None = None
        self._pending: dict[int, tuple[Arrival, int]] = {}
        self._sequence: bytes | None = None
        self._keyed = False
        self._ordinal = 0
        self._id = 0
        self.stream: Stream | None = None

    def begin(self, format: Format) -> None:
        """Starts an epoch. Raises `UndecodableError` where there is no decoder."""
        self.close()
        width, height = format.size if format.rotation in (0, 180) else format.size[::-1]
        self._start(
            Stream(
                epoch=0 if self.stream is None else self.stream.epoch + 1,
                codec=format.codec,
                extradata=format.extradata,
                width=width,
                height=height,
                rotation=format.rotation,
                fps=format.fps,
            ),
            format.reorder,
        )
        self._keyed = False
        self._sequence = None

    def feed(self, sample: Sample, arrival: Arrival) -> Grab:
        stream, decoder = self._begun()
        ordinal = self._ordinal
        self._ordinal += 1
        self._tally.grabbed += 1
        self._keyed = self._keyed or sample.key
        if not self._keyed or not sample.data:
            self._tally.dropped_before_key += not self._keyed
            return Grab(stream=stream)
        frames: tuple[Frame, ...] = ()
        if sample.key:
            frames = self._renew(sample)
            stream, decoder = self._begun()
        packet = Packet(ordinal, stream.epoch, sample.key, sample.data)
        decoded = decoder.decode(packet)
        packet = self._resize(packet, decoded)
        self._remember(packet, arrival)
        frames += self._frames(decoded)
        return Grab(packet, frames, self.stream)

    def flush(self) -> tuple[Frame, ...]:
        """The frames still held back by the decoder; nothing can be fed after it."""
        if self._decoder is None:
            return ()
        frames = self._frames(self._decoder.flush())
        self.close()
        return frames

    def close(self) -> None:
        """The decoder goes, with the pictures it holds back; the numbers stay."""
        if self._decoder is not None:
            self._tally.corrupt += self._decoder.damaged
            self._decoder.close()
            self._decoder = None
        self._pending.clear()

    @property
    def damaged(self) -> int:
        """Packets that the decoder at work has refused; those of earlier decoders are in the tally."""
        return self._decoder.damaged if self._decoder is not None else 0

    def _begun(self) -> tuple[Stream, PacketDecoder]:
        if self.stream is None or self._decoder is None:
            raise RuntimeError("begin() comes before feed()")
        return self.stream, self._decoder

    def _start(self, stream: Stream, reorder: int = 0) -> None:
        self._decoder = PacketDecoder(stream, reorder)
        self.stream = stream

    def _renew(self, sample: Sample) -> tuple[Frame, ...]:
        """A key packet with another sequence parameter set starts an epoch; returns what the old decoder still held."""
        stream, _ = self._begun()
        sets = parameter_sets(stream.codec, sample.data)
        if sets is None or sets.sequence == self._sequence:
            return ()
        first = self._sequence is None
        self._sequence = sets.sequence
        if first:
            # the decoder at work meets them in the packet itself; whoever decodes later needs them beforehand
            self.stream = replace(stream, extradata=sets.all)
            return ()
        frames = self.flush()
        width, height = _size(stream, sets.all, sample.data) or (stream.width, stream.height)
        self._start(replace(stream, epoch=stream.epoch + 1, extradata=sets.all, width=width, height=height))
        return frames

    def _resize(self, packet: Packet, decoded: list[Decoded]) -> Packet:
        """Codecs without parameter sets (MJPEG) change size from one picture to the next: an epoch begins with it."""
        stream, _ = self._begun()
        own = [one.picture for one in decoded if one.packet_ordinal == packet.ordinal]
        if not own or (own[0].width, own[0].height) == (stream.width, stream.height):
            return packet
        self.stream = replace(stream, epoch=stream.epoch + 1, width=own[0].width, height=own[0].height)
        return replace(packet, epoch=self.stream.epoch)

    def _remember(self, packet: Packet, arrival: Arrival) -> None:
        self._pending[packet.ordinal] = (arrival, packet.epoch)
        if len(self._pending) > _PENDING:
            del self._pending[next(iter(self._pending))]

    def _frames(self, decoded: list[Decoded]) -> tuple[Frame, ...]:
        frames = (self._frame(one) for one in decoded if one.packet_ordinal not in self._unshown)
        return tuple(frame for frame in frames if frame is not None)

    def _frame(self, decoded: Decoded) -> Frame | None:
        """Every picture takes a number, as with a plain reader; corrupt ones go no further."""
        number = self._id
        self._id += 1
        waiting = self._pending.pop(decoded.packet_ordinal, None)
        if waiting is None or decoded.corrupt:
            self._tally.corrupt += 1
            return None
        arrival, epoch = waiting
        placed = self._place(arrival)
        self._tally.decoded += 1
        return Frame(number, placed.media_us, placed.utc_ns, decoded.picture, decoded.packet_ordinal, epoch)


def _size(stream: Stream, extradata: bytes, data: bytes) -> tuple[int, int] | None:
    """The size that the first picture of an epoch has: a spare decoder is asked, as a size cannot be told otherwise."""
    spare = PacketDecoder(replace(stream, extradata=extradata))
    decoded = spare.decode(Packet(0, 0, True, data)) + spare.flush()
    spare.close()
    return (decoded[0].picture.width, decoded[0].picture.height) if decoded else None
