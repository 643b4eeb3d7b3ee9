"""Recordings and cameras for the tests of capture: made with PyAV, served on loopback."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from camera_edge.picture import Plane

_SERVER = Path(__file__).with_name("rtsp_server.py")
_SYSTEM_PYTHON = Path("/usr/bin/python3")
_DATA = Path(__file__).parents[3] / "shared" / "data"


@dataclass(frozen=True, slots=True)
class Take:
    """What a recording shall hold. `stamps`: presentation times in milliseconds, one a frame."""

    codec: str = "libx264"
    size: tuple[int, int] = (160, 120)
    count: int = 30
    fps: int = 25
    pixels: str = "yuv420p"
    b_frames: int = 0
    rotation: int = 0
    stamps: tuple[int, ...] = ()
    hide_before_ms: int = 0
    muxer: str | None = None
    muxer_options: tuple[tuple[str, str], ...] = ()


def scene(number: int, size: tuple[int, int]) -> Plane:
    """A gradient with a moving block: every frame differs from every other. RGB."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width]
    picture = np.stack([columns * 255 // width, rows * 255 // height, (columns + rows) % 256], axis=-1).astype(np.uint8)
    left = number * 5 % max(1, width - width // 4)
    picture[height // 3 : height * 2 // 3, left : left + width // 4] = (255 - number * 3 % 200, 40, number * 7 % 256)
    return picture


def record(path: Path, take: Take) -> Path:
    with av.open(str(path), "w", format=take.muxer, options=dict(take.muxer_options)) as container:
        stream = container.add_stream(take.codec, rate=take.fps)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *take.size, take.pixels
        stream.time_base = Fraction(1, 1000)
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.gop_size = 15
        stream.codec_context.thread_count = 1
        if take.codec == "libx264":
            stream.options = {"preset": "ultrafast", "bf": str(take.b_frames), "b-adapt": "0"}
        elif take.codec == "libx265":
            stream.options = {"x265-params": f"bframes={take.b_frames}:b-adapt=0:log-level=none"}
        if take.rotation:
            stream.set_display_rotation(take.rotation)
        for number in range(take.count):
            frame = _frame(number, take)
            frame.pts = take.stamps[number] if take.stamps else number * 1000 // take.fps
            frame.time_base = Fraction(1, 1000)
            _mux(container, stream.encode(frame), take)
        _mux(container, stream.encode(None), take)
    return path


def _frame(number: int, take: Take) -> av.VideoFrame:
    width, height = take.size
    if take.pixels == "pal8":
        palette = np.arange(1024, dtype=np.uint8).reshape(256, 4)
        return av.VideoFrame.from_ndarray((scene(number, take.size)[..., 0].copy(), palette), format="pal8")  # type: ignore[arg-type]
    drawn = scene(number, (min(width, 1280), min(height, 720)))
    shown = cv2.resize(drawn, take.size, interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)
    frame = av.VideoFrame.from_ndarray(shown, format="rgb24")
    return frame.reformat(format=take.pixels, interpolation="BICUBIC")


def _mux(container: av.container.OutputContainer, packets: list[av.Packet], take: Take) -> None:  # type: ignore[type-arg]
    for packet in packets:
        if take.hide_before_ms and packet.pts is not None and packet.dts is not None:
            ticks = round(take.hide_before_ms / 1000 / packet.time_base)
            packet.pts, packet.dts = packet.pts - ticks, packet.dts - ticks
        container.mux(packet)


@pytest.fixture
def recording(tmp_path: Path) -> Callable[..., Path]:
    """Makes a recording: `recording("name.mp4", count=5, ...)`, with the fields of `Take`."""

    def make(name: str, **fields: object) -> Path:
        return record(tmp_path / name, Take(**fields))  # type: ignore[arg-type]

    return make


@pytest.fixture
def real_recordings() -> Path:
    if not (_DATA / "video").is_dir():
        pytest.skip("the evaluation recordings are not here")
    return _DATA / "video"


@dataclass(frozen=True, slots=True)
class RtspServer:
    """A running RTSP camera."""

    port: int
    process: subprocess.Popen[str]

    def url(self, userinfo: str = "") -> str:
        return f"rtsp://{userinfo}127.0.0.1:{self.port}/stream"

    def command(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()


@pytest.fixture
def rtsp_server() -> Iterator[Callable[..., RtspServer]]:
    """Starts RTSP cameras: `rtsp_server("--codec", "h265", credentials="user:password", method="digest")`."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str, credentials: str = "", method: str = "basic") -> RtspServer:
        if not _SYSTEM_PYTHON.exists():
            pytest.skip("there is no system Python with gi")
        environment = {"PATH": os.environ["PATH"], "RTSP_CREDENTIALS": credentials, "RTSP_AUTH": method}
        process = subprocess.Popen(
            [str(_SYSTEM_PYTHON), str(_SERVER), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        running.append(process)
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], 20)
        words = process.stdout.readline().split(maxsplit=1) if readable else ["absent", "an RTSP server that answers"]
        if words[0] != "ready":
            pytest.skip(f"not installed: {words[1].strip()}")
        return RtspServer(int(words[1]), process)

    yield start
    for process in running:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        process.terminate()
        process.wait(10)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(frozen=True, slots=True)
class MjpegCamera:
    """An HTTP camera: gives `sizes` as pictures, then hangs until `release` is set, or drops the connection."""

    url: str
    release: threading.Event


@pytest.fixture
def mjpeg_camera() -> Iterator[Callable[[list[tuple[int, int]], bool], MjpegCamera]]:
    servers: list[tuple[ThreadingHTTPServer, threading.Event]] = []

    def start(sizes: list[tuple[int, int]], hangs: bool) -> MjpegCamera:
        images = [cv2.imencode(".jpg", scene(number, size))[1].tobytes() for number, size in enumerate(sizes)]
        release = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                for image in images:
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n"
                    self.wfile.write(head.encode() + image + b"\r\n")
                if hangs:
                    release.wait(20)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append((server, release))
        return MjpegCamera(f"http://viewer:hidden@127.0.0.1:{server.server_port}/live", release)

    yield start
    for server, release in servers:
        release.set()
        server.shutdown()
        server.server_close()
