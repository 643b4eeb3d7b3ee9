"""One page about one analysis: what was found, when, why, and what made it, for people who read and audit.

Invariant: pure. Values in, one self-contained page out; who collects the values stands elsewhere.
"""

from camera_edge.dossier.findings import (
    Dossier,
    EventFound,
    Figures,
    ModuleFacts,
    RuleFacts,
    Setting,
    SourceFindings,
    Span,
)
from camera_edge.dossier.page import page
from camera_edge.dossier.shortlist import Shortlist
from camera_edge.dossier.trace import Trace, Tracer

__all__ = [
    "Dossier",
    "EventFound",
    "Figures",
    "ModuleFacts",
    "RuleFacts",
    "Setting",
    "Shortlist",
    "SourceFindings",
    "Span",
    "Trace",
    "Tracer",
    "page",
]
