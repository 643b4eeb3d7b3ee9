"""What comes out of every source: packets as they came and the pictures they carried, numbered and timed.

Invariant: ids, ordinals, epochs and media time of one source only ever grow, over reconnects too.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import Protocol, Self

from camera_edge.clock import Clock, SystemClock
from camera_edge.picture import Picture


@dataclass(frozen=True, slots=True)
class Stream:
    """What is needed to decode a run of packets again. A reconnect or another codec or size starts a new one.

    codec: the name of the decoder as PyAV has it ("h264", "hevc", "mjpeg", ...).
    extradata: what the decoder needs before the first packet; for H.264 and H.265 the parameter sets, as Annex B.
    width, height: pixels of the upright picture. rotation: clockwise degrees (0, 90, 180, 270) that make it upright.
    fps: nominal rate, 0 where the source does not say.
    """

    epoch: int
    codec: str
    extradata: bytes | None
    width: int
    height: int
    rotation: int = 0
    fps: float = 0.0


@dataclass(frozen=True, slots=True)
class Packet:
    """One encoded picture, as it came. `ordinal` counts packets in decode order over the whole source."""

    ordinal: int
    epoch: int
    key: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture.

    id: its number in order of presentation, 0-based, as a `cv2.VideoCapture.read()` loop would count it.
    media_us: strictly growing, 0 for the first frame of the source, from the source's own stamps.
    utc_ns: when the packet that carried it arrived; for recordings: when they were opened, plus media time.
    packet: ordinal of the packet that carried it; None for sources without packets.
    """

    id: int
    media_us: int
    utc_ns: int
    picture: Picture
    packet: int | None
    epoch: int


@dataclass(frozen=True, slots=True)
class Grab:
    """One step of a source: at most one packet, and the pictures that became complete with it.

    Decoders hold pictures back to bring them into order, so a packet's own picture may come some steps later.
    All empty: a live source is down and is being reconnected; `Source.problem` says why.
    """

    packet: Packet | None = None
    frames: tuple[Frame, ...] = ()
    stream: Stream | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """What a source has done so far.

    grabbed: packets or pictures taken from the source. decoded: frames handed on.
    corrupt: packets the decoder refused, pictures it marked as corrupt, files that hold no picture.
    dropped_before_key: packets that came before the first key frame of their stream.
    skipped: pictures a live source could not deliver in time. reconnects: times a lost source came back.
    failed_opens: attempts to open it that failed.
    """

    grabbed: int = 0
    decoded: int = 0
    corrupt: int = 0
    dropped_before_key: int = 0
    skipped: int = 0
    reconnects: int = 0
    failed_opens: int = 0


class Source(Protocol):
    """A camera or a recording. `close()` may be called twice; a live source may be opened again after it."""

    @property
    def live(self) -> bool:
        """True where nobody waits for us: what is not read in time is lost."""

    @property
    def name(self) -> str:
        """The address without credentials: fit for logs, messages and metadata."""

    @property
    def counters(self) -> Counters: ...

    @property
    def problem(self) -> str | None:
        """What is wrong right now, or was wrong with a recording that ended early; None where nothing is."""

    def fingerprint(self) -> str:
        """The libraries and decoder that made the pictures: pictures may differ by a rounding between versions."""

    def open(self) -> None:
        """Raises `SourceError` (missing, refused), `SourceTimeoutError` (stalled), `UndecodableError` (no video)."""

    def read(self) -> Grab | None:
        """The next step; None at the end of a recording, or when a stop was asked for.

        Raises `SourceError` (dropped), `SourceTimeoutError` (stalled) or `UndecodableError` (no picture in it).
        A live source answers within its time-outs.
        """

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Closing(ABC):
    """`with source:` opens it and closes it."""

    @abstractmethod
    def open(self) -> None: ...

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def sleep(seconds: float) -> bool:
    """Waits, and is never asked to stop."""
    time.sleep(seconds)
    return False


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How sources behave.

    wait: sleeps for so many seconds and returns True if the program shall stop (a stop event's `wait`).
    reconnect: live sources from the network or a device are opened again when they are lost.
    fps: rate of image folders, which have no stamps.
    """

    open_timeout_s: float = 10.0
    read_timeout_s: float = 10.0
    clock: Clock = field(default_factory=SystemClock)
    wait: Callable[[float], bool] = sleep
    random: Random = field(default_factory=Random)
    reconnect: bool = False
    fps: float = 10.0


class Tally:
    """The counters of one source while it runs."""

    __slots__ = ("corrupt", "decoded", "dropped_before_key", "grabbed", "skipped")

    def __init__(self) -> None:
        self.grabbed = 0
        self.decoded = 0
        self.corrupt = 0
        self.dropped_before_key = 0
        self.skipped = 0

    def snapshot(self, further_corrupt: int = 0) -> Counters:
        corrupt = self.corrupt + further_corrupt
        return Counters(self.grabbed, self.decoded, corrupt, self.dropped_before_key, self.skipped)
