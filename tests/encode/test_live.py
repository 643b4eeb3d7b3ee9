from __future__ import annotations

from collections.abc import Callable

import av
import numpy as np
import pytest

from camera_edge.encode import EncodedFrame, LiveEncoder
from camera_edge.picture import Picture

MakePicture = Callable[..., Picture]
IDR, SPS, PPS = 5, 7, 8


def nal_units(data: bytes) -> list[bytes]:
    return [unit.rstrip(b"\0") for unit in data.split(b"\0\0\1")[1:]]


def kinds(data: bytes) -> list[int]:
    return [unit[0] & 31 for unit in nal_units(data)]


def run(encoder: LiveEncoder, pictures: list[Picture], forced: int | None = None) -> list[EncodedFrame]:
    encoded = []
    for number, picture in enumerate(pictures):
        [frame] = encoder.encode(picture, number * 66_667, force_key=number == forced)
        encoded.append(frame)
    return encoded


def test_every_picture_comes_out_at_once_with_its_own_time(make_picture: MakePicture) -> None:
    encoded = run(LiveEncoder(640, 360, 15), [make_picture(640, 360, step) for step in range(5)])
    assert [frame.pts_us for frame in encoded] == [number * 66_667 for number in range(5)]


def test_a_key_frame_comes_about_every_second_and_when_it_is_forced(make_picture: MakePicture) -> None:
    encoded = run(LiveEncoder(320, 240, 15), [make_picture(320, 240, step) for step in range(40)], forced=20)
    assert [number for number, frame in enumerate(encoded) if frame.key] == [0, 15, 20, 35]


def test_every_key_frame_is_an_idr_with_its_parameter_sets_in_annex_b(make_picture: MakePicture) -> None:
    encoded = run(LiveEncoder(320, 240, 5), [make_picture(320, 240, step) for step in range(12)], forced=7)
    for frame in encoded:
        assert frame.data.startswith((b"\0\0\0\1", b"\0\0\1"))
        assert ({SPS, PPS, IDR} <= set(kinds(frame.data))) is frame.key


def test_the_stream_is_constrained_baseline_level_31(make_picture: MakePicture) -> None:
    [first] = run(LiveEncoder(1280, 720, 15), [make_picture(1280, 720)])
    sps = next(unit for unit in nal_units(first.data) if unit[0] & 31 == SPS)
    profile, constraints, level = sps[1:4]
    assert (profile, level) == (66, 31)
    assert constraints & 0b0100_0000


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (1920, 1080, (1280, 720)),
        (3840, 2160, (1280, 720)),
        (1080, 1920, (720, 1280)),
        (1600, 1200, (960, 720)),
        (640, 480, (640, 480)),
        (161, 121, (160, 120)),
    ],
)
def test_large_pictures_are_scaled_down_and_small_ones_are_not_scaled_up(
    make_picture: MakePicture, width: int, height: int, size: tuple[int, int]
) -> None:
    encoder = LiveEncoder(width, height, 15)
    [frame] = run(encoder, [make_picture(width, height)])
    decoder = av.CodecContext.create("h264", "r")
    [decoded] = [*decoder.decode(av.Packet(frame.data)), *decoder.decode(None)]
    assert (decoded.width, decoded.height) == (encoder.width, encoder.height) == size


def test_a_viewer_that_starts_at_any_key_frame_sees_the_picture(make_picture: MakePicture) -> None:
    pictures = [make_picture(320, 240, step) for step in range(20)]
    encoded = run(LiveEncoder(320, 240, 15), pictures)
    decoder = av.CodecContext.create("h264", "r")
    shown = [image for frame in encoded[15:] for image in decoder.decode(av.Packet(frame.data))]
    shown += decoder.decode(None)
    assert len(shown) == 5
    for image, picture in zip(shown, pictures[15:], strict=True):
        assert np.abs(image.to_ndarray()[:240].astype(int) - picture.y).mean() < 4


def test_the_burst_of_a_key_frame_is_bounded_even_for_noise() -> None:
    random = np.random.default_rng(3)
    y = random.integers(0, 256, (720, 1280), np.uint8)
    u = random.integers(0, 256, (360, 640), np.uint8)
    encoder = LiveEncoder(1280, 720, 15)
    for number in range(3):
        [frame] = encoder.encode(Picture(y, u, u, y.copy), number * 66_667, force_key=number == 2)
    # 128 packets of about 1200 bytes are what a sender remembers for repetition
    assert frame.key
    assert len(frame.data) < 128 * 1200


def test_times_that_stand_still_are_moved_on(make_picture: MakePicture) -> None:
    encoder = LiveEncoder(320, 240, 15)
    times = [encoder.encode(make_picture(320, 240), at_us)[0].pts_us for at_us in (100, 100, 50, 1000)]
    assert times == [100, 101, 102, 1000]


def test_an_encoder_that_was_closed_starts_again_with_a_key_frame(make_picture: MakePicture) -> None:
    encoder = LiveEncoder(320, 240, 15)
    encoder.encode(make_picture(320, 240), 0)
    encoder.close()
    encoder.close()
    [frame] = encoder.encode(make_picture(320, 240), 66_667)
    assert frame.key
