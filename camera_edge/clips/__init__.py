"""Keeps encoded packets of the last seconds, and makes finished clips durable files.

Invariant: raw pictures never pass through here; a clip is announced only when all its files are safe on the disk.
"""

from camera_edge.clips.folder import ClipDraft, ClipFolder, SealedFile, SealedFiles
from camera_edge.clips.metadata import (
    ClipCounters,
    ClipMetadata,
    EventRecord,
    FileRecord,
    Fingerprint,
    FrameRange,
    FrameSpan,
    ModelRecord,
    ModuleRecord,
    RedactionRecord,
    RuntimeRecord,
    event_record,
    frame_span,
    utc_ns,
)
from camera_edge.clips.preroll import Batch, FrameMark, Kept, PreRoll, Reader
from camera_edge.clips.quota import StoredClip, what_to_delete

__all__ = [
    "Batch",
    "ClipCounters",
    "ClipDraft",
    "ClipFolder",
    "ClipMetadata",
    "EventRecord",
    "FileRecord",
    "Fingerprint",
    "FrameMark",
    "FrameRange",
    "FrameSpan",
    "Kept",
    "ModelRecord",
    "ModuleRecord",
    "PreRoll",
    "Reader",
    "RedactionRecord",
    "RuntimeRecord",
    "SealedFile",
    "SealedFiles",
    "StoredClip",
    "event_record",
    "frame_span",
    "utc_ns",
    "what_to_delete",
]
