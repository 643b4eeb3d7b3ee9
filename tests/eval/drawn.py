"""Drawn recordings with ground truth in the layouts that the suites know, and a detector of a few bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_edge.inference import Contract, Output, PictureInput
from tests import onnx_bytes as onnx

Pixels = NDArray[np.uint8]

SIDE = 64
CELL = 32
CONTRACT = Contract(
    contract=1,
    input=PictureInput(name="images", width=SIDE, height=SIDE, channels="bgr", fit="letterbox"),
    output=Output(decoder="yolox", strides=(CELL,), classes=("person",)),
)


def detector() -> bytes:
    """YOLOX's output of a picture of 64 x 64: a person fills each quarter, as sure as that is bright."""
    at = np.full((1, 4, 4), 0.5, np.float32)
    at[..., 2:] = 0
    weights = [
        onnx.tensor("at", at),
        onnx.tensor("rows", np.array([1, 4, 1], "<i8")),
        onnx.tensor("white", np.array([255], "<f4")),
        onnx.tensor("sure", np.ones((1, 4, 1), "<f4")),
    ]
    nodes = [
        onnx.node("ReduceMean", ["images"], ["grey"], _ints("axes", 1)),
        onnx.node("AveragePool", ["grey"], ["cells"], _ints("kernel_shape", CELL, CELL), _ints("strides", CELL, CELL)),
        onnx.node("Reshape", ["cells", "rows"], ["column"]),
        onnx.node("Div", ["column", "white"], ["object"]),
        onnx.node("Concat", ["at", "object", "sure"], ["out"], _int("axis", 2)),
    ]
    ends = [onnx.value("images", onnx.FLOAT, (1, 3, SIDE, SIDE))], [onnx.value("out", onnx.FLOAT, (1, 4, 6))]
    return onnx.model(onnx.graph(nodes, *ends, weights))


def person(quarter: int | None, noise: int = 0) -> Pixels:
    """A dark picture of 64 x 64, BGR; one quarter is bright."""
    picture = np.full((SIDE, SIDE, 3), 20 + noise, np.uint8)
    if quarter is not None:
        row, column = divmod(quarter, 2)
        picture[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = 235
    return picture


def write_images(folder: Path, pictures: Sequence[Pixels], prefix: str = "", suffix: str = "png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures, start=1):
        assert cv2.imwrite(str(folder / f"{prefix}{number:06d}.{suffix}"), picture)


def write_mot(folder: Path, quarters: Sequence[int | None], *, scale: int = 1) -> None:
    """A sequence of MOTChallenge; its boxes are those of pictures that are `scale` times as large."""
    write_images(folder / "img1", [person(each) for each in quarters])
    lines = []
    for number, quarter in enumerate(quarters, start=1):
        if quarter is not None:
            row, column = divmod(quarter, 2)
            place = ",".join(str(each * CELL * scale) for each in (column, row, 1, 1))
            lines.append(f"{number},7,{place},1,-1,-1,-1\n")
    (folder / "gt").mkdir()
    (folder / "gt" / "gt.txt").write_text("".join(lines))
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname={folder.name}\nimDir=img1\nframeRate=25\nimWidth={SIDE * scale}\nimHeight={SIDE * scale}\n"
    )


def write_cdnet(folder: Path, frames: int = 150, first: int = 105) -> None:
    """A textured wall of 160 x 120, before which a block moves to and fro from frame 100 on."""
    random = np.random.default_rng(4)
    wall = cv2.resize(random.integers(60, 190, (15, 20, 3), np.uint8), (160, 120))
    pictures, labels = [], []
    for number in range(frames):
        picture = np.clip(wall + random.normal(0, 2, wall.shape), 0, 255).astype(np.uint8)
        label = np.zeros((120, 160), np.uint8)
        if number >= 100:
            left = 10 + abs((number - 100) * 5 % 200 - 100)
            picture[40:80, left : left + 30] = 250
            label[40:80, left : left + 30] = 255
        pictures.append(picture)
        labels.append(label)
    write_images(folder / "input", pictures, "in", "jpg")
    write_images(folder / "groundtruth", labels, "gt")
    (folder / "temporalROI.txt").write_text(f"{first} {frames}\n")
    cv2.imwrite(str(folder / "ROI.bmp"), np.full((120, 160), 255, np.uint8))


def write_ped(home: Path, *, frames: int = 40) -> None:
    """A path of 128 x 96 at 10 a second: blocks go along it, slowly; in the second half of the test one goes fast."""
    (home / "gt").mkdir(parents=True)
    (home / "mp4").mkdir()
    for number in (1, 2):
        _write_path(home / "mp4" / f"training_{number:02d}.mp4", number, frames, fast_from=frames)
    _write_path(home / "mp4" / "testing_01.mp4", 11, frames, fast_from=frames // 2)
    rows = [f"01,{frame:03d}.jpg,{int(frame >= frames // 2)}\n" for frame in range(frames)]
    (home / "gt" / "frame_labels.csv").write_text("clip,frame,anomalous\n" + "".join(rows))


def _write_path(path: Path, seed: int, frames: int, fast_from: int) -> None:
    wall = np.random.default_rng(4).integers(60, 150, (12, 16, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    random = np.random.default_rng(seed)
    starts = random.uniform(0, 140, 3)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (128, 96))
    for number in range(frames):
        picture = wall.copy()
        for row, start in zip((16, 40, 64), starts, strict=True):
            left = round(start + number * 1.5) % 140 - 10
            picture[row : row + 18, max(left, 0) : max(left + 8, 0)] = 230
        if number >= fast_from:
            left = (number - fast_from) * 8 % 140 - 10
            picture[42:60, max(left, 0) : max(left + 14, 0)] = 10
        writer.write(np.clip(picture + random.normal(0, 1.5, picture.shape), 0, 255).astype(np.uint8))
    writer.release()


def write_events(folder: Path, seconds: tuple[float, float], *, total_s: float = 8.0) -> None:
    """A folder of images, of which ten are a second, in which somebody is there between two seconds."""
    begin, end = (round(each * 10) for each in seconds)
    quarters = [0 if begin <= number <= end else None for number in range(round(total_s * 10))]
    write_images(folder / "door", [person(each, number % 2) for number, each in enumerate(quarters)])
    document = {"tolerance_frames": 2, "door": {"fps": 10, "person_present": [[begin, end]], "use": "a test"}}
    (folder / "events.json").write_text(json.dumps(document))


def _int(name: str, number: int) -> bytes:
    return onnx.block(1, name) + onnx.number(3, number) + onnx.number(20, 2)


def _ints(name: str, *numbers: int) -> bytes:
    return onnx.block(1, name) + b"".join(onnx.number(8, each) for each in numbers) + onnx.number(20, 7)
