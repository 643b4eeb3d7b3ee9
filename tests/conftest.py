"""Recordings and modules for tests that run a camera's whole pipeline."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import wasmtime

from camera_edge.picture import Plane

# importing it as a baseline would ask a name server and write into the home folder
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# emits one and the same observation in every frame
EAGER = r"""
(import "camera_edge" "emit" (func $emit (param i32) (result i32)))
(memory (export "memory") 2)
(data (i32.const 64) "thing")
(data (i32.const 128) "\40\00\00\00" "\05\00\00\00" "\00\00\00\3f" "\ff\ff\ff\ff")
(data (i32.const 144) "\00\00\80\3e" "\00\00\80\3e" "\00\00\80\3e" "\00\00\80\3e" "\00\00\00\00" "\00\00\00\00")
(func (export "analyze") (param $slot i32) (result i32) (call $emit (i32.const 128)))
"""


@dataclass(frozen=True, slots=True)
class Take:
    """A recording: a textured wall, and a walker who is there between `walks`, in seconds. `stamps`: milliseconds.
    `flicker`: each frame is brighter or darker than its neighbours.

    The first four seconds are what `motion` learns the scene from.
    """

    size: tuple[int, int] = (320, 240)
    seconds: float = 11.0
    fps: int = 25
    codec: str = "libx264"
    pixels: str = "yuv420p"
    b_frames: int = 2
    walks: tuple[float, float] = (5.0, 7.0)
    rotation: int = 0
    flicker: bool = False
    stamps: tuple[int, ...] = ()


def scene(take: Take, at_s: float) -> Plane:
    """BGR. The walker is a third of the picture high and crosses it in six seconds."""
    width, height = take.size
    small = (max(width // 16, 4), max(height // 16, 4))
    noise = np.random.default_rng(5).integers(40, 200, (small[1], small[0], 3), np.uint8)
    picture = cv2.resize(noise, take.size, interpolation=cv2.INTER_LINEAR)
    begin_s, end_s = take.walks
    if begin_s <= at_s < end_s:
        left, top = round(width * (0.1 + (at_s - begin_s) / 6)), height // 3
        picture[top : top * 2, left : left + width // 8] = (20, 240, 240)
    if take.flicker:
        picture = picture + round(at_s * take.fps) * 37 % 56
    return picture.astype(np.uint8, copy=False)


def record(path: Path, take: Take) -> Path:
    count = len(take.stamps) or round(take.seconds * take.fps)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(take.codec, rate=take.fps)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *take.size, take.pixels
        # AVI has a chunk for each tick
        ticks_per_s = take.fps if path.suffix == ".avi" else 1000
        stream.codec_context.time_base = Fraction(1, ticks_per_s)
        stream.codec_context.gop_size = 25
        if take.codec == "libx264":
            stream.options = {"preset": "ultrafast", "crf": "18", "bf": str(take.b_frames), "b-adapt": "0"}
        if take.rotation:
            stream.set_display_rotation(take.rotation)
        for number in range(count):
            at_ms = take.stamps[number] if take.stamps else number * 1000 // take.fps
            frame = av.VideoFrame.from_ndarray(scene(take, at_ms / 1000), format="bgr24").reformat(format=take.pixels)
            frame.pts, frame.time_base = round(at_ms * ticks_per_s / 1000), Fraction(1, ticks_per_s)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def recording(tmp_path: Path) -> Callable[..., Path]:
    """Makes a recording: `recording("name.mp4", seconds=3, ...)`, with the fields of `Take`."""

    def make(name: str, **fields: Any) -> Path:
        return record(tmp_path / name, Take(**fields))

    return make


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven seconds of H.264 with B-frames at 25 a second; somebody walks from second 5 to 7."""
    return record(tmp_path_factory.mktemp("recordings") / "walk.mp4", Take())


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def module(tmp_path: Path) -> Callable[..., Path]:
    """A module of WebAssembly text with its manifest: `module("name", body, kinds=..., asks=..., version=...)`."""

    def make(name: str, body: str, **manifest: str) -> Path:
        kinds, asks = manifest.get("kinds", '"thing"'), manifest.get("asks", '"pixels"')
        version, more = manifest.get("version", "1"), manifest.get("more", "")
        folder = tmp_path / "modules" / f"{name}-{version}"
        folder.mkdir(parents=True)
        parts = [body]
        for export, text in (
            ('(export "memory")', '(memory (export "memory") 2)'),
            ('"camera_edge_abi"', '(func (export "camera_edge_abi") (result i32) (i32.const 1))'),
        ):
            if export not in body:
                parts.append(text)
        (folder / f"{name}.wasm").write_bytes(wasmtime.wat2wasm(f"(module {' '.join(parts)})"))
        (folder / "analyzer.toml").write_text(
            f'name = "{name}"\nversion = "{version}"\nabi = 1\nkinds = [{kinds}]\ncapabilities = [{asks}]\n{more}'
        )
        return folder / f"{name}.wasm"

    return make


@pytest.fixture
def eager(module: Callable[..., Path]) -> Path:
    """A module that sees a thing in the middle of every frame."""
    return module("eager", EAGER)
