"""Golden tests: what a module is to see, `golden/NAME.toml`, and beside it what it is to say, `golden/NAME.jsonl`.

Invariant: the lines of a `.jsonl` are exactly those that a replay prints; a module passes where every one is the same.
A test may be somebody else's: it looks at drawn scenes and at files in the module's folder alone, and it ends.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import inf
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from camera_edge.durable import write_durably
from camera_edge.errors import ModuleError, OutputError, UsageError
from camera_edge.inference import Registry
from camera_edge.sandbox import ModuleFile
from camera_edge.sandbox.capability import STATE_BYTES_MAX
from camera_edge.sandbox.manifest import ParamName
from camera_edge.worker.assembly import Sandboxing
from camera_edge.workshop.daytime import DayTime
from camera_edge.workshop.lines import FaultLine, text_of
from camera_edge.workshop.rehearsal import Rehearsal, rehearse
from camera_edge.workshop.replay import RATE_HZ, drawn_s
from camera_edge.workshop.trial import Wishes
from camera_edge.workshop.workpiece import Workshop
from camera_edge.workshop.zones import Point, read_zones

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]
# an hour of a drawn scene; what is recorded ends by itself
DRAWN_S_MAX = 3600
SYNTHETIC = "synthetic:"
_ANALYZER_KEYS, _RULE_KEYS = ("source", "rate"), ("observations", "start", "time_zone")


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A golden test. `source` and `rate` for an analyzer, `observations` and a time for a rule module.

    Files are named relative to the case, and lie in the module's folder.
    """

    source: str | None = None
    observations: str | None = None
    rate: Annotated[float, msgspec.Meta(gt=0, le=60)] | Literal["native"] | None = None
    frames: Annotated[int, msgspec.Meta(ge=1)] | None = None
    params: dict[ParamName, str | float] = {}
    zones: dict[str, tuple[Point, ...]] = {}
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


def write_case(
    path: Path, module: ModuleFile, sandboxing: Sandboxing, models: Registry, *, keep_faults: bool = False
) -> Outcome:
    """Makes the golden lines anew. Raises as `run_case`, and OutputError; ModuleError where there are frames without an
    answer and `keep_faults` does not say that they are wanted: then nothing is written.
    """
    golden = path.with_suffix(".jsonl")
    got, faults = _run(path, module, sandboxing, models)
    if faults and not keep_faults:
        reason = next((each for each in got if each.startswith('{"type":"fault"')), "")
        raise ModuleError(
            f"no answer for {faults} frames, the first: {reason}",
            where=str(path),
            hint="mend the module; where it is to fail: camera-edge analyzer test --update --keep-faults",
        )
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
    _check_keys(path, case, is_rule=is_rule)
    rate_hz = RATE_HZ if case.rate is None else None if case.rate == "native" else float(case.rate)
    try:
        source = str(_beside(path, case.observations)) if is_rule else _source(path, case, rate_hz)
        return Rehearsal(
            source=source,
            wishes=Wishes(case.params, _state(path, case.state), read_zones(case.zones)),
            rate_hz=rate_hz,
            frames=case.frames,
            day_time=DayTime.read(case.start, case.time_zone),
        )
    except UsageError as error:
        raise ModuleError(error.message, where=str(path), hint=error.hint) from error


def _check_keys(path: Path, case: Case, *, is_rule: bool) -> None:
    own, others = (_RULE_KEYS, _ANALYZER_KEYS) if is_rule else (_ANALYZER_KEYS, _RULE_KEYS)
    wrong = [key for key in others if getattr(case, key) is not None]
    if getattr(case, own[0]) is None or wrong:
        what = "a rule module looks at `observations`" if is_rule else "an analyzer looks at a `source`"
        hint = f"leave out {', '.join(wrong)}" if wrong else f'write {own[0]} = "…"'
        raise ModuleError(f"{what}, and at nothing else", where=str(path), hint=hint)


def _source(path: Path, case: Case, rate_hz: float | None) -> str:
    """Raises UsageError for an address, and for a scene that is drawn for too long."""
    wanted = case.source or ""
    if not wanted.startswith(SYNTHETIC):
        return str(_beside(path, wanted))
    drawn = drawn_s(wanted) or inf
    if case.frames is not None:
        # a scene has one picture a second at least
        drawn = min(drawn, case.frames / min(rate_hz or 1.0, 1.0))
    if drawn > DRAWN_S_MAX:
        hint = f"add seconds=N to the source, or frames = N; {DRAWN_S_MAX} seconds at most"
        length = "has no end" if drawn == inf else f"goes on for {drawn:.0f} s"
        raise UsageError(f"its source {length}", hint=hint)
    return wanted


def _beside(path: Path, wanted: str | None) -> Path:
    """The file of this name relative to the case. Raises UsageError for one outside of the module's folder."""
    folder, named = path.parent.parent.resolve(), Path(wanted or "")
    found = (path.parent / named).resolve()
    outside = named.is_absolute() or ".." in named.parts or not found.is_relative_to(folder)
    # of an address the first part has a colon
    if outside or ":" in str(named).partition("/")[0]:
        raise UsageError(
            f"{wanted!r} is not in the module's folder",
            hint=f"a golden test looks at a file beside it, or at {SYNTHETIC}?pace=0&seconds=N",
        )
    if found.exists() and not (found.is_file() or found.is_dir()):
        raise UsageError(f"{wanted!r} is neither a file nor a folder", hint="name a recording")
    return found


def _state(path: Path, wanted: str | None) -> bytes:
    if wanted is None:
        return b""
    found = _beside(path, wanted)
    if not found.is_file() or found.stat().st_size > STATE_BYTES_MAX:
        hint = f"name a file beside the test, of {STATE_BYTES_MAX >> 20} MiB at most"
        raise UsageError(f"the state {wanted!r} cannot be read", hint=hint)
    try:
        return found.read_bytes()
    except OSError as error:
        raise UsageError(f"the state cannot be read: {error}", hint="name a file beside the test") from error


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
