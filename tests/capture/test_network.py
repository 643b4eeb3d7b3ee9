"""RTSP and HTTP cameras on loopback: real servers, real drops, hangs and refusals."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Protocol

import pytest

from camera_edge.capture import Frame, Grab, Source, SourceOptions, open_source
from camera_edge.errors import SourceError, SourceTimeoutError, UndecodableError

QUICK = SourceOptions(open_timeout_s=8, read_timeout_s=1)
HASTY = SourceOptions(open_timeout_s=0.6, read_timeout_s=0.6)


class RtspServer(Protocol):
    def url(self, userinfo: str = "") -> str: ...

    def command(self, text: str) -> None: ...


class MjpegCamera(Protocol):
    @property
    def url(self) -> str: ...


def take(source: Source, count: int) -> list[Frame]:
    frames: list[Frame] = []
    for _ in range(10_000):
        grab = source.read()
        assert grab is not None
        frames += grab.frames
        if len(frames) >= count:
            return frames
    raise AssertionError(f"{len(frames)} frames instead of {count}: {source.problem}")


@pytest.mark.parametrize(("codec", "decoder"), [("h264", "h264"), ("h265", "hevc"), ("mjpeg", "mjpeg")])
def test_rtsp_gives_packets_and_pictures_in_order(
    rtsp_server: Callable[..., RtspServer], codec: str, decoder: str
) -> None:
    camera = rtsp_server("--codec", codec)
    grabs: list[Grab] = []
    with open_source(camera.url(), QUICK) as source:
        assert source.live
        while sum(len(grab.frames) for grab in grabs) < 20:
            grab = source.read()
            assert grab is not None
            grabs.append(grab)
        assert source.counters.corrupt == 0
    frames = [frame for grab in grabs for frame in grab.frames]
    packets = [grab.packet for grab in grabs if grab.packet is not None]
    stream = grabs[0].stream
    assert stream is not None
    assert (stream.codec, stream.width, stream.height, stream.fps) == (decoder, 320, 240, 15.0)
    assert packets[0].key
    assert [frame.id for frame in frames[:20]] == list(range(20))
    steps = [later.media_us - earlier.media_us for earlier, later in pairwise(frames[:20])]
    assert all(60_000 <= step <= 73_000 for step in steps), steps
    carried = [frame.packet for frame in frames]
    assert (carried != sorted(carried, key=str)) or codec == "mjpeg"


@pytest.mark.parametrize("method", ["basic", "digest"])
def test_rtsp_credentials_with_any_characters_work_percent_encoded(
    rtsp_server: Callable[..., RtspServer], method: str
) -> None:
    camera = rtsp_server(credentials="ad/min:p@ss:w#r d%", method=method)
    with open_source(camera.url("ad%2Fmin:p%40ss%3Aw%23r%20d%25@"), QUICK) as source:
        take(source, 2)
        assert "min" not in source.name


def test_a_wrong_password_is_refused_and_stands_in_no_message(
    rtsp_server: Callable[..., RtspServer], capfd: pytest.CaptureFixture[str]
) -> None:
    camera = rtsp_server(credentials="admin:right")
    with pytest.raises(SourceError, match="refused") as caught, open_source(camera.url("admin:wr0ng@"), QUICK):
        pass
    assert caught.value.exit_code == 74
    assert caught.value.hint
    output = capfd.readouterr()
    assert "wr0ng" not in f"{caught.value}{caught.value!r}{caught.value.__cause__}{output}"
    assert output == ("", "")


def test_an_rtsp_camera_that_drops_is_reported_lost_at_once(rtsp_server: Callable[..., RtspServer]) -> None:
    camera = rtsp_server()
    with open_source(camera.url(), QUICK) as source:
        take(source, 3)
        camera.command("drop")
        with pytest.raises(SourceError, match="dropped"):
            take(source, 1000)


def test_a_dropped_rtsp_camera_comes_back_with_another_size_and_counts_on(
    rtsp_server: Callable[..., RtspServer],
) -> None:
    camera = rtsp_server()
    options = SourceOptions(open_timeout_s=8, read_timeout_s=1, wait=lambda seconds: False, reconnect=True)
    with open_source(camera.url(), options) as source:
        before = take(source, 5)
        camera.command("size 160x120")
        camera.command("drop")
        after: list[Frame] = []
        while len(after) < 5 and len(before) < 300:
            for frame in take(source, 1):
                (after if frame.epoch else before).append(frame)
        assert source.counters.reconnects == 1
        assert source.problem is None
    assert {frame.epoch for frame in after} == {1}
    assert {frame.picture.width for frame in after} == {160}
    frames = before + after
    assert [frame.id for frame in frames] == list(range(len(frames)))
    assert all(earlier.media_us < later.media_us for earlier, later in pairwise(frames))
    packets = [frame.packet for frame in frames if frame.packet is not None]
    assert len(set(packets)) == len(frames)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_camera_that_refuses_is_missing(scheme: str, closed_port: int, capfd: pytest.CaptureFixture[str]) -> None:
    address = f"{scheme}://admin:s3cret@127.0.0.1:{closed_port}/live"
    with pytest.raises(SourceError) as caught, open_source(address, HASTY):
        pass
    assert not isinstance(caught.value, SourceTimeoutError)
    assert caught.value.where == f"{scheme}://127.0.0.1:{closed_port}/live"
    assert "s3cret" not in f"{caught.value}{caught.value.__cause__}"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_camera_that_never_answers_times_out(scheme: str, silent_port: int) -> None:
    with (
        pytest.raises(SourceTimeoutError, match="within 0.6 s"),
        open_source(f"{scheme}://127.0.0.1:{silent_port}/live", HASTY),
    ):
        pass


def test_http_mjpeg_is_timed_by_arrival(mjpeg_camera: Callable[..., MjpegCamera]) -> None:
    camera = mjpeg_camera([(161, 121)] * 6, True)
    with open_source(camera.url, HASTY) as source:
        frames = take(source, 5)
        assert "viewer" not in source.name
    assert [frame.id for frame in frames] == list(range(5))
    assert frames[0].picture.u.shape == (61, 81)
    # they came all at once: a container's made-up 25 a second would say 160 ms
    assert 0 < frames[4].media_us < 150_000


def test_http_mjpeg_that_changes_size_starts_an_epoch(mjpeg_camera: Callable[..., MjpegCamera]) -> None:
    camera = mjpeg_camera([(160, 120)] * 3 + [(320, 240)] * 3, True)
    with open_source(camera.url, HASTY) as source:
        frames = take(source, 5)
    assert [(frame.epoch, frame.picture.width) for frame in frames] == [(0, 160)] * 3 + [(1, 320)] * 2


def test_http_mjpeg_that_hangs_times_out(mjpeg_camera: Callable[..., MjpegCamera]) -> None:
    camera = mjpeg_camera([(160, 120)] * 5, True)
    with open_source(camera.url, HASTY) as source, pytest.raises(SourceTimeoutError, match="0.6 s"):
        take(source, 100)


def test_http_mjpeg_that_drops_is_lost_and_comes_back(mjpeg_camera: Callable[..., MjpegCamera]) -> None:
    camera = mjpeg_camera([(160, 120)] * 5, False)
    with open_source(camera.url, HASTY) as source, pytest.raises(SourceError, match="dropped"):
        take(source, 100)
    options = SourceOptions(open_timeout_s=1, read_timeout_s=1, wait=lambda seconds: False, reconnect=True)
    with open_source(camera.url, options) as source:
        frames = take(source, 12)
        assert source.counters.reconnects >= 2
    assert [frame.id for frame in frames] == list(range(len(frames)))


def test_http_that_gives_no_video_is_refused(silent_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Log in</html>")

        thread = threading.Thread(target=answer)
        thread.start()
        with (
            pytest.raises((SourceError, UndecodableError)),
            open_source(f"http://127.0.0.1:{listener.getsockname()[1]}/", HASTY),
        ):
            pass
        thread.join(5)
