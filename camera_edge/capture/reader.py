"""What hands encoded packets to a source: a container, a network stream or a device.

Invariant: a reader decodes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Sample:
    """An encoded packet. `stamp_us`: its own presentation time, None where it has none."""

    data: bytes
    key: bool
    stamp_us: int | None


@dataclass(frozen=True, slots=True)
class Format:
    """What a reader knows of its stream before the first packet.

    size: (width, height) as coded, before rotation. reorder: pictures the stream is known to hold back.
    packets, lasts_us: how many packets the container says there are, and how long it says that it lasts; 0 where it
    does not say so reliably.
    stamped: False where the stamps are made up (multipart MJPEG has none) and arrival is all there is.
    """

    codec: str
    extradata: bytes | None
    size: tuple[int, int]
    rotation: int
    fps: float
    reorder: int = 0
    packets: int = 0
    lasts_us: int = 0
    stamped: bool = True


class Reader(Protocol):
    """Where packets come from."""

    def open(self) -> Format: ...

    def grab(self) -> Sample | None:
        """The next packet; None at the end of a recording. Raises `SourceError`, `SourceTimeoutError`."""

    @property
    def damaged(self) -> int:
        """Packets that could not be taken out, so far."""

    def close(self) -> None: ...


class FormatUnknownError(Exception):
    """The container opens, but packets of its codec cannot be described to a decoder here."""
