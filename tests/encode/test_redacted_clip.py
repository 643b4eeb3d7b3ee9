"""What lies under the paint is not in the file: redaction and encoder together, decoded again."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from camera_edge.encode import ClipEncoder, jpeg
from camera_edge.observation import Box
from camera_edge.picture import Picture, Plane
from camera_edge.redact import ALL, Grid, Hidden, paint

WIDTH, HEIGHT = 640, 480
GRID = Grid.for_size(WIDTH, HEIGHT)
SOMEONE = GRID.cover([Box(0.4, 0.3, 0.2, 0.4)], [])
SIZES = ((HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2), (HEIGHT // 2, WIDTH // 2))


def noise(seed: int) -> list[Plane]:
    random = np.random.default_rng(seed)
    return [random.integers(40, 200, size, np.uint8) for size in SIZES]


def hidden_pixels(plane: Plane) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    cell = SOMEONE.cell_px if plane.shape == SIZES[0] else SOMEONE.cell_px // 2
    return np.kron(SOMEONE.cells, np.ones((cell, cell), np.bool_))[: plane.shape[0], : plane.shape[1]]


def encode(path: Path, scenes: list[list[Plane]], hidden: Hidden = SOMEONE) -> list[av.VideoFrame]:
    with ClipEncoder(path, WIDTH, HEIGHT) as encoder:
        for number, (y, u, v) in enumerate(scenes):
            encoder.write(paint(Picture(y, u, v, y.copy), hidden), number * 40_000)
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def planes_of(frame: av.VideoFrame) -> list[Plane]:
    stacked = np.asarray(frame.to_ndarray(), np.uint8)
    u, v = stacked[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    return [stacked[:HEIGHT], u, v]


def test_hidden_areas_of_a_decoded_clip_carry_no_detail_in_any_plane(tmp_path: Path) -> None:
    frames = encode(tmp_path / "a.mp4", [noise(number) for number in range(5)])
    for frame in frames:
        for plane in planes_of(frame):
            # whole blocks of the mosaic, without the rim that the codec smears
            block = 4 * (SOMEONE.cell_px if plane.shape == SIZES[0] else SOMEONE.cell_px // 2)
            rim = block // 8
            hidden = hidden_pixels(plane)
            blocks = [
                np.s_[row : row + block, column : column + block]
                for row in range(0, plane.shape[0] - block, block)
                for column in range(0, plane.shape[1] - block, block)
                if hidden[row : row + block, column : column + block].all()
            ]
            assert blocks
            for window in blocks:
                # a block's average in this noise spreads by less than 2, a pixel by 46
                assert plane[window][rim:-rim, rim:-rim].std() < 4
            assert plane[~hidden_pixels(plane)].std() > 20


def test_two_scenes_with_the_same_averages_give_the_same_file(tmp_path: Path) -> None:
    block = 2 * SOMEONE.cell_px
    one, other = noise(1), noise(1)
    random = np.random.default_rng(9)
    for plane in other:
        side = block if plane.shape == SIZES[0] else block // 2
        hidden = hidden_pixels(plane)
        for row in range(0, plane.shape[0], side):
            for column in range(0, plane.shape[1], side):
                window = np.s_[row : row + side, column : column + side]
                plane[window][hidden[window]] = random.permutation(plane[window][hidden[window]])
    assert not np.array_equal(one[0], other[0])
    encode(tmp_path / "one.mp4", [one])
    encode(tmp_path / "other.mp4", [other])
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "other.mp4").read_bytes()


def test_wholly_hidden_frames_of_any_scene_give_the_same_file(tmp_path: Path) -> None:
    encode(tmp_path / "one.mp4", [noise(1)], ALL)
    encode(tmp_path / "other.mp4", [noise(2)], ALL)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "other.mp4").read_bytes()


def test_a_snapshot_carries_no_detail_where_it_is_hidden() -> None:
    everything = GRID.cover([Box(0.0, 0.0, 1.0, 1.0)], [])
    y, u, v = noise(1)
    data = jpeg(paint(Picture(y, u, v, y.copy), everything))
    decoder = av.CodecContext.create("mjpeg", "r")
    [frame] = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    cell = everything.cell_px
    for plane, side in zip(planes_of(frame), (cell, cell // 2, cell // 2), strict=True):
        for row in range(0, plane.shape[0] - side, side):
            for column in range(0, plane.shape[1] - side, side):
                assert plane[row + 1 : row + side - 1, column + 1 : column + side - 1].std() < 2
