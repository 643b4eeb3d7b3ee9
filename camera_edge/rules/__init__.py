"""Makes events of observations: what was seen frame by frame becomes something that opened, went on and closed.

Invariant: pure. Same observations at the same media times, same events; no clock, no files, no pixels.
"""

from camera_edge.rules.engine import MAX_KINDS, Amendment, Rule, RuleEngine, Standing, Verdict
from camera_edge.rules.machine import MAX_TRACKS, SCORE_STEP, EventMachine, Match
from camera_edge.rules.polygon import Polygon

__all__ = [
    "MAX_KINDS",
    "MAX_TRACKS",
    "SCORE_STEP",
    "Amendment",
    "EventMachine",
    "Match",
    "Polygon",
    "Rule",
    "RuleEngine",
    "Standing",
    "Verdict",
]
