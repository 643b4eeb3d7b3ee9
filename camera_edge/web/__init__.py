"""The web page: live picture, events and states, behind a token.

Invariant: the page is served from this package alone and asks no other server for anything.
"""

from camera_edge.web.access import WebSettings
from camera_edge.web.services import (
    CameraStatus,
    ClipPart,
    Counter,
    EventRow,
    HubStatus,
    ModuleStatus,
    WebServices,
    Whep,
    WhepSession,
)
from camera_edge.web.site import build_app, listening

__all__ = [
    "CameraStatus",
    "ClipPart",
    "Counter",
    "EventRow",
    "HubStatus",
    "ModuleStatus",
    "WebServices",
    "WebSettings",
    "Whep",
    "WhepSession",
    "build_app",
    "listening",
]
