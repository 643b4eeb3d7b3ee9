"""Finds the parameter sets of H.264 and H.265 in Annex B packets, to see when a stream changes.

Pure. NAL unit types: ITU-T H.264 table 7-1, ITU-T H.265 table 7-1; byte stream format: Annex B of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_START = b"\x00\x00\x01"
_H264_SLICES = range(1, 6)
_H264_SPS, _H264_PPS = 7, 8
_HEVC_SLICES = range(32)
_HEVC_VPS, _HEVC_SPS, _HEVC_PPS = 32, 33, 34


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """sequence: what decides size and format (SPS). all: everything a decoder needs before a slice. Both Annex B."""

    sequence: bytes
    all: bytes


def is_annexb(data: bytes | None) -> bool:
    return data is not None and data.startswith((_START, b"\x00" + _START))


def parameter_sets(codec: str, data: bytes) -> ParameterSets | None:
    """Those that stand before the first slice of a packet; None without an SPS, or for another codec."""
    if codec not in ("h264", "hevc"):
        return None
    is_h264 = codec == "h264"
    slices = _H264_SLICES if is_h264 else _HEVC_SLICES
    wanted = (_H264_SPS, _H264_PPS) if is_h264 else (_HEVC_VPS, _HEVC_SPS, _HEVC_PPS)
    sequence, everything = b"", b""
    for start in _units(data):
        kind = data[start] & 31 if is_h264 else data[start] >> 1 & 63
        if kind in slices:
            break
        if kind not in wanted:
            continue
        end = data.find(_START, start)
        unit = b"\x00" + _START + data[start : end if end >= 0 else len(data)].rstrip(b"\x00")
        everything += unit
        if kind in (_H264_SPS, _HEVC_SPS):
            sequence += unit
    return ParameterSets(sequence, everything) if sequence else None


def _units(data: bytes) -> Iterator[int]:
    """Where each NAL unit begins; lazily, so that the slices, which are most of a packet, are never scanned."""
    at = data.find(_START)
    while at >= 0 and at + 3 < len(data):
        yield at + 3
        at = data.find(_START, at + 3)
