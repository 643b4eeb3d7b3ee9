"""Keeps what the camera sent for some seconds, and makes a clip of every event.

Invariant: capture and analysis hand over and go on; decoding, redacting and encoding happen in `work`, which a live
camera runs in a thread of its own. A clip that cannot be written is reported, and stops nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Condition

from camera_edge.capture import Frame, Packet, Stream
from camera_edge.clips import Kept
from camera_edge.encode import jpeg
from camera_edge.errors import CameraEdgeError
from camera_edge.event import Change, Event, Opened
from camera_edge.worker.recording import FinishedClip, Recording, Studio, Window
from camera_edge.worker.sampler import Sampler

# for sources without packets: so many JPEGs a second are kept, and at this quality
KEPT_HZ = 10.0
KEPT_QUALITY = 90
# times of day that are remembered: an event asks for two
TIMES_MAX = 4096


@dataclass(frozen=True, slots=True)
class ClipTimes:
    """How long clips are, in microseconds."""

    before_us: int
    after_us: int
    longest_us: int


@dataclass(frozen=True, slots=True)
class ClipOutcome:
    """What became of an event's clip: the clip, or why there is none."""

    event: Event
    clip: FinishedClip | None
    problem: CameraEdgeError | None = None


class Recorder:
    """One camera's. `keep_*` belong to capture, `settle` and `finish` to analysis, `work` to whoever makes the clips.

    Between the threads stand the pre-roll, whose oldest packets lose, and the newest settled frame with the changes
    since: an event that changed twice before `work` came keeps its last state, so this is bounded by the open events.
    """

    def __init__(
        self, studio: Studio, streams: dict[int, Stream], times: ClipTimes, done: Callable[[ClipOutcome], None]
    ) -> None:
        self._studio = studio
        self._streams = streams
        self._times = times
        self._done = done
        self._sampler = Sampler(KEPT_HZ)
        self._newest_us = 0
        self._utc_offset_ns = 0
        self._utc_ns: dict[int, int] = {}
        self._kept_pictures = 0
        self._orders = Condition()
        self._changed: dict[str, Change] = {}
        self._settled = (-1, -1)
        self._moved = False
        self._finishing = False
        self._recordings: dict[str, Recording] = {}

    def keep_packet(self, packet: Packet, stream: Stream) -> None:
        self._streams[stream.epoch] = stream
        self._studio.preroll.keep(Kept(packet.ordinal, packet.epoch, packet.key, self._newest_us, packet.data))

    def keep_frame(self, frame: Frame, *, analysed: bool) -> None:
        """Notes which picture a packet carried; of a source without packets, keeps the picture as a JPEG."""
        self._newest_us = frame.media_us
        self._utc_offset_ns = frame.utc_ns - frame.media_us * 1000
        if frame.packet is not None:
            self._studio.preroll.note_frame(frame.packet, frame.id, frame.media_us)
            return
        if not self._sampler.due(frame.media_us) and not analysed:
            return
        width, height = frame.picture.width, frame.picture.height
        self._streams[frame.epoch] = Stream(frame.epoch, "mjpeg", None, width, height, fps=KEPT_HZ)
        ordinal, self._kept_pictures = self._kept_pictures, self._kept_pictures + 1
        data = jpeg(frame.picture, KEPT_QUALITY)
        self._studio.preroll.keep(Kept(ordinal, frame.epoch, True, frame.media_us, data))
        self._studio.preroll.note_frame(ordinal, frame.id, frame.media_us)

    def utc_ns(self, media_us: int) -> int:
        """The time of day of a media time, by the frame that was newest when it was first asked for.

        Asked again it is the same, so that message, row and metadata of an event agree.
        """
        known = self._utc_ns.setdefault(media_us, self._utc_offset_ns + media_us * 1000)
        if len(self._utc_ns) > TIMES_MAX:
            self._utc_ns.pop(next(iter(self._utc_ns)), None)
        return known

    def settle(self, frame: int, media_us: int, changes: Sequence[Change]) -> None:
        """Results up to `frame` are in, and these events changed; of two changes of one event the later one holds."""
        with self._orders:
            self._settled = (frame, media_us)
            self._moved = True
            self._order(changes)

    def finish(self, changes: Sequence[Change]) -> None:
        """No more frames. The next `work` finishes every clip."""
        with self._orders:
            self._finishing = self._moved = True
            self._order(changes)

    def work(self, timeout_s: float = 0.0) -> bool:
        """Does what is ordered, waiting up to `timeout_s` for it. False where all clips are finished for good."""
        with self._orders:
            self._orders.wait_for(lambda: self._moved, timeout_s)
            changed, self._changed, self._moved = self._changed, {}, False
            settled, finishing = self._settled, self._finishing
        for change in changed.values():
            self._apply(change)
        for recording in list(self._recordings.values()):
            self._advance(recording, settled, finishing)
        return not finishing

    def abandon(self) -> None:
        """Gives up the clips that are not finished, and leaves no file of them. For the thread that does the `work`."""
        for recording in self._recordings.values():
            recording.abandon()
        self._recordings.clear()

    def _order(self, changes: Sequence[Change]) -> None:
        for change in changes:
            opened = isinstance(self._changed.get(change.event.id), Opened)
            self._changed[change.event.id] = Opened(change.event) if opened else change
        self._orders.notify_all()

    def _apply(self, change: Change) -> None:
        event = change.event
        if isinstance(change, Opened):
            start_us = max(0, event.opened_us - self._times.before_us)
            window = Window(start_us, start_us + self._times.longest_us)
            self._recordings[event.id] = Recording(event, window, self._studio)
        recording = self._recordings.get(event.id)
        if recording is not None:
            recording.update(event, self._times.after_us)

    def _advance(self, recording: Recording, settled: tuple[int, int], finishing: bool) -> None:
        event = recording.event
        try:
            recording.advance(*settled)
            if finishing:
                recording.end_of_source(settled[0])
            if not recording.done:
                return
            closed_us = event.closed_us if event.closed_us is not None else event.opened_us
            clip = recording.publish(self.utc_ns(event.opened_us), self.utc_ns(closed_us))
            outcome = ClipOutcome(event, clip)
        except CameraEdgeError as exc:
            recording.abandon()
            outcome = ClipOutcome(event, None, exc)
        del self._recordings[event.id]
        self._done(outcome)
