from __future__ import annotations

from collections.abc import Callable

import av
import cv2
import numpy as np
import pytest

from camera_edge.encode import jpeg
from camera_edge.picture import Picture

MakePicture = Callable[..., Picture]


@pytest.mark.parametrize(("width", "height"), [(640, 480), (161, 121), (17, 9), (1, 1)])
def test_a_jpeg_has_the_size_of_its_picture(make_picture: MakePicture, width: int, height: int) -> None:
    decoded = cv2.imdecode(np.frombuffer(jpeg(make_picture(width, height)), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (height, width, 3)


@pytest.mark.parametrize("full_range", [False, True])
def test_a_jpeg_shows_the_colours_of_its_picture(full_range: bool) -> None:
    levels = (81, 90, 240) if not full_range else (76, 85, 255)
    y, u, v = (
        np.full(size, level, np.uint8) for size, level in zip(((64, 64), (32, 32), (32, 32)), levels, strict=True)
    )
    decoded = cv2.imdecode(np.frombuffer(jpeg(Picture(y, u, v, y.copy, full_range)), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert (np.abs(decoded.astype(int) - (0, 0, 255)) <= 4).all()


def test_a_jpeg_kept_as_a_packet_gives_the_picture_back(make_picture: MakePicture) -> None:
    picture = make_picture(320, 240, full_range=True)
    decoder = av.CodecContext.create("mjpeg", "r")
    [frame] = [*decoder.decode(av.Packet(jpeg(picture, 95))), *decoder.decode(None)]
    planes = frame.to_ndarray()
    assert frame.format.name == "yuvj420p"
    assert np.abs(planes[:240].astype(int) - picture.y).mean() < 2


def test_better_quality_is_larger(make_picture: MakePicture) -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 256, (240, 320), np.uint8)
    noise = Picture(y, y[:120, :160], y[120:, 160:], y.copy)
    assert len(jpeg(noise, 30)) < len(jpeg(noise, 85)) < len(jpeg(noise, 100))
    with pytest.raises(ValueError, match="quality is 0"):
        jpeg(noise, 0)


def test_the_same_picture_gives_the_same_bytes_without_the_name_of_a_library(make_picture: MakePicture) -> None:
    picture = make_picture(320, 240)
    assert jpeg(picture) == jpeg(picture)
    assert b"Lavc" not in jpeg(picture)
