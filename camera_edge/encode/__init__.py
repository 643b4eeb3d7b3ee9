"""Encodes redacted pictures: H.264 in MP4 for clips, H.264 packets for the preview, JPEG for snapshots and pre-roll.

Invariant: what comes in is shown as it is; nothing here redacts, so nothing unredacted may be handed in for a way out.
"""

from camera_edge.encode.clip import ClipEncoder, ClipFile, ClipOptions
from camera_edge.encode.codecs import missing_codecs
from camera_edge.encode.jpeg import jpeg
from camera_edge.encode.live import EncodedFrame, LiveEncoder
from camera_edge.encode.png import png

__all__ = ["ClipEncoder", "ClipFile", "ClipOptions", "EncodedFrame", "LiveEncoder", "jpeg", "missing_codecs", "png"]
