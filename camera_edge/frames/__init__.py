"""Pictures as analyzers want them, in memory that all sandboxes of a camera map: views, rings, privacy masks."""

from camera_edge.frames.privacy import PrivacyMask
from camera_edge.frames.ring import HEADER, HEADER_BYTES, SLOT_ALIGNMENT, Ring, Slot
from camera_edge.frames.view import View

__all__ = ["HEADER", "HEADER_BYTES", "SLOT_ALIGNMENT", "PrivacyMask", "Ring", "Slot", "View"]
