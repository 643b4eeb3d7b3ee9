"""The lines of a replay: what a module said, in JSON with a fixed order of keys.

Invariant: one value, one text. Numbers are written so that they read back to the very same bits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated

import msgspec

from camera_edge.event import Change
from camera_edge.observation import AttributeValue, Mask, Observation
from camera_edge.sandbox import Answer, LogLine, Metric, Ruling

MICROSECONDS = 1_000_000
# ten years, so that the time of day stays within what a calendar and 64 bits hold
MEDIA_S_MAX = 10 * 366 * 86400

# bounds of what is read; they are those of the numbers that a guest is told
FrameNumber = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
MediaSeconds = Annotated[float, msgspec.Meta(ge=0, le=MEDIA_S_MAX)]
Part = Annotated[float, msgspec.Meta(ge=0, le=1)]
Track = Annotated[int, msgspec.Meta(ge=-1, le=(1 << 31) - 1)]


class SeenThing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An observation; `box` is x, y, width, height in fractions of the picture."""

    kind: str
    score: Part
    box: tuple[Part, Part, Part, Part]
    track: Track
    attributes: dict[str, AttributeValue]


class ScoreLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`lag`: for the frame so many calls earlier."""

    lag: int
    value: float


class MaskLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`hidden`: how many of its pixels are not background. sha256: of its bytes, row by row."""

    width: int
    height: int
    hidden: int
    sha256: str


class SaidLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    level: int
    text: str


class MetricLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    value: float


class ReplayLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="replay"):
    """The first line of each clip."""

    module: str
    source: str


class ViewLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="view"):
    """A new instance, for pictures of this size. `format` as in the manifest."""

    format: str
    width: int
    height: int


class FrameLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="frame"):
    """An analyzer's answer for one frame. `refused` counts outputs beyond a limit, which are not in it."""

    frame: FrameNumber
    t_s: MediaSeconds
    observations: tuple[SeenThing, ...]
    scores: tuple[ScoreLine, ...]
    mask: MaskLine | None
    metrics: tuple[MetricLine, ...]
    logs: tuple[SaidLine, ...]
    refused: int


class FaultLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="fault"):
    """There is no answer for this frame."""

    frame: FrameNumber
    t_s: MediaSeconds
    reason: str


class EventLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of an event: `phase` is opened, updated or closed."""

    phase: str
    id: str
    rule: str
    kind: str
    score: float
    opened_s: float
    closed_s: float | None


class RelabelLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`event`: its number in the batch."""

    event: int
    kind: str
    score: float | None


class RulingLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ruling"):
    """What a rule module said to one frame, and what became of the events."""

    frame: int
    t_s: float
    raised: tuple[SeenThing, ...]
    vetoed: tuple[int, ...]
    relabelled: tuple[RelabelLine, ...]
    events: tuple[EventLine, ...]
    metrics: tuple[MetricLine, ...]
    logs: tuple[SaidLine, ...]
    refused: int


Line = ReplayLine | ViewLine | FrameLine | FaultLine | RulingLine


def text_of(line: Line) -> str:
    """One line of JSON, without its end."""
    return json.dumps(msgspec.to_builtins(line), ensure_ascii=False, separators=(",", ":"))


def frame_line(frame: int, media_us: int, answer: Answer) -> FrameLine:
    return FrameLine(
        frame=frame,
        t_s=media_us / MICROSECONDS,
        observations=_things(answer.observations),
        scores=tuple(ScoreLine(score.lag, score.value) for score in answer.scores),
        mask=None if answer.mask is None else _mask(answer.mask),
        metrics=_metrics(answer.metrics),
        logs=_said(answer.logs),
        refused=answer.refused,
    )


def ruling_line(frame: int, media_us: int, ruling: Ruling, changes: Sequence[Change]) -> RulingLine:
    return RulingLine(
        frame=frame,
        t_s=media_us / MICROSECONDS,
        raised=_things(ruling.raised),
        vetoed=tuple(sorted(ruling.vetoed)),
        relabelled=tuple(RelabelLine(each.event, each.kind, each.score) for each in ruling.relabelled),
        events=tuple(map(_event, changes)),
        metrics=_metrics(ruling.metrics),
        logs=_said(ruling.logs),
        refused=ruling.refused,
    )


def _things(seen: Sequence[Observation]) -> tuple[SeenThing, ...]:
    return tuple(
        SeenThing(each.kind, each.score, (each.box.x, each.box.y, each.box.w, each.box.h), each.track, each.attributes)
        for each in seen
    )


def _mask(mask: Mask) -> MaskLine:
    height, width = mask.pixels.shape
    return MaskLine(
        width=width,
        height=height,
        hidden=int((mask.pixels != 0).sum()),
        sha256=hashlib.sha256(mask.pixels.tobytes()).hexdigest(),
    )


def _metrics(metrics: Sequence[Metric]) -> tuple[MetricLine, ...]:
    return tuple(MetricLine(each.name, each.value) for each in metrics)


def _said(logs: Sequence[LogLine]) -> tuple[SaidLine, ...]:
    return tuple(SaidLine(each.level, each.text) for each in logs)


def _event(change: Change) -> EventLine:
    event = change.event
    return EventLine(
        phase=type(change).__name__.lower(),
        id=event.id,
        rule=event.rule,
        kind=event.kind,
        score=event.score,
        opened_s=event.opened_us / MICROSECONDS,
        closed_s=None if event.closed_us is None else event.closed_us / MICROSECONDS,
    )
