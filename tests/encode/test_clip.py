from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from camera_edge.encode import ClipEncoder, ClipFile, ClipOptions
from camera_edge.errors import OutputError
from camera_edge.picture import Picture, Plane

MakePicture = Callable[..., Picture]


@dataclass(frozen=True, slots=True)
class Decoded:
    pts_us: list[int]
    frames: list[av.VideoFrame]
    duration_us: int

    def luma(self, number: int) -> Plane:
        frame = self.frames[number]
        planes = frame.to_ndarray()
        return np.asarray(planes[: frame.height], np.uint8)


def decode(path: Path) -> Decoded:
    with av.open(str(path)) as container:
        [stream] = container.streams.video
        frames = list(container.decode(stream))
        times = [round(float(frame.time) * 1e6) for frame in frames]
        assert stream.codec_context.name == "h264"
        assert stream.duration is not None and stream.time_base is not None
        return Decoded(times, frames, round(float(stream.duration * stream.time_base) * 1e6))


def record(path: Path, pictures: list[Picture], times_us: list[int], options: ClipOptions | None = None) -> ClipFile:
    with ClipEncoder(path, pictures[0].width, pictures[0].height, options) as encoder:
        for picture, at_us in zip(pictures, times_us, strict=True):
            encoder.write(picture, at_us)
    return encoder.close()


def boxes(path: Path) -> list[bytes]:
    data, kinds, at = path.read_bytes(), [], 0
    while at < len(data):
        kinds.append(data[at + 4 : at + 8])
        at += int.from_bytes(data[at : at + 4], "big")
    return kinds


def test_a_clip_has_every_picture_at_its_own_time(tmp_path: Path, make_picture: MakePicture) -> None:
    times = [7_000_000, 7_040_000, 7_100_000, 7_300_000, 7_320_000]
    pictures = [make_picture(320, 240, step) for step in range(5)]
    result = record(tmp_path / "a.mp4", pictures, times)
    clip = decode(tmp_path / "a.mp4")
    assert clip.pts_us == pytest.approx([0, 40_000, 100_000, 300_000, 320_000], abs=12)
    assert result.frames == 5
    assert result.duration_us == pytest.approx(360_000, abs=12)
    assert clip.duration_us == pytest.approx(result.duration_us, abs=12)
    assert result.bytes == (tmp_path / "a.mp4").stat().st_size
    for number, picture in enumerate(pictures):
        assert np.abs(clip.luma(number).astype(int) - picture.y).mean() < 3


def test_a_clip_is_what_browsers_play(tmp_path: Path, make_picture: MakePicture) -> None:
    record(tmp_path / "a.mp4", [make_picture(320, 240, step) for step in range(30)], [n * 40_000 for n in range(30)])
    frame = decode(tmp_path / "a.mp4").frames[0]
    assert (frame.format.name, frame.color_range) == ("yuv420p", ColorRange.MPEG)
    kinds = boxes(tmp_path / "a.mp4")
    assert kinds.index(b"moov") < kinds.index(b"mdat")
    assert frame.pts == 0


def test_the_same_pictures_give_the_same_bytes(tmp_path: Path, make_picture: MakePicture) -> None:
    for name in ("a.mp4", "b.mp4"):
        record(tmp_path / name, [make_picture(320, 240, step) for step in range(20)], [n * 40_000 for n in range(20)])
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert b"Lavf" not in (tmp_path / "a.mp4").read_bytes()


@pytest.mark.parametrize(("width", "height"), [(161, 121), (160, 121), (161, 120), (17, 9), (3, 3), (2, 2), (1, 1)])
def test_odd_and_tiny_sizes_are_cropped_to_even(
    tmp_path: Path, make_picture: MakePicture, width: int, height: int
) -> None:
    picture = make_picture(width, height)
    record(tmp_path / "a.mp4", [picture], [0])
    luma = decode(tmp_path / "a.mp4").luma(0)
    assert luma.shape == (max(height // 2 * 2, 2), max(width // 2 * 2, 2))
    if min(width, height) > 1:
        assert np.abs(luma.astype(int) - picture.y[: luma.shape[0], : luma.shape[1]]).mean() < 6


def test_pictures_of_another_size_are_scaled_to_the_clip(tmp_path: Path, make_picture: MakePicture) -> None:
    y = np.zeros((480, 640), np.uint8) + np.linspace(40, 200, 640).astype(np.uint8)
    u = np.full((240, 320), 128, np.uint8)
    other = Picture(y, u, u, y.copy)
    record(tmp_path / "a.mp4", [make_picture(320, 240), other, make_picture(161, 121)], [0, 40_000, 80_000])
    clip = decode(tmp_path / "a.mp4")
    assert {frame.width for frame in clip.frames} == {320}
    assert np.abs(clip.luma(1)[120].astype(int) - np.linspace(40, 200, 320)).max() < 6


def test_full_range_pictures_come_out_in_video_range(tmp_path: Path) -> None:
    y = np.repeat(np.array([[0, 255]], np.uint8), 32, axis=1).repeat(64, axis=0)
    u, v = np.full((32, 32), 255, np.uint8), np.full((32, 32), 0, np.uint8)
    record(tmp_path / "a.mp4", [Picture(y, u, v, y.copy, full_range=True)], [0])
    frame = decode(tmp_path / "a.mp4").frames[0].to_ndarray()
    shown = [int(frame[row, column]) for row, column in ((5, 5), (5, 60), (66, 5), (85, 5))]
    assert shown == pytest.approx([16, 235, 240, 16], abs=2)


def test_times_that_stand_still_or_run_backwards_lose_no_picture(tmp_path: Path, make_picture: MakePicture) -> None:
    record(tmp_path / "a.mp4", [make_picture(320, 240, step) for step in range(4)], [50, 50, 10, 40_050])
    clip = decode(tmp_path / "a.mp4")
    assert len(clip.frames) == 4
    assert clip.pts_us == sorted(set(clip.pts_us))


def test_closing_twice_gives_the_same_answer(tmp_path: Path, make_picture: MakePicture) -> None:
    encoder = ClipEncoder(tmp_path / "a.mp4", 320, 240)
    encoder.open()
    encoder.write(make_picture(320, 240), 0)
    assert encoder.close() == encoder.close()
    encoder.abort()


def test_a_clip_without_pictures_says_so(tmp_path: Path) -> None:
    encoder = ClipEncoder(tmp_path / "a.mp4", 320, 240)
    encoder.open()
    assert encoder.close().frames == 0


def test_an_error_in_between_gives_the_file_up(tmp_path: Path, make_picture: MakePicture) -> None:
    with pytest.raises(KeyError), ClipEncoder(tmp_path / "a.mp4", 320, 240) as encoder:
        encoder.write(make_picture(320, 240), 0)
        raise KeyError
    with pytest.raises(RuntimeError, match="not open"):
        encoder.close()


def test_a_missing_folder_is_an_output_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file") as refused:
        ClipEncoder(tmp_path / "absent" / "a.mp4", 320, 240).open()
    assert refused.value.exit_code == 73
    assert "folder" in (refused.value.hint or "")


def test_a_full_disk_is_an_output_error_that_says_so(make_picture: MakePicture) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    encoder = ClipEncoder(full, 320, 240)
    with pytest.raises(OutputError, match="No space") as refused:
        encoder.open()
        for step in range(10):
            encoder.write(make_picture(320, 240, step), step * 40_000)
        encoder.close()
    encoder.abort()
    assert "space" in (refused.value.hint or "")
