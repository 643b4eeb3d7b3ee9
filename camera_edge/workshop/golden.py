"""Golden tests: what a module is to see, `golden/NAME.toml`, and beside it what it is to say, `golden/NAME.jsonl`.

Invariant: the lines of a `.jsonl` are exactly those that a replay prints; a module passes where every one is the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from camera_edge.durable import write_durably
from camera_edge.errors import ModuleError, OutputError
from camera_edge.inference import Registry
from camera_edge.rules import Polygon
from camera_edge.sandbox import ModuleFile
from camera_edge.worker.assembly import Sandboxing
from camera_edge.workshop.daytime import DayTime
from camera_edge.workshop.lines import FaultLine, text_of
from camera_edge.workshop.rehearsal import Rehearsal, rehearse
from camera_edge.workshop.replay import RATE_HZ
from camera_edge.workshop.trial import Wishes
from camera_edge.workshop.workpiece import Workshop

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]
Point = tuple[float, float]


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A golden test. `source` for an analyzer, `observations` for a rule module; files lie beside the case."""

    source: str | None = None
    observations: str | None = None
    rate: Annotated[float, msgspec.Meta(gt=0, le=60)] | Literal["native"] = RATE_HZ
    frames: Annotated[int, msgspec.Meta(ge=1)] | None = None
    params: dict[str, str | float] = {}
    zones: dict[str, Annotated[tuple[Point, ...], msgspec.Meta(min_length=3)]] = {}
    state: str | None = None
    start: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """The first line that differs, from 1, and where in it; None: there is no such line on this side."""

    line: int
    where: str
    expected: str | None
    got: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`faults`: frames without an answer. `written`: the golden lines were made anew."""

    case: str
    lines: int
    faults: int
    difference: Difference | None
    written: bool = False

    @property
    def passed(self) -> bool:
        return self.difference is None


def cases(workshop: Workshop) -> list[Path]:
    """The golden tests of a module, in order of name. Raises ModuleError where there are none."""
    found = sorted(workshop.golden.glob("*.toml"))
    if not found:
        key = 'observations = "seen.jsonl"' if workshop.manifest.is_rule else 'source = "clip.mp4"'
        raise ModuleError(
            "there is no golden test here",
            where=str(workshop.golden),
            hint=f"write NAME.toml there, such as: {key}; then: camera-edge analyzer test --update",
        )
    return found


def run_case(path: Path, module: ModuleFile, sandboxing: Sandboxing, models: Registry) -> Outcome:
    """Compares. Raises ModuleError where the case cannot be read, or has no golden lines yet; and as `rehearse`."""
    golden = path.with_suffix(".jsonl")
    try:
        expected = golden.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except FileNotFoundError as error:
        hint = "look at what it says, then keep it: camera-edge analyzer test --update"
        raise ModuleError("there are no golden lines yet", where=str(golden), hint=hint) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ModuleError(f"cannot be read: {error}", where=str(golden), hint="make it anew with --update") from error
    got, faults = _run(path, module, sandboxing, models)
    return Outcome(path.stem, len(got), faults, first_difference(expected, got))


def write_case(path: Path, module: ModuleFile, sandboxing: Sandboxing, models: Registry) -> Outcome:
    """Makes the golden lines anew. Raises as `run_case`, and OutputError."""
    golden = path.with_suffix(".jsonl")
    got, faults = _run(path, module, sandboxing, models)
    try:
        write_durably(golden, "".join(f"{line}\n" for line in got).encode())
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror}", where=str(golden), hint="check permissions"
        ) from error
    return Outcome(path.stem, len(got), faults, None, written=True)


def first_difference(expected: Sequence[str], got: Sequence[str]) -> Difference | None:
    for number, (one, other) in enumerate(zip_longest(expected, got), start=1):
        if one != other:
            return Difference(number, _place(one, other), one, other)
    return None


def _run(path: Path, module: ModuleFile, sandboxing: Sandboxing, models: Registry) -> tuple[list[str], int]:
    texts, faults = [], 0
    for line in rehearse(module, _rehearsal(path, module), sandboxing, models):
        texts.append(text_of(line))
        faults += isinstance(line, FaultLine)
    return texts, faults


def _rehearsal(path: Path, module: ModuleFile) -> Rehearsal:
    case = _read(path)
    is_rule = module.manifest.is_rule
    wanted, other = (case.observations, case.source) if is_rule else (case.source, case.observations)
    if wanted is None or other is not None:
        key = "observations" if is_rule else "source"
        what = "a rule module looks at `observations`" if is_rule else "an analyzer looks at a `source`"
        raise ModuleError(f"{what}, and at nothing else", where=str(path), hint=f'write {key} = "…"')
    beside = path.parent / wanted
    try:
        state = (path.parent / case.state).read_bytes() if case.state is not None else b""
    except OSError as error:
        raise ModuleError(
            f"the state cannot be read: {error}", where=str(path), hint="name a file beside it"
        ) from error
    return Rehearsal(
        source=str(beside) if beside.exists() or is_rule else wanted,
        wishes=Wishes(case.params, state, {name: Polygon(outline) for name, outline in case.zones.items()}),
        rate_hz=None if case.rate == "native" else float(case.rate),
        frames=case.frames,
        day_time=DayTime.read(case.start, case.time_zone),
    )


def _read(path: Path) -> Case:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Case)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "it has source or observations, rate, frames, params, zones, state, start, time_zone"
        raise ModuleError(f"the golden test cannot be read: {error}", where=str(path), hint=hint) from error


def _place(expected: str | None, got: str | None) -> str:
    """Where in the two lines the first difference is, such as `observations[0].score`."""
    if expected is None or got is None:
        return "a line more" if expected is None else "a line less"
    try:
        return (_path(json.loads(expected), json.loads(got)) or "the text").removeprefix(".")
    except ValueError:
        return "the text"


def _path(one: JsonValue, other: JsonValue) -> str | None:
    if isinstance(one, dict) and isinstance(other, dict):
        if list(one) != list(other):
            return ".keys"
        pairs = [(f".{key}", one[key], other[key]) for key in one]
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return f" ({len(one)} expected, {len(other)} are there)"
        pairs = [(f"[{number}]", *each) for number, each in enumerate(zip(one, other, strict=True))]
    else:
        return None if one == other and type(one) is type(other) else ""
    for name, a, b in pairs:
        if (rest := _path(a, b)) is not None:
            return name + rest
    return None
