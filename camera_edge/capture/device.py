"""Cameras of Video4Linux2. Not exercised in CI: a build machine has no camera.

Invariant: where the device gives MJPEG its packets are handed on as they came; else it is read as pictures.
"""

from __future__ import annotations

import math
import os

import cv2
import numpy as np

from camera_edge.capture.address import Address
from camera_edge.capture.opencv import Timeouts, silence
from camera_edge.capture.packets import LiveCamera
from camera_edge.capture.pictures import PictureSource
from camera_edge.capture.planes import picture_of_bgr
from camera_edge.capture.reader import Format, FormatUnknownError, Sample
from camera_edge.capture.source import Closing, Counters, Frame, Grab, Source, SourceOptions
from camera_edge.capture.timing import LiveTimeline, credible_fps, interval_us
from camera_edge.errors import SourceError, SourceTimeoutError, UsageError

_MJPG = int.from_bytes(b"MJPG", "little")


class DeviceCamera(Closing):
    """A V4L2 device by its path, e.g. /dev/video0; parameters `size=1280x720` and `fps=30` ask for a mode."""

    live = True

    def __init__(self, address: Address, options: SourceOptions) -> None:
        self.name = address.name
        timeouts = Timeouts(options.open_timeout_s, options.read_timeout_s, options.clock)
        self._packets = LiveCamera(address.name, DeviceReader(address, timeouts), options)
        self._pictures = DevicePictures(address, timeouts)
        self._inner: Source = self._packets

    @property
    def counters(self) -> Counters:
        return self._inner.counters

    @property
    def problem(self) -> str | None:
        return self._inner.problem

    def fingerprint(self) -> str:
        return self._inner.fingerprint()

    def open(self) -> None:
        try:
            self._inner.open()
        except FormatUnknownError:
            self._inner = self._pictures
            self._inner.open()

    def read(self) -> Grab | None:
        return self._inner.read()

    def close(self) -> None:
        self._inner.close()


class DeviceReader:
    """MJPEG packets of a device."""

    def __init__(self, address: Address, timeouts: Timeouts) -> None:
        self._address = address
        self._timeouts = timeouts
        self._capture: cv2.VideoCapture | None = None
        self.damaged = 0

    def open(self) -> Format:
        """Raises `FormatUnknownError` where the device does not give MJPEG."""
        capture = open_device(self._address, self._timeouts)
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        if int(capture.get(cv2.CAP_PROP_FOURCC)) != _MJPG:
            capture.release()
            raise FormatUnknownError("not MJPEG")
        self._capture = capture
        size = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        return Format("mjpeg", None, size, 0, credible_fps(capture.get(cv2.CAP_PROP_FPS)))

    def grab(self) -> Sample | None:
        if self._capture is None:
            return None
        data = read_device(self._capture, self._address, self._timeouts)
        stamp_us = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1000)
        return Sample(data.tobytes(), key=True, stamp_us=stamp_us or None)

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None


class DevicePictures(PictureSource):
    """A device that gives no MJPEG, read as BGR pictures."""

    live = True

    def __init__(self, address: Address, timeouts: Timeouts) -> None:
        super().__init__()
        self.name = address.name
        self._address = address
        self._timeouts = timeouts
        self._clock = timeouts.clock
        self._timeline = LiveTimeline()
        self._capture: cv2.VideoCapture | None = None
        self._id = 0
        self._epoch = -1

    def open(self) -> None:
        self._capture = open_device(self._address, self._timeouts)
        self._timeline.begin(interval_us(self._capture.get(cv2.CAP_PROP_FPS)))
        self._epoch += 1

    def read(self) -> Grab | None:
        if self._capture is None:
            return None
        bgr = read_device(self._capture, self._address, self._timeouts)
        stamp_us = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1000)
        media_us = self._timeline.place(stamp_us or None, self._clock.monotonic_ns())
        frame = Frame(self._id, media_us, self._clock.utc_ns(), picture_of_bgr(bgr), None, self._epoch)
        self._id += 1
        self._tally.grabbed += 1
        self._tally.decoded += 1
        return Grab(None, (frame,))

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None


def open_device(address: Address, timeouts: Timeouts) -> cv2.VideoCapture:
    """Asks for MJPEG and for the mode in the address; the device decides. Raises `SourceError`."""
    silence()
    # OpenCV takes this one from the environment, in whole seconds
    os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] = str(math.ceil(timeouts.read_s))
    parameters = [cv2.CAP_PROP_FOURCC, _MJPG]
    if "size" in address.parameters:
        width, _, height = address.parameters["size"].partition("x")
        parameters += [cv2.CAP_PROP_FRAME_WIDTH, _number(width), cv2.CAP_PROP_FRAME_HEIGHT, _number(height)]
    if "fps" in address.parameters:
        parameters += [cv2.CAP_PROP_FPS, _number(address.parameters["fps"])]
    capture = cv2.VideoCapture(address.location, cv2.CAP_V4L2, parameters)
    if not capture.isOpened():
        raise SourceError(
            "the device cannot be opened", where=address.name, hint="check that it exists and is in no other use"
        )
    return capture


def read_device(
    capture: cv2.VideoCapture, address: Address, timeouts: Timeouts
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """What the device gives next. Raises `SourceTimeoutError` where it gives nothing."""
    ok, data = capture.read()
    if not ok or data is None:
        raise SourceTimeoutError(
            f"the device gave no picture within {timeouts.read_s:g} s", where=address.name, hint="plug it in again"
        )
    return data.astype(np.uint8, copy=False)


def _number(text: str) -> int:
    if not text.isdigit():
        raise UsageError("the mode of a device is written as size=1280x720 and fps=30")
    return int(text)
