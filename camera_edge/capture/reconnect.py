"""Opens a lost live source again, with growing pauses.

Invariant: `read()` never raises for a lost source, and never waits longer than the source's own time-outs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from camera_edge.capture.source import Closing, Counters, Grab, Source
from camera_edge.errors import CameraEdgeError, SourceError, UndecodableError

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_SLICE_S = 1.0


class Backoff:
    """Exponential backoff with full jitter: a pause is anything between 0 and a bound that doubles.

    M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failures = 0

    def pause_s(self) -> float:
        """The pause before the next attempt."""
        bound_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return self._random.uniform(0, bound_s)

    def succeeded(self) -> None:
        self._failures = 0


class Reconnecting(Closing):
    """A live source that comes back. While it is away `read()` gives an empty `Grab` at least every second or so."""

    live = True

    def __init__(self, source: Source, wait: Callable[[float], bool], random: Random) -> None:
        """wait: sleeps for so many seconds; True: the program shall stop."""
        self._source = source
        self._wait = wait
        self._backoff = Backoff(random)
        self._connected = False
        self._pause_s = 0.0
        self._was_connected = False
        self._reconnects = 0
        self._failed_opens = 0
        self._problem: str | None = None

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def counters(self) -> Counters:
        return replace(self._source.counters, reconnects=self._reconnects, failed_opens=self._failed_opens)

    @property
    def problem(self) -> str | None:
        return self._problem or self._source.problem

    def fingerprint(self) -> str:
        return self._source.fingerprint()

    def open(self) -> None:
        """Tries once; a camera that is away now is tried again by `read()`."""
        self._try_to_open()

    def read(self) -> Grab | None:
        if not self._connected:
            return self._come_back()
        try:
            grab = self._source.read()
        except (SourceError, UndecodableError) as exc:
            self._lose(exc)
            return Grab()
        if grab is not None and (grab.packet is not None or grab.frames):
            self._backoff.succeeded()
            self._problem = None
        return grab

    def close(self) -> None:
        self._connected = False
        self._source.close()

    def _come_back(self) -> Grab | None:
        slice_s = min(self._pause_s, _SLICE_S)
        self._pause_s -= slice_s
        if self._wait(slice_s):
            return None
        if self._pause_s <= 0:
            self._try_to_open()
        return Grab()

    def _try_to_open(self) -> None:
        try:
            self._source.open()
        except (SourceError, UndecodableError) as exc:
            self._failed_opens += 1
            self._lose(exc)
            return
        self._connected = True
        self._reconnects += self._was_connected
        self._was_connected = True

    def _lose(self, exc: CameraEdgeError) -> None:
        self._source.close()
        self._connected = False
        self._problem = str(exc)
        self._pause_s = self._backoff.pause_s()
