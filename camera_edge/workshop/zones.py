"""Reads zones that a command line or a golden test names.

Invariant: what is taken here a camera's configuration takes too, names and corners alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter, ValidationError

from camera_edge.config.model import Polygon as Corners
from camera_edge.config.rule import Name
from camera_edge.errors import UsageError
from camera_edge.rules import Polygon

Point = tuple[float, float]
_zones: TypeAdapter[dict[str, list[Point]]] = TypeAdapter(dict[Name, Corners])


def read_zones(zones: Mapping[str, Sequence[Point]]) -> dict[str, Polygon]:
    """Outlines by name, in fractions of the picture. Raises UsageError for what a configuration would not take."""
    try:
        read = _zones.validate_python({name: list(corners) for name, corners in zones.items()})
    except ValidationError as error:
        fault = error.errors()[0]
        raise UsageError(
            f"zone {str(fault['loc'][0])!r}: {fault['msg']}",
            hint="a name of small letters, digits, _ and -; three to 64 corners, each x,y from 0 to 1",
        ) from error
    return {name: Polygon(tuple(corners)) for name, corners in read.items()}
