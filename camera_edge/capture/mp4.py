"""Reads from an MP4 or MOV file how its pictures are to be shown, which OpenCV's packets do not tell.

Reads a few boxes of the header and decodes nothing. Boxes: ISO/IEC 14496-12 (tkhd, hdlr, elst, ctts).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_LONGEST_HEADER_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Header:
    """rotation: clockwise degrees (0, 90, 180, 270) that make the pictures upright.

    trimmed: an edit list cuts off pictures that must be decoded but never shown.
    """

    rotation: int = 0
    trimmed: bool = False


def read_header(path: Path) -> Header:
    """What the first video track says; nothing for other containers and for headers that make no sense."""
    with path.open("rb") as file:
        if file.read(8)[4:] != b"ftyp":
            return Header()
        try:
            return _header(_movie(file))
        except (struct.error, ValueError):
            return Header()


def _movie(file: BinaryIO) -> bytes:
    """The content of the moov box, wherever it stands in the file."""
    at = 0
    while True:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        begin = 8
        if size == 1:
            size, begin = struct.unpack(">Q", file.read(8))[0], 16
        if kind == b"moov":
            return file.read(min(size - begin, _LONGEST_HEADER_BYTES))
        if size < begin:
            raise ValueError("no moov box")
        at += size


def _header(movie: bytes) -> Header:
    for track in _boxes(movie, b"trak"):
        media = _first(track, b"mdia")
        if _first(media, b"hdlr")[8:12] == b"vide":
            return Header(_rotation(_first(track, b"tkhd")), _trimmed(track, media))
    return Header()


def _boxes(content: bytes, wanted: bytes) -> Iterator[bytes]:
    at = 0
    while at + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        if size < 8:
            return
        if kind == wanted:
            yield content[at + 8 : at + size]
        at += size


def _first(content: bytes, *path: bytes) -> bytes:
    for kind in path:
        content = next(_boxes(content, kind), b"")
    return content


def _rotation(tkhd: bytes) -> int:
    """The matrix stands behind times whose width the version decides; its first row is (cos, sin)."""
    a, b = struct.unpack_from(">ii", tkhd, 52 if tkhd[:1] == b"\x01" else 40)
    degrees = round(math.degrees(math.atan2(b, a))) % 360
    return degrees if degrees in (90, 180, 270) else 0


def _trimmed(track: bytes, media: bytes) -> bool:
    """Whether the edit begins after the first picture, which is presented `ctts` after time 0 of the media."""
    edits = _first(track, b"edts", b"elst")
    if not edits:
        return False
    entry = ">qqi" if edits[0] == 1 else ">iii"
    starts = [start for _, start, _ in struct.iter_unpack(entry, edits[8 : 8 + _count(edits) * struct.calcsize(entry)])]
    offsets = _first(media, b"minf", b"stbl", b"ctts")
    first = struct.unpack_from(">i", offsets, 12)[0] if offsets else 0
    return sum(start >= 0 for start in starts) > 1 or any(start > first for start in starts)


def _count(table: bytes) -> int:
    return int(struct.unpack_from(">I", table, 4)[0])
