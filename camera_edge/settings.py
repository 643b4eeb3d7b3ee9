"""What one camera's pipeline is built from: the values of a checked configuration, for the worker to read.

Invariant: light to import. A worker reads these without pydantic, which would cost every camera 15 MB.
`camera_edge.config.CameraConfig` is where a field is described and checked; here are its values.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from camera_edge.address import safe_address

# runs, unreported, where nothing that is configured would say what moves
REDACTION_DEFAULT = "motion"
# below the state folder: installed modules, trusted keys, revoked digests
SHELF_FOLDER = "analyzers"

Polygon = tuple[tuple[float, float], ...]
Segment = tuple[tuple[float, float], tuple[float, float]]
ParamValue = str | bool | int | float


class ClipSettings(msgspec.Struct, frozen=True):
    before_s: float
    after_s: float
    longest_s: float


class RedactSettings(msgspec.Struct, frozen=True):
    """`required` None: motion, and every analyzer that an added model is granted to."""

    mode: Literal["pixelate", "black"]
    hold_s: float
    pad: float
    required: tuple[str, ...] | None = msgspec.field(name="with", default=None)


class AnalyzerSettings(msgspec.Struct, frozen=True):
    grant: tuple[str, ...] = ()
    params: dict[str, ParamValue] = {}
    wake_on: str | None = None


class HoursSettings(msgspec.Struct, frozen=True):
    """Minutes of the day; `days` by the first three letters of their names."""

    days: tuple[str, ...]
    from_: int = msgspec.field(name="from")
    to: int


class RuleSettings(msgspec.Struct, frozen=True):
    """`event` None: that something is seen opens one. `hold_s` None: the default of the event."""

    kinds: tuple[str, ...]
    analyzers: tuple[str, ...]
    zones: tuple[str, ...]
    min_score: float
    hold_s: float | None
    quiet_s: float
    schedule: tuple[HoursSettings, ...] = ()
    event: str | None = None
    line: str | None = None
    direction: Literal["any", "left_to_right", "right_to_left"] | None = None
    dwell_s: float | None = None
    way: Segment | None = None
    speed: float | None = None
    count: int | None = None


class CameraSettings(msgspec.Struct, frozen=True):
    """`source` is in the clear: it is never printed, and `safe_source` is what may be shown of it."""

    source: str
    rate: float | Literal["native"]
    clip: ClipSettings
    redact: RedactSettings
    privacy_masks: tuple[Polygon, ...]
    zones: dict[str, Polygon]
    analyzers: dict[str, AnalyzerSettings]
    rules: dict[str, RuleSettings]
    time_zone: str = "UTC"
    lines: dict[str, Segment] = {}

    @property
    def safe_source(self) -> str:
        return safe_address(self.source)

    def __repr__(self) -> str:
        return f"CameraSettings({self.safe_source})"
