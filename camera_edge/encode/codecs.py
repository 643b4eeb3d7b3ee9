"""Asks FFmpeg, as PyAV brings it, for the codecs that are needed."""

from __future__ import annotations

from typing import Literal

import av

_NEEDED: tuple[tuple[str, Literal["r", "w"]], ...] = (("h264", "r"), ("hevc", "r"), ("mjpeg", "r"), ("libx264", "w"))


def missing_codecs() -> list[str]:
    """Names of decoders and encoders that this build lacks."""
    return [name for name, mode in _NEEDED if not _has(name, mode)]


def _has(name: str, mode: Literal["r", "w"]) -> bool:
    try:
        av.Codec(name, mode)
    except (av.FFmpegError, ValueError):
        return False
    return True
