from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from camera_edge.capture import Frame, SourceOptions, open_source
from camera_edge.clock import ManualClock
from camera_edge.errors import SourceError, UndecodableError


def picture(value: int, size: tuple[int, int] = (64, 48)) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((size[1], size[0], 3), (value, 100, 200), np.uint8)


def frames_in(path: Path, options: SourceOptions | None = None) -> list[Frame]:
    frames: list[Frame] = []
    with open_source(str(path), options) as source:
        while (grab := source.read()) is not None:
            assert grab.packet is None
            frames += grab.frames
    return frames


def test_images_come_in_the_natural_order_of_their_names(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        cv2.imwrite(str(tmp_path / f"img_{number}.png"), picture(number))
    frames = frames_in(tmp_path, SourceOptions(fps=4, clock=ManualClock(utc_ns=5)))
    assert [int(frame.picture.to_bgr()[0, 0, 0]) for frame in frames] == [1, 2, 10]
    assert [(frame.id, frame.media_us) for frame in frames] == [(0, 0), (1, 250_000), (2, 500_000)]
    assert [frame.utc_ns for frame in frames] == [5, 250_000_005, 500_000_005]


def test_a_broken_image_is_counted_and_keeps_its_number(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture(1))
    (tmp_path / "b.png").write_text("no image")
    cv2.imwrite(str(tmp_path / "c.png"), picture(3))
    (tmp_path / "notes.txt").write_text("not meant")
    with open_source(str(tmp_path)) as source:
        first, third = source.read(), source.read()
        assert source.read() is None
        assert source.counters.corrupt == 1
    assert first is not None
    assert third is not None
    assert [frame.id for frame in first.frames + third.frames] == [0, 2]


def test_another_size_starts_an_epoch(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture(1))
    cv2.imwrite(str(tmp_path / "b.png"), picture(1, (33, 21)))
    frames = frames_in(tmp_path)
    assert [(frame.epoch, frame.picture.width, frame.picture.height) for frame in frames] == [(0, 64, 48), (1, 33, 21)]
    assert frames[1].picture.u.shape == (11, 17)


def test_planes_are_those_of_the_colours(tmp_path: Path) -> None:
    """ITU-R BT.601, video range: Y = 16 + (65.5 R + 128.6 G + 25 B) / 255."""
    cv2.imwrite(str(tmp_path / "odd.png"), picture(50, (33, 21)))
    planes = frames_in(tmp_path)[0].picture
    expected = 16 + (65.481 * 200 + 128.553 * 100 + 24.966 * 50) / 255
    assert abs(int(planes.y[20, 32]) - expected) <= 1
    assert planes.y.min() == planes.y.max()
    assert not planes.full_range


def test_one_image_is_a_recording_of_one_frame(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "one.jpg"), picture(1))
    assert len(frames_in(tmp_path / "one.jpg")) == 1


def test_what_holds_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_text("no image")
    with pytest.raises(UndecodableError, match="none of its images"):
        frames_in(tmp_path)
    with pytest.raises(SourceError, match="no such file"):
        frames_in(tmp_path / "missing.png")


def test_an_image_whose_name_is_not_utf_8_is_a_frame(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture(7))
    (tmp_path / "a.png").rename(Path(os.fsdecode(bytes(tmp_path / "caf") + b"\xe9.png")))
    (frame,) = frames_in(tmp_path)
    assert int(frame.picture.to_bgr()[0, 0, 0]) == 7


def test_an_empty_file_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(UndecodableError):
        frames_in(tmp_path)
