"""Holds the newest frames of one view in a memfd that sandboxes map (or, where there is none, copy from).

Invariant: a slot that somebody still reads, and the slot before it, are never written over. Where no slot is free
the new frame loses: it is not written, and counted in `dropped`.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from dataclasses import dataclass
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from camera_edge.frames.view import View
from camera_edge.picture import Picture

# the slot header of wasm_analyzers/ABI.md
HEADER = struct.Struct("<IIQqIIIiiIII8x")
HEADER_BYTES = HEADER.size
# a WebAssembly page; covers the 16 KiB and 64 KiB pages of some ARM kernels too
SLOT_ALIGNMENT = 65536
ABI = 1
SLOTS_MIN = 3


@dataclass(frozen=True, slots=True)
class Slot:
    """A frame in the ring, leased until it is released. `offset` counts bytes from the start of the ring."""

    index: int
    offset: int
    sequence: int
    media_us: int


class Ring:
    """A bounded ring of slots: one thread writes, any thread releases. `close()` frees it for this process.

    At least three slots: the newest, the one before, and one to write. The map of zones, uint8 (view.height,
    view.width), follows the slots, once for all of them.
    """

    def __init__(self, view: View, *, slots: int = 4, zones: NDArray[np.uint8] | None = None) -> None:
        if slots < SLOTS_MIN:
            raise ValueError(f"a ring of {slots} slots cannot hold a frame, its previous one and the next")
        if zones is not None and zones.shape != (view.height, view.width):
            raise ValueError(f"the map of zones is {zones.shape}, the view {view.height} x {view.width}")
        self.view = view
        self.slots = slots
        self.dropped = 0
        self._slot_bytes = _aligned(HEADER_BYTES + view.pixel_bytes)
        self._zones_offset = self._slot_bytes * slots if zones is not None else 0
        self.size_bytes = self._slot_bytes * slots + (_aligned(zones.size) if zones is not None else 0)
        self.fd = _memfd(f"camera-edge-{view.format.name.lower()}", self.size_bytes)
        self._map = mmap.mmap(-1 if self.fd is None else self.fd, self.size_bytes)
        self._bytes: NDArray[np.uint8] = np.frombuffer(self._map, np.uint8)
        if zones is not None:
            self._bytes[self._zones_offset : self._zones_offset + zones.size] = zones.reshape(-1)
        self._lock = threading.Lock()
        self._readers = [0] * slots
        self._previous: dict[int, int] = {}
        self._newest: int | None = None
        self._closed = False

    def write(self, picture: Picture, *, sequence: int, media_us: int) -> Slot | None:
        """Draw `picture` into a free slot and lease it, together with the slot before. None: no slot was free."""
        with self._lock:
            if self._closed:
                raise ValueError("the ring is closed")
            index = self._free_slot()
            if index is None:
                self.dropped += 1
                return None
            previous = self._newest
        # nobody else knows of the slot yet, so drawing needs no lock and releases do not wait for it
        offset = index * self._slot_bytes
        slot = Slot(index, offset, sequence, media_us)
        self.view.draw(picture, self._bytes[offset + HEADER_BYTES : offset + HEADER_BYTES + self.view.pixel_bytes])
        self._write_header(slot, picture, previous)
        with self._lock:
            self._readers[index] += 1
            if previous is not None:
                self._readers[previous] += 1
                self._previous[index] = previous
            self._newest = index
        return slot

    def release(self, slot: Slot) -> None:
        """Give the slot and its previous one back. A slot is released once."""
        with self._lock:
            if self._readers[slot.index] == 0 or not self._holds(slot):
                raise ValueError(f"slot {slot.index} of frame {slot.sequence} is not leased")
            self._readers[slot.index] -= 1
            previous = self._previous.pop(slot.index, None)
            if previous is not None:
                self._readers[previous] -= 1

    def pixels(self, slot: Slot) -> NDArray[np.uint8]:
        """The pixels of a leased slot, read-only, uint8 (view.pixel_bytes,)."""
        start = slot.offset + HEADER_BYTES
        pixels = self._bytes[start : start + self.view.pixel_bytes].view()
        pixels.flags.writeable = False
        return pixels

    @property
    def memory(self) -> memoryview:
        """All bytes of the ring, for a sandbox that copies frames."""
        return memoryview(self._map)

    def close(self) -> None:
        """Idempotent. Sandboxes that map the ring keep what they map."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        del self._bytes
        # a view that somebody still holds keeps the mapping alive; it goes with the last of them
        try:
            self._map.close()
        except BufferError:
            del self._map
        if self.fd is not None:
            os.close(self.fd)

    def __enter__(self) -> Ring:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _free_slot(self) -> int | None:
        """The newest slot is not free even when nobody reads it: the next frame's `previous` points to it."""
        free = (i for i in range(self.slots) if self._readers[i] == 0 and i != self._newest)
        start = 0 if self._newest is None else self._newest + 1
        return min(free, key=lambda i: (i - start) % self.slots, default=None)

    def _holds(self, slot: Slot) -> bool:
        sequence: int = HEADER.unpack_from(self._map, slot.offset)[2]
        return sequence == slot.sequence

    def _write_header(self, slot: Slot, picture: Picture, previous: int | None) -> None:
        HEADER.pack_into(
            self._map,
            slot.offset,
            ABI,
            int(self.view.format),
            slot.sequence,
            slot.media_us,
            self.view.width,
            self.view.height,
            self.view.stride_bytes,
            (previous - slot.index) * self._slot_bytes if previous is not None else 0,
            self._zones_offset - slot.offset if self._zones_offset else 0,
            HEADER_BYTES,
            picture.width,
            picture.height,
        )


def _memfd(name: str, size_bytes: int) -> int | None:
    """None where this kernel has none: the ring is then memory of this process alone."""
    try:
        fd = os.memfd_create(name, os.MFD_CLOEXEC)
    except (AttributeError, OSError):
        return None
    os.ftruncate(fd, size_bytes)
    return fd


def _aligned(size_bytes: int) -> int:
    return -(-size_bytes // SLOT_ALIGNMENT) * SLOT_ALIGNMENT
