"""Collects what a guest says about one frame, and checks each word of it.

Invariant: whatever leaves here is finite, inside 0..1, of a kind the manifest names, and bounded in number and size.
"""

from __future__ import annotations

import math
import struct
import sys
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
import numpy as np

from camera_edge.observation import NO_TRACK, AttributeValue, Box, Mask, Observation, Score
from camera_edge.sandbox.manifest import Manifest
from camera_edge.sandbox.status import RefusedError, Status

RECORD = struct.Struct("<IIfiffffII")
BOX = struct.Struct("<ffff")
KIND_BYTES_MAX = 64
ATTRIBUTES_BYTES_MAX = 4096
ATTRIBUTES_MAX = 64
SCORES_MAX = 64
LAG_MAX = 1024
# what the rounding of x + w in f32 may add
_ROUNDING = 1e-6

_attributes = msgspec.json.Decoder(Annotated[dict[str, AttributeValue], msgspec.Meta(max_length=ATTRIBUTES_MAX)])


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that a guest gives for the operator's graphs."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class LogLine:
    """What a guest says in words; `level` 0 debug, 1 information, 2 warning, 3 error. Printable characters only."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """All that one analyzer said about one frame. `refused` counts outputs beyond a limit, which are not in it."""

    observations: tuple[Observation, ...]
    mask: Mask | None
    scores: tuple[Score, ...]
    logs: tuple[LogLine, ...]
    metrics: tuple[Metric, ...]
    fuel: int
    refused: int = 0

    @property
    def complete(self) -> bool:
        return self.refused == 0


@dataclass(frozen=True, slots=True)
class Record:
    """One emit record as it lies in the guest's memory."""

    kind_pointer: int
    kind_bytes: int
    score: float
    track: int
    x: float
    y: float
    w: float
    h: float
    attributes_pointer: int
    attributes_bytes: int

    @classmethod
    def unpack(cls, data: bytes) -> Record:
        return cls(*RECORD.unpack(data))


@dataclass(slots=True)
class Draft:
    """The answer to one frame while it is being given. Its methods raise RefusedError."""

    manifest: Manifest
    view_width: int
    view_height: int
    observations: list[Observation] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    mask: Mask | None = None
    refused: int = 0
    spoiled: str | None = None

    def check_room(self) -> None:
        if len(self.observations) >= self.manifest.limits.observations:
            raise RefusedError(Status.TOO_MANY)

    def add_observation(self, record: Record, kind: bytes, attributes: bytes) -> None:
        self.check_room()
        name = _text(kind)
        check_record(record, name, self.manifest)
        box = inside(record.x, record.y, record.w, record.h)
        known = read_attributes(attributes)
        self.observations.append(Observation(self.manifest.name, name, record.score, box, record.track, known))

    def add_score(self, value: float, lag: int) -> None:
        if len(self.scores) >= SCORES_MAX:
            raise RefusedError(Status.TOO_MANY)
        if not math.isfinite(value) or not 0 <= lag <= LAG_MAX:
            raise RefusedError(Status.BAD_VALUE)
        self.scores.append(Score(self.manifest.name, value, lag))

    def check_mask(self, length: int, width: int, height: int) -> None:
        if not (0 < width <= self.view_width and 0 < height <= self.view_height and length == width * height):
            raise RefusedError(Status.BAD_VALUE)

    def set_mask(self, data: bytes, width: int, height: int) -> None:
        self.check_mask(len(data), width, height)
        self.mask = Mask(self.manifest.name, np.frombuffer(data, np.uint8).reshape(height, width))


def check_kind(kind: str, manifest: Manifest) -> None:
    """Raises RefusedError for one that the manifest does not name."""
    if kind not in manifest.kinds:
        words = f"the manifest's kinds do not name {printable(kind.encode())!r}"
        raise RefusedError(Status.BAD_VALUE, words)


def check_record(record: Record, kind: str, manifest: Manifest) -> None:
    """Raises RefusedError for a kind, score or track that cannot be."""
    check_kind(kind, manifest)
    if not 0 <= record.score <= 1:
        raise RefusedError(Status.BAD_VALUE, f"a score of {record.score:g} is not in 0..1")
    if record.track < NO_TRACK:
        raise RefusedError(Status.BAD_VALUE, f"{record.track} is no track")


def inside(x: float, y: float, w: float, h: float) -> Box:
    """The box, where it is finite and lies in the picture. Raises RefusedError."""
    # a comparison with NaN is false
    if not (x >= 0 and y >= 0 and w >= 0 and h >= 0 and x + w <= 1 + _ROUNDING and y + h <= 1 + _ROUNDING):
        words = f"the box {x:g}, {y:g}, {w:g}, {h:g} (x, y, w, h) does not lie in the picture"
        raise RefusedError(Status.BAD_VALUE, words)
    x, y = min(x, 1.0), min(y, 1.0)
    return Box(x, y, min(w, 1.0 - x), min(h, 1.0 - y))


def read_attributes(data: bytes) -> dict[str, AttributeValue]:
    """A flat JSON object of texts, finite numbers and booleans. Raises RefusedError."""
    if not data:
        return {}
    try:
        attributes: dict[str, AttributeValue] = _attributes.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError(Status.BAD_VALUE, f"its attributes: {error}") from error
    # a whole number may have thousands of digits, and be no number for who reads it
    if not all(abs(value) <= sys.float_info.max for value in attributes.values() if not isinstance(value, str)):
        raise RefusedError(Status.BAD_VALUE, "its attributes hold a number that is not finite")
    return attributes


def printable(data: bytes) -> str:
    """A guest's words, harmless in a terminal or a log."""
    text = data.decode("utf-8", errors="replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError(Status.BAD_VALUE) from error
