"""What rules make of observations over time. Times are media time in microseconds."""

from __future__ import annotations

from dataclasses import dataclass

from camera_edge.observation import Box


@dataclass(frozen=True, slots=True)
class Event:
    """Something that went on for a while in front of one camera.

    `id` is a hash of camera, kind, opening time and number, so a second run over the same frames gives the same.
    `score` is the best score so far; `best_frame` is the frame that had it. `closed_us` is None while it is open.
    `why` is one short sentence for people: why it opened. `box` is where the thing was in `best_frame`.
    """

    id: str
    camera: str
    rule: str
    kind: str
    analyzer: str
    score: float
    best_frame: int
    opened_us: int
    closed_us: int | None = None
    zones: tuple[str, ...] = ()
    tracks: tuple[int, ...] = ()
    why: str = ""
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    event: Event


@dataclass(frozen=True, slots=True)
class Updated:
    event: Event


@dataclass(frozen=True, slots=True)
class Closed:
    event: Event


Change = Opened | Updated | Closed
