"""Encoded pictures on their way to viewers, and the short queue each viewer has for them.

Invariant: what a viewer is given begins with a key frame and has no gap after it, so it can always be decoded.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

TICKS_PER_S = 90_000


@dataclass(frozen=True, slots=True)
class LivePacket:
    """One redacted picture as H.264.

    data: one access unit in Annex B form; a key frame carries its parameter sets.
    pts_us: when it is shown, in microseconds of media time.
    """

    data: bytes
    key: bool
    pts_us: int


@dataclass(frozen=True, slots=True)
class StampedPacket:
    """A packet with the time stamp every viewer is given, in ticks of RTP's video clock (90 kHz, RFC 6184)."""

    packet: LivePacket
    ticks: int


class PacketQueue:
    """The packets one viewer has yet to take; holds at most `capacity`.

    When it is full the viewer loses all that waits in it: later pictures build on the lost ones, so nothing more is
    accepted until the next key frame. The losses are counted in `lost`.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._waiting: deque[StampedPacket] = deque()
        self._needs_key = True
        self.lost = 0

    @property
    def needs_key(self) -> bool:
        """Whether nothing can be shown before the next key frame."""
        return self._needs_key

    def put(self, stamped: StampedPacket) -> None:
        """Queue the packet, or lose it."""
        if len(self._waiting) >= self._capacity:
            self.lost += len(self._waiting)
            self._waiting.clear()
            self._needs_key = True
        if self._needs_key and not stamped.packet.key:
            self.lost += 1
            return
        self._needs_key = False
        self._waiting.append(stamped)

    def take(self) -> StampedPacket | None:
        """The oldest packet, or None when there is none."""
        return self._waiting.popleft() if self._waiting else None


class Timeline:
    """Turns media time into time stamps that never run backwards, whatever the worker restarts or the source repeats.

    Where media time does not move on, the time that passed on the monotonic clock is used in its place.
    """

    def __init__(self) -> None:
        self._offset_us = 0
        self._last_us = 0
        self._last_now_ns: int | None = None

    def ticks(self, pts_us: int, *, now_ns: int) -> int:
        """The stamp for a picture shown at `pts_us`, published at `now_ns`."""
        if self._last_now_ns is None:
            self._offset_us = -pts_us
        elif pts_us + self._offset_us <= self._last_us:
            passed_us = max((now_ns - self._last_now_ns) // 1000, 1000)
            self._offset_us = self._last_us + passed_us - pts_us
        self._last_us = pts_us + self._offset_us
        self._last_now_ns = now_ns
        return self._last_us * TICKS_PER_S // 1_000_000
