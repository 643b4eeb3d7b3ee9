"""Opens cameras and recordings and hands on what they hold: packets as they came, and pictures decoded once.

Invariant: no message, log line or value that leaves here holds credentials.
"""

from camera_edge.capture.decoder import Decoded, PacketDecoder
from camera_edge.capture.images import image_files
from camera_edge.capture.opening import open_source
from camera_edge.capture.script import Truth
from camera_edge.capture.source import Counters, Frame, Grab, Packet, Source, SourceOptions, Stream
from camera_edge.capture.synthetic import SyntheticCamera

__all__ = [
    "Counters",
    "Decoded",
    "Frame",
    "Grab",
    "Packet",
    "PacketDecoder",
    "Source",
    "SourceOptions",
    "Stream",
    "SyntheticCamera",
    "Truth",
    "image_files",
    "open_source",
]
