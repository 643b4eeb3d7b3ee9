"""Reads what a command line gives a module: parameters, zones, a store, a rate, a recording.

Invariant: a text that is not what it should be is a UsageError that shows how to write it, and never a secret.
"""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from camera_edge.workshop.trial import Wishes


def read_wishes(params: list[str] | None, zones: list[str] | None, store: Path | None) -> Wishes:
    from camera_edge.workshop.trial import Wishes
    from camera_edge.workshop.zones import read_zones

    return Wishes(
        params=dict(_param(text) for text in params or []),
        state=b"" if store is None else _bytes(store),
        zones=read_zones(dict(_zone(text) for text in zones or [])),
    )


def _param(text: str) -> tuple[str, str | float]:
    from camera_edge.errors import UsageError
    from camera_edge.sandbox.manifest import is_param_name

    key, equals, value = text.partition("=")
    if not is_param_name(key) or not equals:
        raise UsageError(f"--param {text!r} is not KEY=VALUE", hint="write --param threshold=12")
    number = _finite(value)
    return key, value if number is None else number


def _zone(text: str) -> tuple[str, list[tuple[float, float]]]:
    from camera_edge.errors import UsageError

    name, _, corners = text.partition("=")
    numbers = [_finite(part) for part in corners.split(",")]
    inside = [number for number in numbers if number is not None and 0 <= number <= 1]
    if not name or len(inside) < len(numbers) or len(inside) < 6 or len(inside) % 2:
        hint = "write --zone gate=0.4,0.5,0.9,0.5,0.9,1: three corners or more, each x,y from 0 to 1"
        raise UsageError(f"--zone {text!r} is not NAME=X,Y,X,Y,X,Y", hint=hint)
    return name, list(zip(inside[::2], inside[1::2], strict=True))


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def read_rate(text: str | None) -> float | None:
    """Frames a second; None: every frame."""
    from camera_edge.errors import UsageError
    from camera_edge.workshop.replay import RATE_HZ

    if text is None or text == "native":
        return RATE_HZ if text is None else None
    rate_hz = _finite(text)
    if rate_hz is None or not 0 < rate_hz <= 60:
        raise UsageError(f"--rate {text!r}", hint="give frames a second, above 0 and at most 60, or `native`")
    return rate_hz


def read_recording(text: str) -> str:
    from camera_edge.address import safe_address
    from camera_edge.errors import UsageError

    if safe_address(text) != text:
        raise UsageError(f"{safe_address(text)} has credentials", hint="record it first, then give the recording")
    return text


def _bytes(path: Path) -> bytes:
    from camera_edge.errors import UsageError

    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), hint="name a file") from error
