"""Makes events of observations: what was seen frame by frame becomes something that opened, went on and closed.

Invariant: pure. Same observations at the same media times, same events; no clock, no files, no pixels.
"""

from camera_edge.rules.crossing import Direction, LineCrossed, ZoneEntered, ZoneLeft
from camera_edge.rules.engine import MAX_KINDS, MAX_SUBJECTS, Amendment, Rule, RuleEngine, Scene, Standing, Verdict
from camera_edge.rules.line import Line
from camera_edge.rules.lingering import Crowd, Loitering
from camera_edge.rules.machine import MAX_TRACKS, SCORE_STEP, EventMachine, Match
from camera_edge.rules.moving import Speeding, WrongWay
from camera_edge.rules.polygon import Polygon
from camera_edge.rules.schedule import Hours, Schedule
from camera_edge.rules.things import ObjectLeft, ObjectRemoved
from camera_edge.rules.tracks import STILL
from camera_edge.rules.watch import WatchPlan

__all__ = [
    "MAX_KINDS",
    "MAX_SUBJECTS",
    "MAX_TRACKS",
    "SCORE_STEP",
    "STILL",
    "Amendment",
    "Crowd",
    "Direction",
    "EventMachine",
    "Hours",
    "Line",
    "LineCrossed",
    "Loitering",
    "Match",
    "ObjectLeft",
    "ObjectRemoved",
    "Polygon",
    "Rule",
    "RuleEngine",
    "Scene",
    "Schedule",
    "Speeding",
    "Standing",
    "Verdict",
    "WatchPlan",
    "WrongWay",
    "ZoneEntered",
    "ZoneLeft",
]
