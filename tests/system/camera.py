"""A network camera for tests, on loopback: MJPEG over HTTP, behind a password.

    python3 camera.py [--fps 10]

Prints `ready PORT`; CAMERA_CREDENTIALS=user:password is asked of every viewer. The end of stdin ends it. Each
connection starts the scene anew: an empty place for 5 s, then every 6 s somebody walks through it for 3 s. Whoever
walks is striped red and green, colours that nothing else has and that a mosaic mixes to olive; a magenta mark at the
top right, where nobody walks, shows whether anything of the picture is shown.
"""

from __future__ import annotations

import argparse
import base64
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 320, 240
EMPTY_S, EVERY_S, WALK_S = 5.0, 6.0, 3.0
WALKER = (48, 96)
# fine enough for every block of a mosaic to mix them evenly
STRIPE_PX = 4
MARK = (slice(8, 40), slice(272, 304))
MAGENTA, RED, GREEN = (255, 0, 255), (0, 0, 255), (0, 255, 0)

Pixels = NDArray[np.uint8]


def background() -> Pixels:
    """A grey, grained wall with the mark; BGR."""
    grain = np.random.default_rng(7).integers(90, 170, (HEIGHT // 8, WIDTH // 8)).astype(np.uint8)
    wall = cv2.resize(grain, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    pixels = np.repeat(wall[:, :, None], 3, axis=2).astype(np.uint8)
    pixels[MARK] = MAGENTA
    return pixels


def walker() -> Pixels:
    width, height = WALKER
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = RED
    for left in range(STRIPE_PX, width, 2 * STRIPE_PX):
        pixels[:, left : left + STRIPE_PX] = GREEN
    return pixels


def scene(wall: Pixels, body: Pixels, at_s: float) -> bytes:
    """The picture at a time since the connection began, as a JPEG."""
    pixels = wall.copy()
    walked = (at_s - EMPTY_S) % EVERY_S / WALK_S
    if at_s >= EMPTY_S and walked < 1:
        left = round(walked * (WIDTH - WALKER[0]))
        pixels[120 : 120 + WALKER[1], left : left + WALKER[0]] = body
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes())


class Viewer(BaseHTTPRequestHandler):
    """One connection."""

    authorization = ""
    fps = 10

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != self.authorization:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        try:
            self._stream()
        except ConnectionError:
            self.close_connection = True

    def _stream(self) -> None:
        wall, body = background(), walker()
        started_s = time.monotonic()
        for number in count():
            image = scene(wall, body, number / self.fps)
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n"
            self.wfile.write(head.encode() + image + b"\r\n")
            # the rate of the camera
            time.sleep(max(0.0, started_s + (number + 1) / self.fps - time.monotonic()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fps", type=int, default=10)
    Viewer.fps = parser.parse_args().fps
    Viewer.authorization = f"Basic {base64.b64encode(os.environ['CAMERA_CREDENTIALS'].encode()).decode()}"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Viewer)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"ready {server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
