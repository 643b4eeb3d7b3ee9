"""Encodes the live preview: H.264 packets that a WebRTC sender passes on as they are.

Invariant: no packet waits for a later picture, and a key frame brings all it needs to start with.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from camera_edge.encode.planes import Format, even, video_frame
from camera_edge.picture import Picture

# H.264 level 3.1 ends at 1280x720 with 30 pictures a second
_LONG_PX = 1280
_SHORT_PX = 720
_BITS_PER_S_AT_LARGEST = 2_000_000
_MIN_BITS_PER_S = 300_000


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One picture in Annex B. `key`: an IDR picture with its parameter sets in front."""

    data: bytes
    key: bool
    pts_us: int


class LiveEncoder:
    """Constrained baseline, level 3.1, no delay, a key frame about every second and whenever one is forced.

    Pictures of (width, height) are scaled down to fit 1280x720 (or 720x1280), never up; `width` and `height` tell the
    size that comes out. The bit rate is bounded over half a second, since a key frame of any size would be a burst
    that a receiver cannot have repeated. One thread at a time.
    """

    def __init__(self, width: int, height: int, fps: float) -> None:
        scale = min(1.0, _LONG_PX / max(width, height), _SHORT_PX / min(width, height))
        self._format = Format(even(round(width * scale)), even(round(height * scale)))
        self._fps = Fraction(min(max(fps, 1.0), 30.0)).limit_denominator(1001)
        self._context: VideoCodecContext | None = None
        self._last_us: int | None = None

    @property
    def width(self) -> int:
        return self._format.width

    @property
    def height(self) -> int:
        return self._format.height

    def encode(self, picture: Picture, pts_us: int, force_key: bool = False) -> list[EncodedFrame]:
        """Encode one picture; times that do not grow are moved by a microsecond."""
        if self._context is None:
            self._context = self._opened()
        frame = video_frame(picture, self._format)
        frame.pts = pts_us if self._last_us is None else max(pts_us, self._last_us + 1)
        frame.time_base = Fraction(1, 1_000_000)
        frame.pict_type = PictureType.I if force_key else PictureType.NONE
        self._last_us = frame.pts
        return [_encoded(packet) for packet in self._context.encode(frame)]

    def close(self) -> None:
        """Let go of the encoder; without delay there is nothing left in it."""
        self._context = None

    def _opened(self) -> VideoCodecContext:
        share = self.width * self.height / (_LONG_PX * _SHORT_PX)
        rate = max(round(_BITS_PER_S_AT_LARGEST * share), _MIN_BITS_PER_S)
        context = av.CodecContext.create("libx264", "w")
        context.width, context.height, context.pix_fmt = self.width, self.height, "yuv420p"
        context.time_base = Fraction(1, 1_000_000)
        context.framerate = self._fps
        context.gop_size = max(round(self._fps), 1)
        context.color_range = ColorRange.MPEG
        context.thread_count = 1
        context.options = {
            "preset": "superfast",
            "tune": "zerolatency",
            "profile": "baseline",
            "level": "3.1",
            "crf": "26",
            "maxrate": str(rate),
            "bufsize": str(rate // 2),
            "x264-params": "repeat-headers=1:scenecut=0:videoformat=component",
        }
        context.open()
        return context


def _encoded(packet: av.Packet[VideoStream]) -> EncodedFrame:
    if packet.pts is None:
        raise RuntimeError("the encoder lost the time of a picture")
    return EncodedFrame(bytes(packet), packet.is_keyframe, packet.pts)
