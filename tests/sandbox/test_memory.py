from __future__ import annotations

import ctypes

import pytest

from camera_edge.sandbox.memory import GuestError, GuestMemory


@pytest.fixture
def memory() -> GuestMemory:
    # the bytes beyond the size are there, so that a missing check is seen and not a crash
    backing = (ctypes.c_ubyte * 128)(*range(128))
    memory = GuestMemory(ctypes.addressof(backing), lambda: 64)
    memory.__dict__["backing"] = backing
    return memory


def test_bytes_are_read_and_written_where_the_guest_says(memory: GuestMemory) -> None:
    memory.write(60, b"abcd")
    memory.write(0, memoryview(b"xy"))
    memory.write(2, memoryview(bytearray(b"z")))
    assert memory.read(60, 4) == b"abcd"
    assert memory.read(0, 4) == b"xyz\x03"
    assert memory.u32(4) == 0x07060504
    assert memory.size_bytes == 64


def test_nothing_at_the_very_end_is_inside(memory: GuestMemory) -> None:
    assert memory.read(64, 0) == b""
    memory.check(0, 64)


@pytest.mark.parametrize(
    ("pointer", "length"),
    [(61, 4), (64, 1), (0, 65), (-1, 1), (-4, 8), (0, -1), (-1, -1), (-(1 << 31), 4), (0, 1 << 32), (1 << 32, 1)],
)
def test_a_range_that_is_not_all_inside_is_refused(memory: GuestMemory, pointer: int, length: int) -> None:
    with pytest.raises(GuestError):
        memory.read(pointer, length)
    with pytest.raises(GuestError):
        memory.check(pointer, length)
    if 0 <= length <= 65:
        with pytest.raises(GuestError):
            memory.write(pointer, bytes(length))


def test_the_size_is_that_of_the_moment() -> None:
    backing = (ctypes.c_ubyte * 128)()
    size = 64
    memory = GuestMemory(ctypes.addressof(backing), lambda: size)
    with pytest.raises(GuestError):
        memory.read(100, 1)
    size = 128
    assert memory.read(100, 1) == b"\0"
