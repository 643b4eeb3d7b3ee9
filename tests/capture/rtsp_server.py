"""An RTSP camera for tests, on loopback: GStreamer's gst-rtsp-server, run by the interpreter that has `gi`.

    python3 rtsp_server.py [--codec h264|h265|mjpeg] [--size 320x240] [--fps 15]

Prints `ready PORT`, or `absent WHAT` (exit code 3) where something it needs is not installed. The stream is at /stream.
RTSP_CREDENTIALS=user:password in the environment asks for them, RTSP_AUTH=basic|digest chooses how.
Commands on stdin, one a line: `drop` ends all connections, `size WxH` makes the next connection's picture that large.
The end of stdin ends the server.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

EXIT_ABSENT = 3
_X264 = "x264enc bframes=2 b-adapt=false key-int-max=15 speed-preset=veryfast ! video/x-h264,profile=main"
_ENCODERS = {
    # B-frames: presentation order differs from decode order
    "h264": f"{_X264} ! h264parse ! rtph264pay",
    "h265": "x265enc key-int-max=15 speed-preset=ultrafast option-string=bframes=2:b-adapt=0 ! h265parse ! rtph265pay",
    "mjpeg": "jpegenc ! rtpjpegpay",
}


def absent(what: str) -> None:
    sys.stdout.write(f"absent {what}\n")
    sys.exit(EXIT_ABSENT)


try:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer
except (ImportError, ValueError):
    absent("gir1.2-gst-rtsp-server-1.0")


class Camera:
    """One stream, made anew for each connection."""

    def __init__(self, codec: str, size: str, fps: int) -> None:
        self._codec = codec
        self._fps = fps
        self._server: Any = GstRtspServer.RTSPServer()
        self._server.set_address("127.0.0.1")
        self._server.set_service("0")
        self._server.get_mount_points().add_factory("/stream", self._factory(size))

    def start(self) -> int:
        self._server.attach(None)
        return int(self._server.get_bound_port())

    def resize(self, size: str) -> None:
        mounts = self._server.get_mount_points()
        mounts.remove_factory("/stream")
        mounts.add_factory("/stream", self._factory(size))

    def drop(self) -> None:
        self._server.client_filter(lambda server, client: GstRtspServer.RTSPFilterResult.REMOVE)

    def protect(self, user: str, password: str, method: str) -> None:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        if method == "digest":
            auth.set_supported_methods(2)  # GST_RTSP_AUTH_DIGEST
            auth.add_digest(user, password, token)
        else:
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        self._server.set_auth(auth)
        self._roles = True
        self._server.get_mount_points().add_factory("/stream", self._factory("320x240", guarded=True))

    def _factory(self, size: str, guarded: bool = False) -> Any:
        width, height = size.split("x")
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(
            f"( videotestsrc is-live=true pattern=ball ! "
            f"video/x-raw,format=I420,width={width},height={height},framerate={self._fps}/1 ! "
            f"{_ENCODERS[self._codec]} name=pay0 pt=96 )"
        )
        if guarded:
            allowed = Gst.Structure.new_empty("viewer")
            allowed.set_value("media.factory.access", True)
            allowed.set_value("media.factory.construct", True)
            factory.add_role_from_structure(allowed)
        return factory


def missing_elements(codec: str) -> list[str]:
    names = [part.split()[0] for part in f"videotestsrc ! {_ENCODERS[codec]}".split(" ! ")]
    return [name for name in names if "/" not in name and Gst.ElementFactory.find(name) is None]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--codec", choices=sorted(_ENCODERS), default="h264")
    parser.add_argument("--size", default="320x240")
    parser.add_argument("--fps", type=int, default=15)
    chosen = parser.parse_args()
    Gst.init(None)
    missing = missing_elements(chosen.codec)
    if missing:
        absent(f"GStreamer's {', '.join(missing)}")
    camera = Camera(chosen.codec, chosen.size, chosen.fps)
    credentials = os.environ.get("RTSP_CREDENTIALS")
    if credentials:
        user, _, password = credentials.partition(":")
        camera.protect(user, password, os.environ.get("RTSP_AUTH", "basic"))
    sys.stdout.write(f"ready {camera.start()}\n")
    sys.stdout.flush()
    loop = GLib.MainLoop()

    def command(source: int, condition: Any) -> bool:
        # not readline(): a second command would wait in Python's buffer, unseen by the loop
        text = os.read(source, 4096).decode()
        if not text:
            loop.quit()
            return False
        for line in text.splitlines():
            word, _, size = line.partition(" ")
            if word == "drop":
                camera.drop()
            elif word == "size":
                camera.resize(size)
        return True

    condition = GLib.IOCondition.IN | GLib.IOCondition.HUP
    GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, sys.stdin.fileno(), condition, command)
    loop.run()


if __name__ == "__main__":
    main()
