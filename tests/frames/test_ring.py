from __future__ import annotations

import mmap
import os
import queue
import threading
from collections.abc import Callable

import numpy as np
import pytest

from camera_edge.frames import HEADER, HEADER_BYTES, SLOT_ALIGNMENT, Ring, Slot, View
from camera_edge.picture import Picture, PixelFormat

MakePicture = Callable[..., Picture]
VIEW = View(PixelFormat.GRAY8, 80, 60)


def header(ring: Ring, offset: int) -> tuple[int, ...]:
    return HEADER.unpack(ring.memory[offset : offset + HEADER_BYTES])


def test_a_slot_holds_the_header_of_the_abi_and_the_scaled_picture(make_picture: MakePicture) -> None:
    with Ring(VIEW) as ring:
        slot = ring.write(make_picture(161, 121), sequence=7, media_us=280_000)
        assert slot is not None
        assert header(ring, slot.offset) == (1, 1, 7, 280_000, 80, 60, 80, 0, 0, 64, 161, 121)
        expected = np.zeros(VIEW.pixel_bytes, np.uint8)
        VIEW.draw(make_picture(161, 121), expected)
        assert ring.fd is not None
        assert os.pread(ring.fd, VIEW.pixel_bytes, slot.offset + 64) == expected.tobytes()
        assert np.array_equal(ring.pixels(slot), expected)


def test_slots_lie_on_webassembly_pages(make_picture: MakePicture) -> None:
    with Ring(View(PixelFormat.RGB24, 200, 150)) as ring:
        offsets = [
            slot.offset for i in range(3) if (slot := ring.write(make_picture(200, 150), sequence=i, media_us=i))
        ]
        assert offsets == [0, 2 * SLOT_ALIGNMENT, 4 * SLOT_ALIGNMENT]
        assert ring.size_bytes == 8 * SLOT_ALIGNMENT


def test_previous_points_to_the_slot_written_before(make_picture: MakePicture) -> None:
    picture = make_picture(161, 121)
    with Ring(VIEW, slots=3) as ring:
        for sequence in range(9):
            slot = ring.write(picture, sequence=sequence, media_us=0)
            assert slot is not None
            previous = header(ring, slot.offset)[7]
            if sequence:
                assert header(ring, slot.offset + previous)[2] == sequence - 1
            else:
                assert previous == 0
            ring.release(slot)


def test_zones_lie_behind_the_slots_and_every_header_points_there(make_picture: MakePicture) -> None:
    zones = np.arange(VIEW.pixel_bytes, dtype=np.uint8).reshape(60, 80)
    with Ring(VIEW, zones=zones) as ring:
        for sequence in range(2):
            slot = ring.write(make_picture(161, 121), sequence=sequence, media_us=0)
            assert slot is not None
            at = slot.offset + header(ring, slot.offset)[8]
            assert ring.memory[at : at + zones.size] == zones.tobytes()


def test_where_no_slot_is_free_the_new_frame_loses_and_is_counted(make_picture: MakePicture) -> None:
    picture = make_picture(161, 121)
    with Ring(VIEW, slots=4) as ring:
        slots = [ring.write(picture, sequence=i, media_us=0) for i in range(6)]
        assert [slot is None for slot in slots] == [False] * 4 + [True] * 2
        assert ring.dropped == 2


def test_a_leased_slot_and_its_previous_are_never_written_over(make_picture: MakePicture) -> None:
    with Ring(VIEW, slots=4) as ring:
        first = ring.write(make_picture(161, 121, seed=1), sequence=1, media_us=0)
        leased = ring.write(make_picture(161, 121, seed=2), sequence=2, media_us=0)
        assert first is not None and leased is not None
        ring.release(first)
        before = [ring.pixels(slot).tobytes() for slot in (first, leased)]
        for sequence in range(3, 20):
            if slot := ring.write(make_picture(161, 121, seed=sequence), sequence=sequence, media_us=0):
                ring.release(slot)
        assert [ring.pixels(slot).tobytes() for slot in (first, leased)] == before
        assert ring.dropped == 0


def test_a_released_slot_is_used_again(make_picture: MakePicture) -> None:
    picture = make_picture(161, 121)
    with Ring(VIEW, slots=3) as ring:
        held = [ring.write(picture, sequence=i, media_us=0) for i in range(3)]
        assert ring.write(picture, sequence=3, media_us=0) is None
        for slot in held[:2]:
            assert slot is not None
            ring.release(slot)
        again = ring.write(picture, sequence=4, media_us=0)
        assert again is not None and again.index == 0


def test_the_newest_slot_waits_for_the_frame_that_calls_it_previous(make_picture: MakePicture) -> None:
    picture = make_picture(161, 121)
    with Ring(VIEW, slots=3) as ring:
        slots = [slot for i in range(3) if (slot := ring.write(picture, sequence=i, media_us=0))]
        ring.release(slots[2])
        assert ring.write(picture, sequence=3, media_us=0) is None
        assert header(ring, slots[2].offset)[2] == 2


def test_a_slot_is_released_once(make_picture: MakePicture) -> None:
    with Ring(VIEW) as ring:
        slot = ring.write(make_picture(161, 121), sequence=0, media_us=0)
        assert slot is not None
        ring.release(slot)
        with pytest.raises(ValueError, match="not leased"):
            ring.release(slot)


def test_one_thread_writes_while_another_releases(make_picture: MakePicture) -> None:
    picture = make_picture(32, 24)
    slots: queue.SimpleQueue[Slot | None] = queue.SimpleQueue()
    with Ring(View(PixelFormat.GRAY8, 16, 12), slots=4) as ring:

        def release_all() -> None:
            while slot := slots.get():
                ring.release(slot)

        reader = threading.Thread(target=release_all)
        reader.start()
        kept = 0
        for sequence in range(400):
            if slot := ring.write(picture, sequence=sequence, media_us=0):
                slots.put(slot)
                kept += 1
        slots.put(None)
        reader.join(timeout=10)
        assert not reader.is_alive()
        assert kept + ring.dropped == 400
        assert ring.write(picture, sequence=400, media_us=0) is not None


def test_closing_is_idempotent_and_keeps_what_others_map(make_picture: MakePicture) -> None:
    ring = Ring(VIEW)
    slot = ring.write(make_picture(161, 121), sequence=3, media_us=0)
    assert slot is not None
    pixels = ring.pixels(slot)
    assert ring.fd is not None
    mapped = mmap.mmap(ring.fd, ring.size_bytes, prot=mmap.PROT_READ)
    ring.close()
    ring.close()
    assert HEADER.unpack_from(mapped, slot.offset)[2] == 3
    assert mapped[slot.offset + 64 : slot.offset + 64 + VIEW.pixel_bytes] == pixels.tobytes()
    with pytest.raises(ValueError, match="closed"):
        ring.write(make_picture(161, 121), sequence=4, media_us=0)


def test_where_the_kernel_has_no_memfd_the_ring_is_memory_of_this_process(
    make_picture: MakePicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    with Ring(VIEW) as ring:
        assert ring.fd is None
        slot = ring.write(make_picture(161, 121), sequence=7, media_us=0)
        assert slot is not None
        assert header(ring, slot.offset)[2] == 7


def test_a_ring_without_room_for_the_next_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="2 slots"):
        Ring(VIEW, slots=2)


def test_a_map_of_zones_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="map of zones"):
        Ring(VIEW, zones=np.zeros((61, 80), np.uint8))
