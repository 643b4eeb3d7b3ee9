"""Takes encoded packets out of files, RTSP and HTTP with OpenCV's FFmpeg backend in its demuxer-only mode.

Invariant: nothing is decoded here, and neither OpenCV nor FFmpeg writes a line: their messages hold addresses, and so
passwords.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import cv2
import numpy as np

from camera_edge.capture.address import Address, Kind
from camera_edge.capture.annexb import is_annexb
from camera_edge.capture.reader import Format, FormatUnknownError, Sample
from camera_edge.capture.timing import credible_fps
from camera_edge.clock import Clock
from camera_edge.errors import SourceError, SourceTimeoutError, UndecodableError

# FFmpeg's names (or FOURCC, where it has no name of four letters) of what OpenCV hands out, and PyAV's decoders
_DECODERS = {
    "h264": "h264",
    "hevc": "hevc",
    "MJPG": "mjpeg",
    "FMP4": "mpeg4",
    "mp4v": "mpeg4",
    "mpg1": "mpeg1video",
    "mpg2": "mpeg2video",
    "VP80": "vp8",
    "VP90": "vp9",
    "AV01": "libdav1d",
}
_OPTIONS_VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_OPTIONS = {
    # a file must not make FFmpeg open an address or another file (playlists do)
    Kind.PATH: "protocol_whitelist;file",
    # and no seconds are spent on guessing a rate
    Kind.RTSP: "rtsp_transport;tcp|allowed_media_types;video|fpsprobesize;1|protocol_whitelist;rtsp,rtsps,rtp,tcp,tls",
    # a picture never takes a detour over a proxy named in the environment
    Kind.HTTP: "http_proxy;none|protocol_whitelist;http,https,tcp,tls",
}
_ATTEMPTS = 16
_MAX_REORDER = 16
_opening = Lock()


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Both in seconds; the clock tells a stall from a drop."""

    open_s: float
    read_s: float
    clock: Clock


