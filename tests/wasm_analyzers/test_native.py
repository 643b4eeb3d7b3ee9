"""The same C, built natively with the host's side of `native_host.c`, says what the sandboxed module says."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.sandbox import Answer
from camera_edge.toolchain import Language, build_native
from tests.guests import SDK, need

Gray = NDArray[np.uint8]
WIDTH, HEIGHT = 150, 110
HEADER = np.dtype(
    [
        ("abi", "<u4"),
        ("format", "<u4"),
        ("sequence", "<u8"),
        ("media_us", "<i8"),
        ("size", "<u4", 2),
        ("stride", "<u4"),
        ("offsets", "<i4", 2),
        ("pixel_offset", "<u4"),
        ("frame_size", "<u4", 2),
        ("reserved", "<u4", 2),
    ]
)


class NativeObservation(ctypes.Structure):
    _fields_ = [
        ("kind", ctypes.c_char * 64),
        ("attributes", ctypes.c_char * 256),
        *((name, ctypes.c_float) for name in ("score", "x", "y", "w", "h")),
        ("track", ctypes.c_int32),
    ]


class Running(Protocol):
    def look(self, gray: Gray, media_us: int) -> Answer: ...


OpenModule = Callable[..., Running]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    need(Language.C)
    built = tmp_path_factory.mktemp("native") / "motion.so"
    build_native(SDK.parent / "motion", built, SDK)
    library = ctypes.CDLL(str(built))
    library.native_analyze.argtypes = [ctypes.c_void_p]
    library.native_observations.restype = ctypes.POINTER(NativeObservation)
    library.native_mask.restype = ctypes.POINTER(ctypes.c_uint8)
    library.native_score.restype = ctypes.c_double
    return library


def walk(frames: int) -> list[Gray]:
    """Two squares that walk over a wall, seen with noise and a falling exposure."""
    generator = np.random.default_rng(4)
    wall = np.kron(generator.integers(80, 160, (14, 19)), np.ones((8, 8)))[:HEIGHT, :WIDTH]
    pictures = []
    for i in range(frames):
        picture = wall + generator.normal(0, 3, wall.shape)
        picture[20:50, 2 * i : 2 * i + 15] = 30
        picture[60:90, max(0, 130 - 3 * i) : max(0, 130 - 3 * i) + 15] = 220
        pictures.append(np.clip(picture * (1 if i < 40 else 0.8), 0, 255).astype(np.uint8))
    return pictures


def test_the_sandbox_says_what_native_code_says(library: ctypes.CDLL, open_module: OpenModule) -> None:
    running = open_module("motion", (WIDTH, HEIGHT))
    assert library.native_open() == 0
    slot = np.zeros(HEADER.itemsize + WIDTH * HEIGHT, np.uint8)
    header = slot[: HEADER.itemsize].view(HEADER)
    header["abi"], header["format"], header["size"], header["frame_size"] = 1, 1, (WIDTH, HEIGHT), (WIDTH, HEIGHT)
    header["stride"], header["pixel_offset"] = WIDTH, HEADER.itemsize
    seen = 0
    for i, picture in enumerate(walk(60)):
        header["sequence"], header["media_us"] = i, i * 200_000
        slot[HEADER.itemsize :] = picture.ravel()
        assert library.native_analyze(slot.ctypes.data) == 0
        answer = running.look(picture, i * 200_000)
        width, height = ctypes.c_uint32(), ctypes.c_uint32()
        pixels = library.native_mask(ctypes.byref(width), ctypes.byref(height))
        mask = np.ctypeslib.as_array(pixels, (height.value, width.value))
        assert answer.mask is not None and np.array_equal(answer.mask.pixels, mask)
        natives = library.native_observations()[: library.native_observation_count()]
        assert [(n.track, n.score, n.x, n.y, n.w, n.h) for n in natives] == [
            (o.track, o.score, o.box.x, o.box.y, o.box.w, o.box.h) for o in answer.observations
        ]
        assert [score.value for score in answer.scores] == ([library.native_score()] if answer.scores else [])
        seen += len(natives)
    assert seen > 50
