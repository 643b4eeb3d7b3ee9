"""One clip in the making: decodes kept packets again, hides, encodes, until the event is over.

Invariant: a picture goes to the encoder only through the redactor, and only when its results are settled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from camera_edge.capture import Decoded, Packet, PacketDecoder, Stream
from camera_edge.clips import (
    ClipCounters,
    ClipDraft,
    ClipFolder,
    ClipMetadata,
    FileRecord,
    FrameMark,
    Kept,
    PreRoll,
    SealedFiles,
    event_record,
    frame_span,
)
from camera_edge.encode import ClipEncoder, ClipFile, ClipOptions, jpeg
from camera_edge.event import Event
from camera_edge.picture import Picture
from camera_edge.worker.provenance import Provenance
from camera_edge.worker.redactor import Redactor


@dataclass(frozen=True, slots=True)
class Studio:
    """What all recordings of one camera share. `streams`: decoder settings by epoch, filled as they come.

    `made_of` says what analyses the camera's frames at present.
    """

    preroll: PreRoll
    streams: Mapping[int, Stream]
    redactor: Redactor
    folder: ClipFolder
    made_of: Callable[[], Provenance]


@dataclass(frozen=True, slots=True)
class Window:
    """What a clip shows at most, in media time."""

    start_us: int
    latest_us: int


@dataclass(frozen=True, slots=True)
class FinishedClip:
    """A clip whose files are durable; names are relative to the folder they lie in."""

    event: Event
    folder: Path
    clip: str
    snapshot: str | None
    metadata: str
    bytes: int


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """A JPEG and its size in pixels: clips are cropped to even sizes, snapshots are not."""

    data: bytes
    width: int
    height: int


class Recording:
    """Belongs to one thread. `advance` as results come in, `close_event` when it has ended, `publish` when `done`."""

    def __init__(self, event: Event, window: Window, studio: Studio) -> None:
        self.event = event
        self._window = window
        self._stop_us = window.latest_us
        self._studio = studio
        self._made_of = studio.made_of()
        self._reader = studio.preroll.reader(window.start_us)
        self._unread: deque[Kept] = deque()
        self._decoder: PacketDecoder | None = None
        self._epoch = -1
        self._waiting: deque[Decoded] = deque()
        self._draft: ClipDraft | None = None
        self._encoder: ClipEncoder | None = None
        self._size = (0, 0)
        self._snapshot: _Snapshot | None = None
        self._frames: list[int] = []
        self._hidden = 0
        self._past_end = False

    @property
    def done(self) -> bool:
        """The event has closed, and the clip has all its pictures."""
        return self._past_end and self.event.closed_us is not None

    def update(self, event: Event, after_us: int) -> None:
        """The newest state of the event; once it has closed, the clip ends `after_us` later."""
        self.event = event
        if event.closed_us is not None:
            self._stop_us = min(event.closed_us + after_us, self._window.latest_us)

    def advance(self, settled_frame: int, settled_us: int) -> None:
        """Encodes all pictures up to the settled frame."""
        while not self._past_end:
            self._drain(settled_frame)
            if self._past_end or not self._decode_next(settled_us):
                return

    def end_of_source(self, settled_frame: int) -> None:
        """Nothing follows: what the decoder still holds comes out, and the clip ends here."""
        if self._decoder is not None and not self._past_end:
            self._waiting.extend(self._decoder.flush())
            self._drain(settled_frame)
        self._past_end = True

    def publish(self, opened_utc_ns: int, closed_utc_ns: int) -> FinishedClip | None:
        """Makes the clip's files durable; None where it has no picture. Raises OutputError, and leaves nothing."""
        self._close_decoder()
        if self._encoder is None or self._draft is None:
            return None
        with self._draft as draft:
            video = self._encoder.close()
            sealed = draft.seal(self._snapshot.data if self._snapshot is not None else None)
            record = event_record(self.event, opened_utc_ns=opened_utc_ns, closed_utc_ns=closed_utc_ns)
            provenance = self._made_of.joined(self._studio.made_of())
            metadata = ClipMetadata(
                event=record,
                source=provenance.source,
                frames=frame_span(self._frames),
                clip=self._file(sealed, video),
                snapshot=self._snapshot_file(sealed),
                modules=provenance.modules,
                models=provenance.models,
                fingerprint=provenance.fingerprint,
                redaction=provenance.redaction,
                counters=ClipCounters(
                    hidden_frames=self._hidden,
                    missing_frames=self._reader.lost,
                    truncated=self.event.closed_us is not None and self._window.latest_us < self.event.closed_us,
                ),
            )
            path = draft.publish(metadata)
        size = sealed.clip.bytes + (sealed.snapshot.bytes if sealed.snapshot else 0) + path.stat().st_size
        snapshot = sealed.snapshot.name if sealed.snapshot else None
        return FinishedClip(self.event, path.parent, sealed.clip.name, snapshot, path.name, size)

    def abandon(self) -> None:
        """Gives the clip up and leaves no file."""
        self._close_decoder()
        if self._encoder is not None:
            self._encoder.abort()
        if self._draft is not None:
            self._draft.abandon()
        self._past_end = True

    def _decode_next(self, settled_us: int) -> bool:
        """Feeds one packet to the decoder; False where there is none, or where its pictures could not be settled."""
        newest = self._mark(self._waiting[-1]) if self._waiting else None
        if newest is not None and newest.media_us > settled_us:
            return False
        if not self._unread:
            batch = self._reader.read()
            if batch.lost:
                # the batch begins with a key frame; what came before the loss is whole
                self._start_decoder(batch.packets[0].epoch)
            self._unread.extend(batch.packets)
        if not self._unread:
            return False
        packet = self._unread.popleft()
        if packet.epoch != self._epoch:
            self._start_decoder(packet.epoch)
        if self._decoder is not None:
            self._waiting.extend(self._decoder.decode(Packet(packet.ordinal, packet.epoch, packet.key, packet.data)))
        return True

    def _drain(self, settled_frame: int) -> None:
        """Takes the decoded pictures whose results are in, in order of presentation."""
        while self._waiting and not self._past_end:
            mark = self._mark(self._waiting[0])
            if mark is None:
                # capture has not handed this picture on: it comes later, or never, when a later one is there already
                if not any(self._is_settled(each, settled_frame) for each in self._waiting):
                    return
                self._waiting.popleft()
                continue
            if mark.frame > settled_frame:
                return
            self._take(mark, self._waiting.popleft().picture)

    def _take(self, mark: FrameMark, picture: Picture) -> None:
        if mark.media_us > self._stop_us:
            self._past_end = True
            self._close_decoder()
        elif mark.media_us >= self._window.start_us:
            shown = self._studio.redactor.redact(mark.frame, mark.media_us, picture)
            if self._encoder is None:
                self._encoder = self._open_encoder(shown.picture)
            self._encoder.write(shown.picture, mark.media_us)
            self._frames.append(mark.frame)
            self._hidden += shown.is_hidden
            if mark.frame == self.event.best_frame or self._snapshot is None:
                self._snapshot = _Snapshot(jpeg(shown.picture), picture.width, picture.height)

    def _open_encoder(self, picture: Picture) -> ClipEncoder:
        self._draft = self._studio.folder.draft(self.event.id)
        self._size = (picture.width & ~1, picture.height & ~1)
        stream = self._studio.streams[self._epoch]
        encoder = ClipEncoder(
            self._draft.clip_path, picture.width, picture.height, ClipOptions(nominal_fps=stream.fps or 25.0)
        )
        encoder.open()
        return encoder

    def _start_decoder(self, epoch: int) -> None:
        """The one before gives what it held back."""
        self._waiting.extend(self._decoder.flush() if self._decoder is not None else ())
        self._close_decoder()
        self._epoch = epoch
        self._decoder = PacketDecoder(self._studio.streams[epoch])

    def _close_decoder(self) -> None:
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None

    def _mark(self, decoded: Decoded) -> FrameMark | None:
        return self._studio.preroll.mark(decoded.packet_ordinal)

    def _is_settled(self, decoded: Decoded, settled_frame: int) -> bool:
        mark = self._mark(decoded)
        return mark is not None and mark.frame <= settled_frame

    def _file(self, sealed: SealedFiles, video: ClipFile) -> FileRecord:
        width, height = self._size
        return FileRecord(
            name=sealed.clip.name,
            sha256=sealed.clip.sha256,
            bytes=sealed.clip.bytes,
            width=width,
            height=height,
            duration_s=video.duration_us / 1e6,
        )

    def _snapshot_file(self, sealed: SealedFiles) -> FileRecord | None:
        if sealed.snapshot is None or self._snapshot is None:
            return None
        return FileRecord(
            name=sealed.snapshot.name,
            sha256=sealed.snapshot.sha256,
            bytes=sealed.snapshot.bytes,
            width=self._snapshot.width,
            height=self._snapshot.height,
        )
