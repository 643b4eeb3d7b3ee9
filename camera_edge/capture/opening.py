"""Chooses the source for an address.

Invariant: nothing is opened here; `open()` or `with` does that.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from camera_edge.capture.address import Address, Kind, parse_address
from camera_edge.capture.device import DeviceCamera
from camera_edge.capture.images import IMAGE_SUFFIXES, ImageFolder
from camera_edge.capture.opencv import PacketReader, Timeouts
from camera_edge.capture.packets import LiveCamera
from camera_edge.capture.reconnect import Reconnecting
from camera_edge.capture.recorded import RecordedFile
from camera_edge.capture.source import Source, SourceOptions
from camera_edge.capture.synthetic import SyntheticCamera
from camera_edge.errors import SourceError


def open_source(address: str, options: SourceOptions | None = None) -> Source:
    """The source of an address, ready for `with` or `open()`.

    Addresses: a video file, an image or a folder of images, rtsp(s)://, http(s):// (multipart MJPEG and what else
    FFmpeg finds there), v4l2:/dev/video0 or /dev/video0, synthetic:?seed=7&size=960x540&fps=15. Raises `UsageError`,
    and `SourceError` where the name cannot be handed to a decoder.
    """
    chosen = options or SourceOptions()
    parsed = parse_address(address)
    if not _is_utf8(parsed.location):
        # OpenCV would end the process
        raise SourceError(
            "its name is not UTF-8, and decoders cannot open it",
            where=parsed.name,
            hint="rename it, or give a link to it that has another name",
        )
    return _SOURCES[parsed.kind](parsed, chosen)


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _path(address: Address, options: SourceOptions) -> Source:
    path = Path(address.location)
    if path.is_dir() or path.suffix.lower() in IMAGE_SUFFIXES:
        return ImageFolder(path, address.name, options)
    return RecordedFile(address, options)


def _network(address: Address, options: SourceOptions) -> Source:
    timeouts = Timeouts(options.open_timeout_s, options.read_timeout_s, options.clock)
    return _lasting(LiveCamera(address.name, PacketReader(address, timeouts), options), options)


def _device(address: Address, options: SourceOptions) -> Source:
    return _lasting(DeviceCamera(address, options), options)


def _synthetic(address: Address, options: SourceOptions) -> Source:
    return SyntheticCamera(address, options)


def _lasting(source: Source, options: SourceOptions) -> Source:
    return Reconnecting(source, options.wait, options.random) if options.reconnect else source


_SOURCES: dict[Kind, Callable[[Address, SourceOptions], Source]] = {
    Kind.PATH: _path,
    Kind.RTSP: _network,
    Kind.HTTP: _network,
    Kind.DEVICE: _device,
    Kind.SYNTHETIC: _synthetic,
}
