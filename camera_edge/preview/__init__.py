"""Live preview: one camera's redacted, encoded pictures, fanned out to WebRTC viewers (the only door to aiortc).

Invariant: no server outside is ever asked, no address is bound or contacted but the configured ones and the viewers'.
"""

from camera_edge.preview.fanout import Fanout, PreviewBusyError, PreviewCounters, PreviewPolicy, Session
from camera_edge.preview.offer import OfferError
from camera_edge.preview.packets import LivePacket

__all__ = [
    "Fanout",
    "LivePacket",
    "OfferError",
    "PreviewBusyError",
    "PreviewCounters",
    "PreviewPolicy",
    "Session",
]
