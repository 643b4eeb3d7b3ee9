"""The hub: starts and supervises the workers, keeps events and clips, serves the page. It never touches a pixel.

Invariant: one camera's trouble is that camera's alone; what a worker says is checked before it is believed.
"""

from camera_edge.hub.hub import Hub, HubOptions, run_until_signal
from camera_edge.hub.news import CameraNews, ClipNews, EventNews, Listening, News
from camera_edge.hub.supervisor import SupervisionPolicy

__all__ = [
    "CameraNews",
    "ClipNews",
    "EventNews",
    "Hub",
    "HubOptions",
    "Listening",
    "News",
    "SupervisionPolicy",
    "run_until_signal",
]
