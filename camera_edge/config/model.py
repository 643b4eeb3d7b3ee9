"""What a configuration may say, with its bounds and defaults.

Invariant: a value that passed is complete: defaults are filled in, names that are referred to exist.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from pydantic import (
    AfterValidator,
    ByteSize,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from camera_edge.address import safe_address
from camera_edge.config.rule import ModuleName, Name, Point, RuleConfig, Strict
from camera_edge.settings import CameraSettings

DEFAULT_STATE = Path("~/.local/state/camera-edge")

Polygon = Annotated[list[Point], Field(min_length=3, max_length=64)]
Param = str | bool | int | float

# paths of the web server that a camera's name must not hide
RESERVED_NAMES = frozenset({"api", "events", "healthz", "static", "login"})


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; give a name such as Europe/Berlin, or UTC") from None
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


class WebConfig(Strict):
    listen: str = "127.0.0.1:8080"
    """Address and port of page, API and WHEP. Anything but loopback opens the appliance to that network."""
    ice: list[str] = ["127.0.0.1"]
    """Addresses offered to viewers for the live preview's media."""
    token: SecretStr | None = None
    """The access token, from `${NAME}`. Without it a new one is printed at each start."""

    @field_validator("listen")
    @classmethod
    def _listen_has_port(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if not colon or not host or not port.isdigit() or not 0 <= int(port) <= 65535:
            raise ValueError("give ADDRESS:PORT, such as 127.0.0.1:8080")
        return value

    @field_validator("token")
    @classmethod
    def _token_is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 12:
            raise ValueError("a token has at least 12 characters")
        return value

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])


class StorageConfig(Strict):
    quota: ByteSize = ByteSize(10 * 1000**3)
    """Clips above this go, oldest first."""
    headroom: ByteSize = ByteSize(1000**3)
    """Free space on the disk that clips never use."""


class ClipConfig(Strict):
    before_s: Annotated[float, Field(ge=0, le=60)] = 5.0
    after_s: Annotated[float, Field(ge=0, le=60)] = 5.0
    longest_s: Annotated[float, Field(gt=0, le=600)] = 60.0
    """A longer event goes on; its clip ends here and says so."""


class RedactConfig(Strict):
    mode: Literal["pixelate", "black"] = "pixelate"
    with_: Annotated[list[ModuleName] | None, Field(alias="with", min_length=1)] = None
    """The analyzers that must have answered for a picture to be shown at all.
    Default: motion, and every analyzer that an added model is granted to."""
    hold_s: Annotated[float, Field(ge=0, le=60)] = 1.0
    """What was hidden stays hidden for this long."""
    pad: Annotated[float, Field(ge=0.2, le=2.0)] = 0.25
    """What is hidden grows by this part of its size on each side."""


class AnalyzerConfig(Strict):
    grant: list[str] = []
    """Capabilities beyond `pixels` and `observations`, such as `onnx:yolox_nano`, `state:65536` or `nn.load`."""
    params: dict[str, Param] = {}
    wake_on: ModuleName | None = None
    """Asleep until this analyzer sees something."""


class CameraConfig(Strict):
    source: SecretStr
    """A file, a folder of images, rtsp://, http:// (MJPEG), /dev/videoN or synthetic:"""
    friendly_name: str = ""
    enabled: bool = True
    rate: Annotated[float, Field(gt=0, le=60)] | Literal["native"] = 5.0
    """Analysed frames a second."""
    clip: ClipConfig = ClipConfig()
    redact: RedactConfig = RedactConfig()
    privacy_masks: list[Polygon] = []
    """Black before an analyzer sees the frame, and in everything that is kept or shown."""
    zones: dict[Name, Polygon] = {}
    lines: dict[Name, tuple[Point, Point]] = {}
    """Lines that rules name, each from its first point to its second, in fractions of the picture."""
    analyzers: dict[ModuleName, AnalyzerConfig] = {"motion": AnalyzerConfig()}
    rules: dict[Name, RuleConfig] = {}
    """None: every kind that the analyzers give opens events."""
    time_zone: TimeZone = "UTC"
    """Where the camera stands, such as Europe/Berlin: for schedules, and rule modules are told the local minute of the
    week."""

    @field_validator("lines")
    @classmethod
    def _lines_are_lines(cls, value: dict[str, tuple[Point, Point]]) -> dict[str, tuple[Point, Point]]:
        for name, (start, end) in value.items():
            if start == end:
                raise ValueError(f"line {name!r} begins and ends at the same point; give two that differ")
        return value

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for rule_name, rule in self.rules.items():
            if rule.line is not None and rule.line not in self.lines:
                known = ", ".join(self.lines) or "none"
                raise ValueError(
                    f"rule {rule_name!r} names line {rule.line!r}, which this camera does not define (lines: {known})"
                )
            for zone in rule.zones:
                if zone not in self.zones:
                    raise ValueError(f"rule {rule_name!r} names zone {zone!r}, which this camera does not define")
            for analyzer in rule.analyzers:
                if analyzer not in self.analyzers:
                    raise ValueError(f"rule {rule_name!r} names analyzer {analyzer!r}, which this camera does not run")
        for name, analyzer_config in self.analyzers.items():
            waker = analyzer_config.wake_on
            if waker is not None and (waker == name or waker not in self.analyzers):
                raise ValueError(f"analyzer {name!r} wakes on {waker!r}, which this camera does not run beside it")
        for name in self.redact.with_ or []:
            if name not in self.analyzers:
                raise ValueError(f"redact.with names {name!r}, which this camera does not run")
        return self

    @property
    def safe_source(self) -> str:
        return safe_address(self.source.get_secret_value())

    def settings(self, source: str | None = None) -> CameraSettings:
        """The values that a pipeline is built from; `source`: the same address with its host resolved."""
        chosen = source if source is not None else self.source.get_secret_value()
        return msgspec.convert(self.model_dump(by_alias=True) | {"source": chosen}, CameraSettings)


class Defaults(Strict):
    """What holds for every camera that does not say otherwise."""

    rate: Annotated[float, Field(gt=0, le=60)] | Literal["native"] = 5.0
    clip: ClipConfig = ClipConfig()
    redact: RedactConfig = RedactConfig()
    time_zone: TimeZone = "UTC"


class Config(Strict):
    version: Literal[1]
    state: Path = DEFAULT_STATE
    """Store, clips, models and caches; one appliance at a time."""
    web: WebConfig = WebConfig()
    storage: StorageConfig = StorageConfig()
    defaults: Defaults = Defaults()
    cameras: Annotated[dict[Name, CameraConfig], Field(min_length=1, max_length=64)]

    @model_validator(mode="before")
    @classmethod
    def _cameras_take_defaults(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        defaults, cameras = data.get("defaults"), data.get("cameras")
        if not isinstance(defaults, dict) or not isinstance(cameras, dict):
            return data
        return data | {"cameras": {name: _under(camera, defaults) for name, camera in cameras.items()}}

    @field_validator("state")
    @classmethod
    def _expand_home(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("cameras")
    @classmethod
    def _names_are_free(cls, value: dict[str, CameraConfig]) -> dict[str, CameraConfig]:
        for name in value:
            if name in RESERVED_NAMES:
                raise ValueError(f"a camera cannot be called {name!r}; the web server uses that path")
        return value


def _under(own: Any, defaults: dict[str, Any]) -> Any:
    """`own` with what only `defaults` has, key by key at every depth."""
    if not isinstance(own, dict):
        return own
    merged = dict(own)
    for key, value in defaults.items():
        if key not in merged:
            merged[key] = value
        elif isinstance(value, dict):
            merged[key] = _under(merged[key], value)
    return merged
