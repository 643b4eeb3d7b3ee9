"""Reads `analyzer.toml`, the manifest beside a module: what it is, what it wants to see and what it asks for.

Invariant: an unknown key, a value out of range or an ABI that this host does not speak is refused with the place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from camera_edge.errors import ModuleError
from camera_edge.picture import PixelFormat, ViewSpec
from camera_edge.sandbox.capability import OBSERVATIONS, PIXELS, Capabilities, all_asked
from camera_edge.sandbox.status import ABI_VERSION

MEMORY_BYTES_MAX = 256 << 20
FUEL_MAX = 2_000_000_000
OBSERVATIONS_MAX = 4096
# names that begin so are the host's: what a guest needs to know of its camera, and of a model that a parameter names
_HOST_PARAM = re.compile(r"([A-Za-z0-9_-]+_)?model\.|camera\.")

# \Z and not $, which lets a line feed pass
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z"
PARAM_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z"
Name = Annotated[str, msgspec.Meta(pattern=NAME_PATTERN)]
Kind = Annotated[str, msgspec.Meta(pattern=NAME_PATTERN)]
ParamName = Annotated[str, msgspec.Meta(pattern=PARAM_PATTERN)]
Version = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,64}\Z")]


class ViewAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal["gray8", "rgb24", "i420"] = "gray8"
    max_width: Annotated[int, msgspec.Meta(ge=16, le=7680)] = 320

    @property
    def spec(self) -> ViewSpec:
        return ViewSpec(PixelFormat[self.format.upper()], self.max_width)


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a module may use. `memory_bytes` is without the frame ring, which the host adds."""

    memory_bytes: Annotated[int, msgspec.Meta(ge=65536, le=MEMORY_BYTES_MAX)] = 64 << 20
    fuel_per_frame: Annotated[int, msgspec.Meta(ge=1, le=FUEL_MAX)] = 200_000_000
    observations: Annotated[int, msgspec.Meta(ge=1, le=OBSERVATIONS_MAX)] = OBSERVATIONS_MAX


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`params`: the parameters a module knows, with their defaults; where the table is missing it takes any."""

    name: Name
    version: Version
    abi: int
    kinds: tuple[Kind, ...]
    capabilities: tuple[str, ...] = ()
    view: ViewAsked = ViewAsked()
    limits: Limits = Limits()
    params: dict[ParamName, str | float] | None = None

    @property
    def is_rule(self) -> bool:
        """A rule module: it gets what others saw, and no pixels."""
        return self.asked.observations

    @property
    def asked(self) -> Capabilities:
        return Capabilities.read(self.capabilities, where=self.name)

    def grant_all(self, params: Mapping[str, str | float]) -> frozenset[str]:
        """The capabilities that give the module all it asks for with these parameters."""
        return all_asked(self.capabilities, params)

    def with_defaults(self, params: Mapping[str, str | float]) -> dict[str, str | float]:
        """The parameters a guest sees. Raises ModuleError for one that the module has not, or that is not finite."""
        for name, value in params.items():
            if not isinstance(value, str) and not math.isfinite(value):
                hint = "it takes a number that is not infinite"
                raise ModuleError(f"parameter {name!r} of {self.name} is {value!r}", hint=hint)
        if self.params is None:
            return dict(params)
        for name, value in params.items():
            if name == "model" or is_host_param(name):
                continue
            if name not in self.params:
                has = ", ".join(sorted(self.params)) or "none"
                raise ModuleError(f"{self.name} has no parameter {name!r}", hint=f"it has {has}")
            if isinstance(self.params[name], str) != isinstance(value, str):
                kind = "a text" if isinstance(self.params[name], str) else "a number"
                raise ModuleError(f"parameter {name!r} of {self.name} is {value!r}", hint=f"it takes {kind}")
        return {**self.params, **params}


def is_name(text: str) -> bool:
    """Whether a module can be called so."""
    return re.match(NAME_PATTERN, text) is not None


def is_host_param(name: str) -> bool:
    """Whether the host gives this parameter."""
    return _HOST_PARAM.match(name) is not None


def is_param_name(text: str) -> bool:
    """Whether a parameter can be called so: a name, and dots in it."""
    return re.match(PARAM_PATTERN, text) is not None


def read_manifest(text: bytes, *, where: str) -> Manifest:
    """Raises ModuleError with the place and the next step."""
    try:
        manifest = msgspec.toml.decode(text, type=Manifest)
    # tomllib: numbers of thousands of digits are a ValueError, deep nesting ends in a RecursionError
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        fault = str(error).replace("Object", "the manifest")
        raise ModuleError(f"bad manifest: {fault}", where=where, hint="see wasm_analyzers/ABI.md") from error
    if manifest.abi != ABI_VERSION:
        raise ModuleError(
            f"{manifest.name} is made for ABI {manifest.abi}",
            where=where,
            hint=f"this version speaks ABI {ABI_VERSION}",
        )
    for name, value in (manifest.params or {}).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ModuleError(f"the default of parameter {name!r} is {value}", where=where, hint="use a finite number")
    asked = manifest.asked
    if asked.pixels == asked.observations:
        both = f"both {PIXELS!r} and" if asked.pixels else f"neither {PIXELS!r} nor"
        raise ModuleError(
            f"{manifest.name} asks for {both} {OBSERVATIONS!r}",
            where=where,
            hint=f"an analyzer asks for {PIXELS!r}, a rule module for {OBSERVATIONS!r}",
        )
    if asked.observations and asked != Capabilities(observations=True, state_bytes=asked.state_bytes):
        raise ModuleError(
            f"{manifest.name} is a rule module and asks for more than {OBSERVATIONS!r} and a state",
            where=where,
            hint="rule modules run no models",
        )
    return manifest
