"""Writes the pictures of an event as an MP4 that every browser plays.

Invariant: same pictures and times, same bytes: no date, no host and no chance goes into the file.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
from av.container import OutputContainer
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from camera_edge.encode.planes import Format, even, video_frame
from camera_edge.errors import OutputError
from camera_edge.picture import Picture

_TICKS_PER_S = 90_000
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class ClipOptions:
    """nominal_fps: how long the last picture lasts, and how key frames are spaced; the pictures' times may be any."""

    nominal_fps: float = 25.0
    preset: str = "veryfast"
    crf: int = 24
    threads: int = 1


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A finished clip: its pictures, the time it plays in microseconds, its size."""

    frames: int
    duration_us: int
    bytes: int


class ClipEncoder:
    """H.264 High, `yuv420p` in video range, index in front (fast start), pictures at their own times (no fixed rate).

    Sizes are cropped to even numbers; pictures of another size than the clip's are scaled to it, pictures in full range
    are converted. One thread at a time. OutputError where the file cannot be written; it is then left to the caller to
    delete, as after `abort()`.
    """

    def __init__(self, path: Path, width: int, height: int, options: ClipOptions | None = None) -> None:
        self._path = path
        self._format = Format(even(width), even(height))
        self._options = options or ClipOptions()
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._result: ClipFile | None = None
        self._frames = 0
        self._first_us = 0
        self._last_ticks = -1

    def __enter__(self) -> ClipEncoder:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def open(self) -> None:
        try:
            self._container = av.open(
                str(self._path), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}
            )
            self._stream = self._add_stream(self._container)
            # else the file is made with the first packet, and what stands in its way is found late
            self._container.start_encoding()
        except (av.FFmpegError, OSError) as exc:
            raise self._failed(exc) from exc

    def write(self, picture: Picture, pts_us: int) -> None:
        """Add a picture. `pts_us`: media time; the first one's is the start of the clip, times that do not grow are
        moved by a tick (11 µs)."""
        if self._container is None or self._stream is None:
            raise RuntimeError("the clip is not open")
        if self._frames == 0:
            self._first_us = pts_us
        ticks = max((pts_us - self._first_us) * _TICKS_PER_S // 1_000_000, self._last_ticks + 1)
        frame = video_frame(picture, self._format)
        frame.pts = ticks
        frame.time_base = Fraction(1, _TICKS_PER_S)
        try:
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as exc:
            raise self._failed(exc) from exc
        self._last_ticks = ticks
        self._frames += 1

    def close(self) -> ClipFile:
        """Finish the file. Without any picture there is nothing to play: `frames` is 0, and the file is of no use."""
        if self._result is not None:
            return self._result
        if self._container is None or self._stream is None:
            raise RuntimeError("the clip is not open")
        try:
            self._container.mux(self._stream.encode(None))
            self._container.close()
            size_bytes = self._path.stat().st_size
        except (av.FFmpegError, OSError) as exc:
            raise self._failed(exc) from exc
        finally:
            self._container = self._stream = None
        duration_us = round((self._last_ticks * 1e6 / _TICKS_PER_S) + 1e6 / self._fps) if self._frames else 0
        self._result = ClipFile(self._frames, duration_us, size_bytes)
        return self._result

    def abort(self) -> None:
        """Let go of the file without finishing it. Harmless at any time."""
        container, self._container, self._stream = self._container, None, None
        if container is not None:
            try:
                container.close()
            except (av.FFmpegError, OSError):
                # what cannot be finished is what is given up here
                return

    @property
    def _fps(self) -> Fraction:
        return Fraction(min(max(self._options.nominal_fps, 1.0), 240.0)).limit_denominator(1001)

    def _add_stream(self, container: OutputContainer) -> VideoStream:
        options = {
            "preset": self._options.preset,
            "crf": str(self._options.crf),
            # B-frames save 5 %, and with pictures at any time they make the file's duration wrong
            "bf": "0",
            # without a video format x264 leaves the colour range out of the stream; it looks ahead by pictures that it
            # keeps: 67 MB at 1080p for 3, 110 MB for 10
            "x264-params": "videoformat=component:rc-lookahead=3",
        }
        stream = container.add_stream("libx264", rate=self._fps, options=options)
        stream.width, stream.height = self._format.width, self._format.height
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, _TICKS_PER_S)
        context.color_range = ColorRange.MPEG
        context.gop_size = max(round(2 * self._fps), 1)
        context.thread_count = self._options.threads
        return stream

    def _failed(self, exc: Exception) -> OutputError:
        hint = "make sure that the folder exists and can be written"
        if getattr(exc, "errno", None) in _NO_SPACE:
            hint = "free some space there, or lower the storage quota"
        reason = getattr(exc, "strerror", None) or str(exc)
        return OutputError(f"the clip cannot be written: {reason}", where=str(self._path), hint=hint)
