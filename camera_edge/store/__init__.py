"""What the appliance remembers: events and their clips, in one SQLite file of the state folder (the only door to it).

Invariant: a row that names a file is committed after the file is durable, and every call may come twice without harm.
"""

from camera_edge.store.lock import StateLock
from camera_edge.store.rows import ClipFile, ClipRow, ClipState, EventRow, EventState
from camera_edge.store.store import Store

__all__ = [
    "ClipFile",
    "ClipRow",
    "ClipState",
    "EventRow",
    "EventState",
    "StateLock",
    "Store",
]
