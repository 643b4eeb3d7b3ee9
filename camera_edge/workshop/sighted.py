"""Reads what analyzers observed, from JSON Lines, for a rule module to look at.

It takes the lines of `camera-edge analyze --json --observations --scores` (without `--scores` the frames in which
nothing was seen are not known) and those of a replay.

Invariant: frames come in order, each once, and their numbers are within what a rule module can be told; a line of
another kind is left out, a line that cannot be read is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from camera_edge.errors import UsageError
from camera_edge.observation import AttributeValue, Box, Observation
from camera_edge.workshop.lines import (
    MICROSECONDS,
    FaultLine,
    FrameLine,
    FrameNumber,
    MediaSeconds,
    Part,
    ReplayLine,
    SeenThing,
    Track,
    ViewLine,
)

_HINT = (
    "give what `camera-edge analyze CLIP --json --observations --scores` or `camera-edge analyzer replay CLIP` printed"
)


class _Observed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="observation"):
    source: str
    frame: FrameNumber
    t_s: MediaSeconds
    analyzer: str
    kind: str
    score: Part
    box: tuple[Part, Part, Part, Part]
    track: Track
    attributes: dict[str, AttributeValue]


class _Scored(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="score"):
    source: str
    frame: FrameNumber
    t_s: MediaSeconds
    analyzer: str
    value: float


class _Typed(msgspec.Struct, frozen=True):
    type: str = ""


class _Event(msgspec.Struct, frozen=True, tag="event"):
    pass


class _Summary(msgspec.Struct, frozen=True, tag="summary"):
    pass


_decoder = msgspec.json.Decoder(_Observed | _Scored | _Event | _Summary | ReplayLine | ViewLine | FrameLine | FaultLine)


_typed = msgspec.json.Decoder(_Typed)


@dataclass(slots=True)
class Moment:
    """What was observed in one frame."""

    frame: int
    media_us: int
    observations: list[Observation] = field(default_factory=list)


def lacks_empty_frames(path: Path) -> bool:
    """Whether a file has observations and no scores, so that frames in which nothing was seen are not in it.

    False for what is no plain file, which can be read only once, and where a line cannot be read, which `read_moments`
    says.
    """
    found = False
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            for text in file:
                kind = _typed.decode(text).type
                if kind == "score":
                    return False
                found = found or kind == "observation"
    except (OSError, ValueError):
        return False
    return found


def read_moments(path: Path) -> Iterator[Moment]:
    """Raises UsageError with the line for what cannot be read, and for frames out of order."""
    try:
        with path.open("rb") as file:
            yield from _moments(file, str(path))
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), hint=_HINT) from error


def _moments(lines: Iterable[bytes], where: str) -> Iterator[Moment]:
    present: Moment | None = None
    source: str | None = None
    analyzer = ""
    for number, text in enumerate(lines, start=1):
        place = f"{where}:{number}"
        try:
            line = _decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot be read: {error}", where=place, hint=_HINT) from error
        if isinstance(line, ReplayLine | _Observed | _Scored):
            if source is not None and line.source != source:
                raise UsageError("these are observations of several clips", where=place, hint="give one at a time")
            source = line.source
        if isinstance(line, ReplayLine):
            analyzer = line.module
        if not isinstance(line, _Observed | _Scored | FrameLine | FaultLine):
            continue
        media_us = round(line.t_s * MICROSECONDS)
        if present is None or line.frame > present.frame:
            if present is not None:
                if media_us < present.media_us:
                    raise UsageError(f"frame {line.frame} is earlier than {present.frame}", where=place, hint=_HINT)
                yield present
            present = Moment(line.frame, media_us)
        elif line.frame < present.frame and not isinstance(line, _Scored):
            raise UsageError(f"frame {line.frame} comes after {present.frame}", where=place, hint=_HINT)
        if isinstance(line, _Observed):
            present.observations.append(_observation(line.analyzer, line))
        elif isinstance(line, FrameLine):
            present.observations += [_observation(analyzer, thing) for thing in line.observations]
    if present is not None:
        yield present


def _observation(analyzer: str, seen: _Observed | SeenThing) -> Observation:
    return Observation(analyzer, seen.kind, seen.score, Box(*seen.box), seen.track, seen.attributes)
