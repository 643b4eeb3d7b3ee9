"""Recordings whose codec OpenCV's packets cannot describe (raw video, rare codecs): PyAV takes them out and decodes.

Also knows which pictures of a trimmed MP4 are not to be shown. Invariant: OpenCV's decoder never sees these files: some
raw AVI files make it abort the process.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer

from camera_edge.capture.decoder import decoder_fingerprint
from camera_edge.capture.planes import picture_of
from camera_edge.capture.source import Closing, Counters, Frame, Grab, SourceOptions, Tally
from camera_edge.capture.timing import RecordingTimeline, ends_early, interval_us
from camera_edge.errors import UndecodableError


class DemuxedRecording(Closing):
    """A file read as pictures, without packets. Each picture is an epoch's own where its size changes."""

    live = False

    def __init__(self, path: Path, name: str, options: SourceOptions) -> None:
        self.name = name
        self._path = path
        self._options = options
        self._tally = Tally()
        self._container: InputContainer | None = None
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._timeline = RecordingTimeline(interval_us(0))
        self._codec: str | None = None
        self._opened_utc_ns = 0
        self._id = 0
        self._epoch = 0
        self._size: tuple[int, int] | None = None
        self._lasts_us = 0
        self._ended = False

    @property
    def counters(self) -> Counters:
        return self._tally.snapshot()

    @property
    def problem(self) -> str | None:
        return ends_early(self._timeline.last_us, self._lasts_us) if self._ended else None

    def fingerprint(self) -> str:
        return decoder_fingerprint(self._codec)

    def open(self) -> None:
        try:
            self._container = _open(self._path)
        except av.FFmpegError as exc:
            raise self._undecodable() from exc
        if not self._container.streams.video:
            raise self._undecodable()
        stream = self._container.streams.video[0]
        stream.thread_type = "NONE"
        self._codec = stream.codec_context.name
        self._timeline = RecordingTimeline(interval_us(float(stream.average_rate or 0)))
        self._lasts_us, self._ended = _stated_us(self._container, stream), False
        self._opened_utc_ns = self._options.clock.utc_ns()
        self._frames = self._decode(self._container, stream)

    def read(self) -> Grab | None:
        for frame in self._frames:
            number = self._id
            self._id += 1
            if frame.is_corrupt:
                self._tally.corrupt += 1
                continue
            return Grab(None, (self._frame(number, frame),))
        if self._tally.decoded == 0:
            raise self._undecodable()
        self._ended = True
        return None

    def close(self) -> None:
        self._frames = iter(())
        if self._container is not None:
            self._container.close()
            self._container = None

    def _decode(self, container: InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError:
                self._tally.corrupt += 1  # a truncated file: what came before is used
                return
            self._tally.grabbed += packet.size > 0
            try:
                yield from packet.decode()
            except av.FFmpegError:
                self._tally.corrupt += 1

    def _frame(self, number: int, frame: av.VideoFrame) -> Frame:
        picture = picture_of(frame, -frame.rotation % 360)
        size = (picture.width, picture.height)
        self._epoch += self._size is not None and self._size != size
        self._size = size
        media_us = self._timeline.place(_stamp_us(frame))
        self._tally.decoded += 1
        return Frame(number, media_us, self._opened_utc_ns + media_us * 1000, picture, None, self._epoch)

    def _undecodable(self) -> UndecodableError:
        return UndecodableError(
            "no video can be decoded from it",
            where=self.name,
            hint="is it a whole video? an MP4 without its end may lack its index",
        )


def unshown_packets(path: Path) -> frozenset[int]:
    """Numbers of the packets whose pictures an edit list cuts off, as a trimmed MP4 has them.

    They must be decoded, but a player, and `cv2.VideoCapture.read()`, never shows them. Reads the whole file.
    """
    try:
        with _open(path) as container:
            packets = container.demux(container.streams.video[0])
            return frozenset(number for number, packet in enumerate(packets) if packet.is_discard)
    except (av.FFmpegError, IndexError):
        return frozenset()  # a damaged file: what decodes is shown


def _open(path: Path) -> InputContainer:
    return av.open(f"file:{path.absolute()}", options={"protocol_whitelist": "file"})


def _stated_us(container: InputContainer, stream: av.VideoStream) -> int:
    """What the container says, 0 where FFmpeg would guess it from what is there."""
    if "avi" in container.format.name and stream.average_rate:
        return round(stream.frames / stream.average_rate * 1_000_000)
    return container.duration or 0 if "matroska" in container.format.name else 0


def _stamp_us(frame: av.VideoFrame) -> int | None:
    if frame.pts is None or frame.time_base is None:
        return None
    return round(Fraction(frame.pts) * frame.time_base * 1_000_000)
