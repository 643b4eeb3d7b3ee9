"""Shows the camera to those who look in: waits until a frame may be shown, hides, encodes once, sends.

Invariant: while nobody looks nothing is kept, painted or encoded. A frame is shown only after the results on both
sides of it are in; capture and analysis never wait here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock

from camera_edge.capture import Frame
from camera_edge.clock import Clock
from camera_edge.encode import EncodedFrame, LiveEncoder
from camera_edge.picture import Picture
from camera_edge.worker.handoff import Handoff
from camera_edge.worker.pace import Pace
from camera_edge.worker.sampler import Sampler

SHOWN_HZ = 15.0
# raw pictures that wait for their results: two analysis periods at the shown rate and some delay of the analysis
WAITING_MAX = 12


@dataclass(frozen=True, slots=True)
class Shown:
    """One encoded, redacted picture and its size in pixels."""

    encoded: EncodedFrame
    width: int
    height: int


class Tap:
    """`offer` is called by capture, `settled` by analysis, `run` has a thread of its own.

    At most `WAITING_MAX` frames wait, for results or for the encoder; where there are more the oldest loses, and is
    counted in `lost`: the newest wins.
    """

    def __init__(self, redacted: Callable[[Frame], Picture], send: Callable[[Shown], None], clock: Clock) -> None:
        self._redacted = redacted
        self._send = send
        self._clock = clock
        self._sampler = Sampler(SHOWN_HZ)
        self._lock = Lock()
        self._waiting: list[Frame] = []
        self._ready: Handoff[Frame] = Handoff(WAITING_MAX, lost=self._count)
        self._wanted = False
        self._force_key = False
        self._encoder: LiveEncoder | None = None
        self._size = (0, 0)
        self.lost = 0

    def want(self, wanted: bool) -> None:
        """Somebody looks, or nobody does any more."""
        with self._lock:
            self._wanted = wanted
            self._waiting.clear()
            self._force_key = True

    def force_key(self) -> None:
        self._force_key = True

    def offer(self, frame: Frame) -> None:
        if not self._wanted or not self._sampler.due(frame.media_us):
            return
        with self._lock:
            self._waiting.append(frame)
            if len(self._waiting) > WAITING_MAX:
                del self._waiting[0]
                self.lost += 1

    def settled(self, frame_id: int) -> None:
        """Results up to this frame are in."""
        with self._lock:
            ready = [frame for frame in self._waiting if frame.id <= frame_id]
            self._waiting = [frame for frame in self._waiting if frame.id > frame_id]
        for frame in ready:
            self._ready.put(frame)

    def run(self, stop: Event) -> None:
        """Until `stop` is set. Frames leave at the pace of their media time, so that motion looks even."""
        pace = Pace(self._clock)
        while not stop.is_set():
            frame = self._ready.take(timeout_s=0.5)
            if frame is None or not self._wanted:
                if not self._wanted:
                    self._close_encoder()
                continue
            if stop.wait(pace.delay_s(frame.media_us)):
                break
            self._show(frame)
        self._close_encoder()

    def _show(self, frame: Frame) -> None:
        size = (frame.picture.width, frame.picture.height)
        if self._encoder is None or self._size != size:
            self._close_encoder()
            self._encoder, self._size = LiveEncoder(*size, SHOWN_HZ), size
        force_key, self._force_key = self._force_key, False
        for encoded in self._encoder.encode(self._redacted(frame), frame.media_us, force_key):
            self._send(Shown(encoded, self._encoder.width, self._encoder.height))

    def _close_encoder(self) -> None:
        if self._encoder is not None:
            self._encoder.close()
            self._encoder = None

    def _count(self, _frame: Frame) -> None:
        self.lost += 1
