"""Video files as they are and as they should not be, through `open_source`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from camera_edge.capture import Frame, Packet, PacketDecoder, Source, Stream, open_source
from camera_edge.errors import CameraEdgeError, SourceError, UndecodableError

Make = Callable[..., Path]


def frames_of(source: Source) -> list[Frame]:
    frames: list[Frame] = []
    while (grab := source.read()) is not None:
        frames += grab.frames
    return frames


def frames_in(path: Path) -> list[Frame]:
    with open_source(str(path)) as source:
        return frames_of(source)


def assert_same_as_opencv(path: Path, limit: int = 10_000) -> int:
    """Same number of pictures, same numbers, same pixels as a plain `cv2.VideoCapture.read()` loop."""
    plain = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    count = 0
    with open_source(str(path)) as source:
        while (grab := source.read()) is not None:
            for frame in grab.frames:
                assert frame.id == count
                count += 1
                ok, expected = plain.read()
                assert ok
                if count <= limit:
                    np.testing.assert_array_equal(frame.picture.to_bgr(), expected)
    assert not plain.read()[0]
    plain.release()
    return count


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("plain.mp4", {}),
        ("b_frames.mp4", {"b_frames": 3}),
        ("b_frames.mkv", {"b_frames": 3}),
        ("b_frames.ts", {"b_frames": 3}),
        ("h265.mp4", {"codec": "libx265", "b_frames": 3}),
        ("mjpeg.avi", {"codec": "mjpeg", "pixels": "yuvj420p"}),
        ("mjpeg422.avi", {"codec": "mjpeg", "pixels": "yuvj422p"}),
        ("mpeg4.mp4", {"codec": "mpeg4"}),
        ("mpeg4.avi", {"codec": "mpeg4"}),
        ("vp9.webm", {"codec": "libvpx-vp9", "count": 8}),
        ("grey.mp4", {"pixels": "gray"}),
        ("odd.avi", {"codec": "mjpeg", "pixels": "yuvj420p", "size": (161, 121)}),
        ("odd444.mp4", {"pixels": "yuv444p", "size": (161, 121)}),
        ("rotated.mp4", {"rotation": 90}),
        ("upside_down.mp4", {"rotation": 180}),
        ("rotated_odd.mp4", {"rotation": -90, "codec": "mjpeg", "pixels": "yuvj420p", "size": (161, 121)}),
        ("trimmed.mp4", {"b_frames": 2, "hide_before_ms": 400}),
        ("one.mp4", {"count": 1}),
    ],
)
def test_pictures_and_ids_are_those_of_opencv(recording: Make, name: str, fields: dict[str, object]) -> None:
    expected = {"vp9.webm": 8, "one.mp4": 1, "trimmed.mp4": 20}.get(name, 30)
    assert assert_same_as_opencv(recording(name, **fields)) == expected


def test_packets_are_numbered_in_decode_order_and_frames_name_the_packet_that_carried_them(recording: Make) -> None:
    packets: list[Packet] = []
    frames: list[Frame] = []
    with open_source(str(recording("b.mp4", b_frames=2))) as source:
        while (grab := source.read()) is not None:
            packets += [grab.packet] if grab.packet else []
            frames += grab.frames
            assert grab.stream is not None
        assert source.counters.grabbed == source.counters.decoded == 30
    assert [packet.ordinal for packet in packets] == list(range(30))
    assert [packet.ordinal for packet in packets if packet.key] == [0, 15]
    assert [frame.id for frame in frames] == list(range(30))
    carried = [frame.packet for frame in frames]
    assert carried[:5] == [0, 2, 3, 1, 5]
    assert sorted(carried, key=lambda ordinal: -1 if ordinal is None else ordinal) == list(range(30))


def test_kept_packets_decode_again_to_the_same_pictures(recording: Make) -> None:
    kept: list[Packet] = []
    first: dict[int, Frame] = {}
    stream: Stream | None = None
    with open_source(str(recording("b.mp4", b_frames=2, rotation=90))) as source:
        while (grab := source.read()) is not None:
            kept += [grab.packet] if grab.packet else []
            first |= {frame.packet: frame for frame in grab.frames if frame.packet is not None}
            stream = grab.stream
    assert stream is not None
    decoder = PacketDecoder(stream)
    again = [decoded for packet in kept[15:] for decoded in decoder.decode(packet)] + decoder.flush()
    decoder.close()
    assert len(again) == 15
    assert (stream.width, stream.height) == (120, 160)
    for decoded in again:
        before = first[decoded.packet_ordinal].picture
        assert (decoded.picture.width, decoded.picture.height) == (120, 160)
        np.testing.assert_array_equal(decoded.picture.y, before.y)
        np.testing.assert_array_equal(decoded.picture.v, before.v)


def test_the_same_packets_give_the_same_pictures_every_time(recording: Make) -> None:
    path = recording("mpeg4.mp4", codec="mpeg4", count=60, size=(320, 240))
    runs = [[frame.picture.y.sum(dtype=np.int64) for frame in frames_in(path)] for _ in range(4)]
    assert len(runs[0]) == 60
    assert all(run == runs[0] for run in runs)


def test_planes_are_views_of_the_decoder_that_nobody_can_write_to(recording: Make) -> None:
    picture = frames_in(recording("plain.mp4"))[0].picture
    assert (picture.y.shape, picture.u.shape, picture.v.shape) == ((120, 160), (60, 80), (60, 80))
    for plane in (picture.y, picture.u, picture.v):
        assert not plane.flags.owndata
        with pytest.raises(ValueError, match="read-only"):
            plane[0, 0] = 1


def test_odd_sizes_have_rounded_up_chroma_and_jpeg_has_full_range(recording: Make) -> None:
    path = recording("odd.avi", codec="mjpeg", pixels="yuvj420p", size=(161, 121))
    picture = frames_in(path)[0].picture
    assert (picture.width, picture.height, picture.u.shape) == (161, 121, (61, 81))
    assert picture.full_range


def test_media_time_follows_the_stamps_of_a_variable_rate(recording: Make) -> None:
    stamps = (0, 33, 66, 500, 533, 2000, 2001, 2700)
    frames = frames_in(recording("vfr.mp4", count=8, stamps=stamps, b_frames=2))
    assert [round(frame.media_us / 1000) for frame in frames] == list(stamps)
    assert all(later.utc_ns - frames[0].utc_ns == later.media_us * 1000 for later in frames)


def test_an_elementary_stream_without_stamps_goes_by_its_rate(recording: Make) -> None:
    frames = frames_in(recording("plain.h264", muxer="h264", b_frames=2))
    assert [frame.media_us for frame in frames] == [number * 40_000 for number in range(30)]


def test_another_resolution_in_mid_stream_starts_an_epoch_with_its_own_decoder(recording: Make, tmp_path: Path) -> None:
    small = recording("small.h264", muxer="h264", b_frames=2)
    large = recording("large.h264", muxer="h264", b_frames=2, size=(320, 240))
    joined = tmp_path / "joined.h264"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    frames: list[Frame] = []
    streams: dict[int, Stream] = {}
    packets: list[Packet] = []
    with open_source(str(joined)) as source:
        while (grab := source.read()) is not None:
            frames += grab.frames
            packets += [grab.packet] if grab.packet else []
            if grab.stream is not None:
                streams[grab.stream.epoch] = grab.stream
    assert [frame.id for frame in frames] == list(range(60))
    assert [(frame.epoch, frame.picture.width) for frame in frames] == [(0, 160)] * 30 + [(1, 320)] * 30
    assert [packet.epoch for packet in packets] == [0] * 30 + [1] * 30
    assert [(stream.width, stream.height) for stream in streams.values()] == [(160, 120), (320, 240)]
    decoder = PacketDecoder(streams[1])
    assert len([one for packet in packets[30:] for one in decoder.decode(packet)] + decoder.flush()) == 30


def test_mjpeg_that_changes_size_starts_an_epoch(recording: Make, tmp_path: Path) -> None:
    parts = [recording(f"{w}.mjpeg", codec="mjpeg", pixels="yuvj420p", size=(w, 80), count=3) for w in (64, 128)]
    joined = tmp_path / "joined.mjpeg"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = frames_in(joined)
    assert [(frame.epoch, frame.picture.width) for frame in frames] == [(0, 64)] * 3 + [(1, 128)] * 3


def test_a_truncated_file_gives_what_decodes_and_says_so(recording: Make, tmp_path: Path) -> None:
    whole = recording("whole.mp4", count=60, muxer_options=(("movflags", "faststart"),)).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    with open_source(str(cut)) as source:
        frames = frames_of(source)
        problem = source.problem
    assert 10 <= len(frames) < 60
    assert problem is not None
    assert "of 60 packets" in problem


def test_a_whole_file_has_no_problem(recording: Make) -> None:
    with open_source(str(recording("whole.mp4"))) as source:
        frames_of(source)
        assert source.problem is None
        assert source.read() is None


def test_damaged_packets_are_counted_and_the_rest_is_used(recording: Make, tmp_path: Path) -> None:
    data = bytearray(recording("whole.mp4", count=60, muxer_options=(("movflags", "faststart"),)).read_bytes())
    middle = data.index(b"mdat") + (len(data) - data.index(b"mdat")) * 4 // 10
    data[middle : middle + 1024] = bytes(range(256)) * 4
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(data)
    with open_source(str(damaged)) as source:
        frames = frames_of(source)
        counters = source.counters
    assert counters.corrupt > 0
    assert len(frames) > 40
    assert frames[-1].media_us == 59 * 40_000


def test_a_stream_that_begins_without_a_key_frame_is_dropped_up_to_the_first(recording: Make, tmp_path: Path) -> None:
    data = recording("whole.h264", muxer="h264").read_bytes()
    first_other = data.index(b"\x00\x00\x01\x41", data.index(b"\x00\x00\x01\x65"))
    headless = tmp_path / "headless.h264"
    headless.write_bytes(data[: data.index(b"\x00\x00\x01\x65")] + data[first_other:])
    with open_source(str(headless)) as source:
        frames = frames_of(source)
        counters = source.counters
    assert counters.dropped_before_key == 14
    assert len(frames) == 15
    assert frames[0].packet == 14


def test_8k_is_read(recording: Make) -> None:
    path = recording("8k.mp4", codec="mjpeg", pixels="yuvj420p", size=(7680, 4320), count=2, fps=1)
    frames = frames_in(path)
    assert [(frame.picture.width, frame.picture.height) for frame in frames] == [(7680, 4320)] * 2


def test_a_colon_in_a_file_name_is_no_protocol(recording: Make) -> None:
    assert len(frames_in(recording("front:door%03d.mp4", count=3))) == 3


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (None, SourceError, 74),
        (b"", UndecodableError, 65),
        (b"This is no video at all.\n" * 40, UndecodableError, 65),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/x.ts\n#EXT-X-ENDLIST\n", UndecodableError, 65),
        (bytes(5000), UndecodableError, 65),
    ],
)
def test_what_is_no_video_gives_one_error_with_a_hint_and_no_other_word(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    content: bytes | None,
    kind: type[CameraEdgeError],
    code: int,
) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(kind) as caught, open_source(str(path)) as source:
        source.read()
    assert caught.value.exit_code == code
    assert caught.value.hint
    assert caught.value.where == str(path)
    assert capfd.readouterr() == ("", "")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="regular file"), open_source("/dev/null"):
        pass
    with pytest.raises(UndecodableError, match="no images"), open_source(str(tmp_path)):
        pass


def test_a_damaged_file_makes_no_library_write_a_line(
    recording: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = recording("whole.mp4", muxer_options=(("movflags", "faststart"),)).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    capfd.readouterr()
    frames_in(tmp_path / "cut.mp4")
    assert capfd.readouterr() == ("", "")


def test_close_may_be_called_twice_and_ends_the_source(recording: Make) -> None:
    source = open_source(str(recording("plain.mp4")))
    source.open()
    assert source.read() is not None
    source.close()
    source.close()


def test_the_fingerprint_names_library_versions_and_decoder(recording: Make) -> None:
    with open_source(str(recording("plain.mp4"))) as source:
        text = source.fingerprint()
    assert f"opencv {cv2.__version__}" in text
    assert "decoder h264" in text


def test_raw_video_in_avi_is_read_as_pictures_and_ends_no_process(recording: Make) -> None:
    """In a process of its own: OpenCV's decoder is known to abort on such files."""
    sizes = [(8, 2), (16, 2), (2, 16), (64, 48), (161, 121)]
    formats = ["pal8", "bgr24", "yuv420p", "yuyv422", "gray"]
    paths = [
        str(recording(f"{pixels}-{w}x{h}.avi", codec="rawvideo", pixels=pixels, size=(w, h), count=3))
        for pixels in formats
        for w, h in sizes
        if not (w % 2 and pixels in ("yuv420p", "yuyv422"))
    ]
    program = (
        "import sys\n"
        "from camera_edge.capture import open_source\n"
        "for path in sys.argv[1:]:\n"
        "    with open_source(path) as source:\n"
        "        ids = []\n"
        "        while (grab := source.read()) is not None:\n"
        "            assert grab.packet is None and grab.stream is None\n"
        "            ids += [(f.id, f.picture.to_bgr().shape) for f in grab.frames]\n"
        "        print(*ids)\n"
    )
    run = subprocess.run([sys.executable, "-c", program, *paths], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    assert len(lines) == len(paths)
    assert all(line.startswith("(0, ") and "(2, " in line for line in lines)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("opencv_vtest/vtest.mp4", 795),
        ("intel_sample_videos/bottle-detection.mp4", 1189),
        ("wallflower_wavingtrees/wavingtrees_160x120.mp4", 287),
        ("mot15/TUD-Campus/TUD-Campus.mp4", 71),
    ],
)
def test_real_recordings_are_read_as_opencv_reads_them(real_recordings: Path, name: str, count: int) -> None:
    assert assert_same_as_opencv(real_recordings / name, limit=60) == count
