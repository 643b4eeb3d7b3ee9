"""Sources that give packets: recordings, RTSP and HTTP cameras, MJPEG devices.

Invariant: the packets handed on are the packets the pictures were decoded from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from camera_edge.capture.decoder import decoder_fingerprint
from camera_edge.capture.opencv import opencv_fingerprint
from camera_edge.capture.reader import Reader
from camera_edge.capture.source import Closing, Counters, Grab, SourceOptions, Tally
from camera_edge.capture.timing import LiveTimeline, RecordingTimeline, ends_early, interval_us
from camera_edge.capture.unpacker import Arrival, Placed, Unpacker
from camera_edge.errors import UndecodableError


@dataclass(frozen=True, slots=True)
class Shown:
    """How a container wants its pictures shown: turned clockwise by `rotation` degrees, without those of `unshown`.

    `unshown`: numbers of packets that are decoded only because others need their pictures.
    """

    rotation: int = 0
    unshown: frozenset[int] = frozenset()


class Recording(Closing):
    """A file, read as fast as it is asked for; nothing is dropped."""

    live = False

    def __init__(self, name: str, reader: Reader, options: SourceOptions, shown: Shown) -> None:
        self.name = name
        self._reader = reader
        self._options = options
        self._shown = shown
        self._tally = Tally()
        self._unpacker = Unpacker(self._place, self._tally, shown.unshown)
        self._timeline = RecordingTimeline(interval_us(0))
        self._opened_utc_ns = 0
        self._stated_packets = self._lasts_us = 0
        self._ended = False

    @property
    def counters(self) -> Counters:
        return _counters(self._tally, self._unpacker, self._reader)

    @property
    def problem(self) -> str | None:
        taken = self._tally.grabbed + self._reader.damaged
        if self._ended and taken < self._stated_packets:
            return f"the recording ends early: {taken} of {self._stated_packets} packets are there"
        return ends_early(self._timeline.last_us, self._lasts_us) if self._ended else None

    def fingerprint(self) -> str:
        return _fingerprint(self._unpacker)

    def open(self) -> None:
        format = replace(self._reader.open(), rotation=self._shown.rotation)
        self._ended = False
        self._stated_packets, self._lasts_us = format.packets, format.lasts_us
        self._timeline = RecordingTimeline(interval_us(format.fps))
        self._opened_utc_ns = self._options.clock.utc_ns()
        self._unpacker.begin(format)

    def read(self) -> Grab | None:
        if self._ended:
            return None
        sample = self._reader.grab()
        if sample is not None:
            return self._unpacker.feed(sample, Arrival(sample.stamp_us, 0, 0))
        self._ended = True
        frames = self._unpacker.flush()
        if self._tally.decoded == 0:
            raise UndecodableError(
                "no picture can be decoded from it", where=self.name, hint="check that the file is complete"
            )
        return Grab(None, frames, self._unpacker.stream) if frames else None

    def close(self) -> None:
        self._reader.close()
        self._unpacker.close()

    def _place(self, arrival: Arrival) -> Placed:
        media_us = self._timeline.place(arrival.stamp_us)
        return Placed(media_us, self._opened_utc_ns + media_us * 1000)


class LiveCamera(Closing):
    """A camera that sends packets. It may be opened again after `close()` and then counts on."""

    live = True

    def __init__(self, name: str, reader: Reader, options: SourceOptions) -> None:
        self.name = name
        self._reader = reader
        self._clock = options.clock
        self._stamped = True
        self._tally = Tally()
        self._timeline = LiveTimeline()
        self._unpacker = Unpacker(self._place, self._tally)

    @property
    def counters(self) -> Counters:
        return _counters(self._tally, self._unpacker, self._reader)

    @property
    def problem(self) -> str | None:
        return None

    def fingerprint(self) -> str:
        return _fingerprint(self._unpacker)

    def open(self) -> None:
        format = self._reader.open()
        self._stamped = format.stamped
        self._timeline.begin(interval_us(format.fps) if self._stamped else None)
        self._unpacker.begin(format)

    def read(self) -> Grab | None:
        sample = self._reader.grab()
        if sample is None:
            return None
        stamp_us = sample.stamp_us if self._stamped else None
        return self._unpacker.feed(sample, Arrival(stamp_us, self._clock.monotonic_ns(), self._clock.utc_ns()))

    def close(self) -> None:
        self._reader.close()
        self._unpacker.close()

    def _place(self, arrival: Arrival) -> Placed:
        return Placed(self._timeline.place(arrival.stamp_us, arrival.monotonic_ns), arrival.utc_ns)


def _counters(tally: Tally, unpacker: Unpacker, reader: Reader) -> Counters:
    return tally.snapshot(further_corrupt=unpacker.damaged + reader.damaged)


def _fingerprint(unpacker: Unpacker) -> str:
    codec = None if unpacker.stream is None else unpacker.stream.codec
    return f"{opencv_fingerprint()}, {decoder_fingerprint(codec)}"
