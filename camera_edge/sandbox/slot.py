"""Reads the header of a slot, as the host wrote it into its ring.

Invariant: read from the host's ring, never from a guest's copy of it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from camera_edge.sandbox.ringmap import RingMap

# the beginning of the slot header of wasm_analyzers/ABI.md, up to `pixel_offset`
HEADER = struct.Struct("<IIQqIIIiiI")
_I420 = 3


@dataclass(frozen=True, slots=True)
class SlotHeader:
    """`previous` and `zones` count bytes from the header, 0: none. `size_bytes`: header and pixels."""

    width: int
    height: int
    previous: int
    zones: int
    size_bytes: int


def read_slot(ring: RingMap, offset: int) -> SlotHeader:
    """The slot at `offset` bytes from the start of the ring."""
    _, kind, _, _, width, height, stride, previous, zones, pixels = HEADER.unpack(ring.read(offset, HEADER.size))
    rows = height * 3 // 2 if kind == _I420 else height
    return SlotHeader(width, height, previous, zones, pixels + rows * stride)
