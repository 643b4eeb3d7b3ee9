"""Recordings whose incidents are written down in an `events.json` beside them: videos, or folders of images.

    {"tolerance_frames": 5,
     "door.mp4": {"fps": 10,
                  "person_present": [[61, 194], ...],        first and last frame, of any kind that analyzers report
                  "bottle_count": [[3, 0, 206], [2, 207, 339], ...],      how many there are, first and last frame: of
                                                              persons and vehicles when any is there, else things left
                                                              and removed
                  "auto_exposure_dips": [[72, 97], ...]}}     where nothing is to be reported, though all looks changed

Invariant: times are media seconds; what is neither a list of frames nor a known number is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from camera_edge.errors import UsageError
from camera_edge.eval.layout import folders, nothing_found, shown

FILE = "events.json"
REMOVED, LEFT = "object_removed", "object_left"
_PRESENT, _COUNT, _DIPS = "_present", "_count", "_dips"
_TOLERANCE_FRAMES = 5
# what an annotation may call a kind that analyzers report
_KINDS = {"people": "person", "pedestrian": "person"} | dict.fromkeys(
    ("car", "truck", "bus", "motorcycle", "bicycle"), "vehicle"
)
_COME_AND_GO = ("person", "vehicle")
# a hand covers a thing for a while before it is gone
_COUNT_TOLERANCE_FRAMES = 10


@dataclass(frozen=True, slots=True)
class Span:
    """Something is there from `begin_s` to `end_s`."""

    begin_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Turn:
    """At `at_s` so many things appear or go: an event of `kind` is to open."""

    kind: str
    at_s: float
    number: int


@dataclass(frozen=True, slots=True)
class AnnotatedRecording:
    """present: by kind, when something of it is there. dips: the light changes, and nothing else."""

    name: str
    source: Path
    present: Mapping[str, Sequence[Span]]
    turns: Sequence[Turn]
    counted: bool
    dips: Sequence[Span]
    tolerance_s: float
    turn_tolerance_s: float


def find_annotated(data: Path) -> list[AnnotatedRecording]:
    """Raises UsageError where there is none, or where an annotation is not what it should be."""
    found = []
    for folder in folders(data):
        if (folder / FILE).is_file():
            found += _read(folder, data)
    if not found:
        raise nothing_found(data, "recordings with incidents", f"{FILE} beside its videos")
    return found


def _read(folder: Path, data: Path) -> list[AnnotatedRecording]:
    path = folder / FILE
    try:
        document = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        tolerance = _number(document.get("tolerance_frames", _TOLERANCE_FRAMES))
        parts = {name: part for name, part in document.items() if isinstance(part, dict)}
        for name in parts:
            if not (folder / name).exists():
                raise ValueError(f"there is no recording {name!r} beside it")
        return [_recording(folder / name, part, tolerance, shown(folder, data)) for name, part in parts.items()]
    except (ValueError, OverflowError) as exc:
        raise UsageError(
            f"is not understood: {exc}", where=str(path), hint="see camera_edge/eval/annotation.py"
        ) from exc


def _recording(source: Path, part: Mapping[str, Any], tolerance: float, home: str) -> AnnotatedRecording:
    fps = _number(part.get("fps"))
    if fps <= 0:
        raise ValueError(f"{source.name} has no fps")
    tolerance = _number(part.get("tolerance_frames", tolerance))
    lists = {key: value for key, value in part.items() if isinstance(value, list)}
    present = {_kind(key, _PRESENT): _spans(key, lists[key], fps) for key in lists if key.endswith(_PRESENT)}
    counts = [(key, value) for key, value in lists.items() if key.endswith(_COUNT)]
    for key, value in counts:
        if (kind := _kind(key, _COUNT)) in _COME_AND_GO:
            present.setdefault(kind, _spans_of_some(key, value, fps))
    counts = [(key, value) for key, value in counts if _kind(key, _COUNT) not in _COME_AND_GO]
    return AnnotatedRecording(
        name=f"{home}/{source.name}",
        source=source,
        present=present,
        turns=[turn for key, value in counts for turn in _turns(key, value, fps)],
        counted=bool(counts),
        dips=[span for key, value in lists.items() if key.endswith(_DIPS) for span in _spans(key, value, fps)],
        tolerance_s=tolerance / fps,
        turn_tolerance_s=max(tolerance, _COUNT_TOLERANCE_FRAMES) / fps,
    )


def _spans(key: str, value: Sequence[Any], fps: float) -> list[Span]:
    spans = [Span(first / fps, last / fps) for first, last in _rows(key, value, 2)]
    if any(each.end_s < each.begin_s for each in spans) or any(b.begin_s <= a.end_s for a, b in pairwise(spans)):
        raise ValueError(f"the spans of {key} are not in order")
    return spans


def _kind(key: str, suffix: str) -> str:
    name = key.removesuffix(suffix)
    return _KINDS.get(name, name)


def _spans_of_some(key: str, value: Sequence[Any], fps: float) -> list[Span]:
    """When there is one at least."""
    spans: list[Span] = []
    before = 0.0
    for number, first, last in _rows(key, value, 3):
        if number > 0 and before > 0:
            spans[-1] = Span(spans[-1].begin_s, last / fps)
        elif number > 0:
            spans.append(Span(first / fps, last / fps))
        before = number
    return spans


def _turns(key: str, value: Sequence[Any], fps: float) -> list[Turn]:
    rows = _rows(key, value, 3)
    return [
        Turn(REMOVED if now < before else LEFT, first / fps, round(abs(now - before)))
        for (before, _, _), (now, first, _) in pairwise(rows)
        if now != before
    ]


def _rows(key: str, value: Sequence[Any], width: int) -> list[list[float]]:
    for row in value:
        if not isinstance(row, list) or len(row) != width:
            raise ValueError(f"{key} holds {row!r}, not {width} numbers")
    return [[_number(each) for each in row] for row in value]


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no number")
    return float(value)
