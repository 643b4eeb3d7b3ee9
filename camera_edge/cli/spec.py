"""`--analyzer NAME[:key=value[,key=value]…]`: a shipped module or a .wasm file, with its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from camera_edge.errors import UsageError

ParamValue = str | float


@dataclass(frozen=True, slots=True)
class AnalyzerSpec:
    """`state` names the host's file with the module's store; it is not a parameter that the module sees."""

    name: str
    params: Mapping[str, ParamValue]
    state: Path | None = None

    @property
    def is_path(self) -> bool:
        return self.name.endswith(".wasm") or "/" in self.name


def parse_spec(text: str) -> AnalyzerSpec:
    """Raises UsageError where a part is not `key=value`, or a key stands twice."""
    name, _, rest = text.partition(":")
    if not name:
        raise UsageError(f"--analyzer {text!r} names no module", hint="use NAME or NAME:key=value,key=value")
    params: dict[str, ParamValue] = {}
    for part in rest.split(",") if rest else []:
        key, equals, value = part.partition("=")
        if not equals or not key or not value:
            raise UsageError(f"--analyzer {text!r}: {part!r} is not key=value", hint="use NAME:key=value,key=value")
        if key in params:
            raise UsageError(f"--analyzer {text!r}: {key!r} stands there twice", hint="keep one")
        params[key] = value if key == "state" else _number_or_text(value)
    state = params.pop("state", None)
    return AnalyzerSpec(name, params, Path(str(state)) if state is not None else None)


def _number_or_text(value: str) -> ParamValue:
    try:
        return float(value)
    except ValueError:
        return value