class PacketReader:
    """A `cv2.VideoCapture` that gives packets as they came: Annex B for H.264 and H.265, else the codec's own form."""

    def __init__(self, address: Address, timeouts: Timeouts) -> None:
        self._address = address
        self._timeouts = timeouts
        self._capture: cv2.VideoCapture | None = None
        self._stamped = False
        self._first = True
        self.damaged = 0

    def open(self) -> Format:
        """Raises `SourceError`, `SourceTimeoutError` or `UndecodableError`; `FormatUnknownError` for odd codecs."""
        began_ns = self._timeouts.clock.monotonic_ns()
        self._first, self._stamped = True, False
        capture = self._opened()
        if not capture.isOpened():
            raise self._refusal(self._waited(began_ns, self._timeouts.open_s))
        self._capture = capture
        name = _fourcc(capture)
        if name not in _DECODERS:
            self.close()
            raise self._unknown(name)
        return self._format(capture, _DECODERS[name])

    def grab(self) -> Sample | None:
        capture = self._capture
        if capture is None:
            return None
        began_ns = self._timeouts.clock.monotonic_ns()
        if not capture.grab():
            if self._address.kind is not Kind.PATH:
                raise self._loss(self._waited(began_ns, self._timeouts.read_s))
            if not self._grab_beyond_damage(capture):
                return None
        ok, data = capture.retrieve()
        if not ok or data is None:
            self.damaged += 1
            return Sample(b"", key=False, stamp_us=None)
        key = capture.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME) == 1
        return Sample(data.tobytes(), key, self._stamp(capture))

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _opened(self) -> cv2.VideoCapture:
        parameters = [
            *(cv2.CAP_PROP_FORMAT, -1),
            *(cv2.CAP_PROP_N_THREADS, 1),
            *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(self._timeouts.open_s * 1000)),
            *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(self._timeouts.read_s * 1000)),
        ]
        location = self._address.location
        if self._address.kind is Kind.PATH:
            # without the protocol's name a colon in a file name would be taken for one
            location = f"file:{Path(location).absolute()}"
        # OpenCV takes these from the environment only, and reads them at every open
        with _opening:
            silence()
            before = os.environ.get(_OPTIONS_VARIABLE)
            os.environ[_OPTIONS_VARIABLE] = _OPTIONS[self._address.kind]
            try:
                return cv2.VideoCapture(location, cv2.CAP_FFMPEG, parameters)
            finally:
                del os.environ[_OPTIONS_VARIABLE]
                if before is not None:
                    os.environ[_OPTIONS_VARIABLE] = before

    def _grab_beyond_damage(self, capture: cv2.VideoCapture) -> bool:
        """OpenCV reports a damaged packet as it reports the end; only the end stays."""
        for _ in range(_ATTEMPTS):
            self.damaged += 1
            if capture.grab():
                return True
        self.damaged -= _ATTEMPTS
        return False

    def _stamp(self, capture: cv2.VideoCapture) -> int | None:
        """OpenCV gives 0 for a packet without stamp: that is believed once there was any other.

        A recording begins at 0; the first packet of a network stream often has no stamp (FFmpeg's RTSP).
        """
        stamp_us = round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1000)
        self._stamped = self._stamped or stamp_us != 0
        credible = self._stamped or (self._first and self._address.kind is Kind.PATH)
        self._first = False
        return stamp_us if credible else None

    def _format(self, capture: cv2.VideoCapture, codec: str) -> Format:
        extradata = _extradata(capture)
        if codec in ("h264", "hevc") and not is_annexb(extradata):
            extradata = None  # avcC and hvcC describe another form than the packets have here
        delay = int(capture.get(cv2.CAP_PROP_DTS_DELAY))
        stamped = not (self._address.kind is Kind.HTTP and codec == "mjpeg")
        return Format(
            codec=codec,
            extradata=extradata,
            size=(int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))),
            rotation=0,  # OpenCV learns it from the pictures, which it does not decode here
            fps=credible_fps(capture.get(cv2.CAP_PROP_FPS)) if stamped else 0.0,
            reorder=delay if 0 < delay <= _MAX_REORDER else 0,
            packets=self._stated_packets(capture),
            lasts_us=self._stated_us(capture),
            stamped=stamped,
        )

    def _stated_packets(self, capture: cv2.VideoCapture) -> int:
        """MP4 holds the number; for other containers OpenCV guesses it from duration and rate."""
        return max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT))) if self._head()[4:8] == b"ftyp" else 0

    def _stated_us(self, capture: cv2.VideoCapture) -> int:
        """Matroska holds a duration, and AVI a number that counts frames which were left out, too."""
        head = self._head()
        states_it = head[:4] == b"\x1a\x45\xdf\xa3" or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
        count, fps = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
        return round(count / fps * 1_000_000) if states_it and count > 0 and fps > 0 else 0

    def _head(self) -> bytes:
        if self._address.kind is not Kind.PATH:
            return b""
        with Path(self._address.location).open("rb") as file:
            return file.read(12)

    def _waited(self, began_ns: int, timeout_s: float) -> bool:
        return (self._timeouts.clock.monotonic_ns() - began_ns) / 1e9 >= timeout_s * 0.95

    def _unknown(self, codec: str) -> FormatUnknownError | UndecodableError:
        if self._address.kind is Kind.PATH:
            return FormatUnknownError(codec)
        return UndecodableError(
            f"its codec {codec!r} is not supported",
            where=self._address.name,
            hint="set the camera to H.264, H.265 or MJPEG",
        )

    def _refusal(self, stalled: bool) -> SourceError | UndecodableError:
        name = self._address.name
        if self._address.kind is Kind.PATH:
            return UndecodableError(
                "no video can be decoded from it",
                where=name,
                hint="is it a whole video? an MP4 without its end may lack its index",
            )
        if stalled:
            return SourceTimeoutError(
                f"no answer within {self._timeouts.open_s:g} s", where=name, hint="check that the camera is on"
            )
        return SourceError(
            "the connection was refused or the stream is not there",
            where=name,
            hint="check address, port, path, user and password",
        )

    def _loss(self, stalled: bool) -> SourceError:
        if stalled:
            return SourceTimeoutError(
                f"nothing came for {self._timeouts.read_s:g} s",
                where=self._address.name,
                hint="check camera and network",
            )
        return SourceError("the stream was dropped", where=self._address.name, hint="check camera and network")


def silence() -> None:
    """Keeps OpenCV and its FFmpeg from writing to stdout and stderr, whatever the environment asks for."""
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


# FFmpeg's level counts from the first capture of the process on, whoever opens it
silence()


def _fourcc(capture: cv2.VideoCapture) -> str:
    code = int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    return code.to_bytes(4, "little").decode("latin-1")


def _extradata(capture: cv2.VideoCapture) -> bytes | None:
    index = int(capture.get(cv2.CAP_PROP_CODEC_EXTRADATA_INDEX))
    ok, data = capture.retrieve(flag=index)
    if not ok or data is None or not isinstance(data, np.ndarray):
        return None
    return data.tobytes() or None


def opencv_fingerprint() -> str:
    return f"opencv {cv2.__version__}"
