"""Opens a recording by what its file turns out to be.

Invariant: a path that is no readable, non-empty, regular file never reaches a library.
"""

from __future__ import annotations

import os
from pathlib import Path

from camera_edge.capture.address import Address
from camera_edge.capture.demuxed import DemuxedRecording, unshown_packets
from camera_edge.capture.mp4 import read_header
from camera_edge.capture.opencv import PacketReader, Timeouts
from camera_edge.capture.packets import Recording, Shown
from camera_edge.capture.reader import FormatUnknownError
from camera_edge.capture.source import Closing, Counters, Grab, Source, SourceOptions
from camera_edge.errors import SourceError, UndecodableError


class RecordedFile(Closing):
    """A video file: as packets where they can be described, else as pictures."""

    live = False

    def __init__(self, address: Address, options: SourceOptions) -> None:
        self.name = address.name
        self._address = address
        self._options = options
        self._inner: Source | None = None

    @property
    def counters(self) -> Counters:
        return Counters() if self._inner is None else self._inner.counters

    @property
    def problem(self) -> str | None:
        return None if self._inner is None else self._inner.problem

    def fingerprint(self) -> str:
        return "" if self._inner is None else self._inner.fingerprint()

    def open(self) -> None:
        path = Path(self._address.location)
        check_file(path, self.name)
        timeouts = Timeouts(self._options.open_timeout_s, self._options.read_timeout_s, self._options.clock)
        reader = PacketReader(self._address, timeouts)
        header = read_header(path)
        unshown = unshown_packets(path) if header.trimmed else frozenset()
        self._inner = Recording(self.name, reader, self._options, Shown(header.rotation, unshown))
        try:
            self._inner.open()
        except FormatUnknownError:
            self._inner = DemuxedRecording(path, self.name, self._options)
            self._inner.open()

    def read(self) -> Grab | None:
        return None if self._inner is None else self._inner.read()

    def close(self) -> None:
        if self._inner is not None:
            self._inner.close()


def check_file(path: Path, name: str) -> None:
    """Raises `SourceError` for what is missing, unreadable or no file; `UndecodableError` for an empty one."""
    try:
        missing = not path.exists()
    except OSError as exc:
        raise SourceError("cannot be reached", where=name, hint="check the path and its permissions") from exc
    if missing:
        raise SourceError("there is no such file or folder", where=name, hint="check the path")
    if not path.is_file():
        raise SourceError("it is neither a regular file nor a folder", where=name, hint="give a video file")
    if not os.access(path, os.R_OK):
        raise SourceError("it may not be read", where=name, hint="check its permissions")
    if path.stat().st_size == 0:
        raise UndecodableError("the file is empty", where=name, hint="check that the recording was written")
