"""Hides people, vehicles and everything that moves, before any encoder sees the picture.

Invariant: pure (pixels and observations in, pixels out), and in doubt more is hidden, never less.
"""

from camera_edge.redact.grid import Grid
from camera_edge.redact.hidden import ALL, Everything, Hidden, HiddenMap
from camera_edge.redact.history import RedactionHistory
from camera_edge.redact.paint import Mode, paint
from camera_edge.redact.rule import Answered, RedactionPolicy, hidden_for

__all__ = [
    "ALL",
    "Answered",
    "Everything",
    "Grid",
    "Hidden",
    "HiddenMap",
    "Mode",
    "RedactionHistory",
    "RedactionPolicy",
    "hidden_for",
    "paint",
]
