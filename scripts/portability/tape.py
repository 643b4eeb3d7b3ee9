"""A tape: all that modules were shown and told in one run, so that any runtime can show and tell them the same again.

A folder: `tape.json`, and for each reel a folder of its name with `module.wasm`, `analyzer.toml` and

    ring.bin     the frame ring before the first frame (the map of zones is in it)
    slots.bin    for each frame the bytes of its slot, header and pixels, `slot_bytes` each
    answers.bin  what `infer` gave, call by call, f32

Invariant: a tape is read whole or refused; what it says of the recorded run is in it (`heard`), so that a replay on
another machine has something to be held against.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import msgspec

from camera_edge.errors import OutputError, UsageError
from scripts.portability.transcript import Call, Summary

TAPE = "tape.json"
MODULE, RING, SLOTS, ANSWERS = "module.wasm", "ring.bin", "slots.bin", "answers.bin"

ReelName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]


class Param(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter as a guest may ask for it: as a text, and where it is one as a number."""

    name: str
    text: str
    number: float | None


class TapedFrame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sequence: int
    media_us: int
    slot_offset: int


class Reel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One module's part of a tape.

    kinds, observations: what of the manifest a host checks. answers: how many f32 each call of `infer` gave.
    models: which it may ask. made_of: where frames and answers come from, for people.
    """

    name: ReelName
    module_sha256: str
    capabilities: tuple[str, ...]
    models: tuple[str, ...]
    state_bytes: int
    kinds: tuple[str, ...]
    observations: int
    params: tuple[Param, ...]
    ring_bytes: int
    slot_bytes: int
    frames: tuple[TapedFrame, ...]
    answers: tuple[int, ...]
    made_of: str
    heard: Summary


class Tape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`calls` is the table of `transcript.py`, so that a replayer in another language has it from here."""

    tape: Literal[1]
    calls: Mapping[str, Call]
    reels: tuple[Reel, ...]


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a replayer prints: what ran, and what each reel's module did there."""

    runtime: str
    reels: dict[str, Summary]


def write_tape(folder: Path, tape: Tape) -> None:
    """Raises OutputError."""
    try:
        (folder / TAPE).write_bytes(msgspec.json.encode(tape))
    except OSError as error:
        raise OutputError(f"the tape cannot be written: {error.strerror}", where=str(folder)) from error


def read_tape(folder: Path) -> Tape:
    """Raises UsageError where there is none, or another version's."""
    hint = "make one: scripts/prove-portability --keep DIR"
    try:
        return msgspec.json.decode((folder / TAPE).read_bytes(), type=Tape)
    except OSError as error:
        raise UsageError(f"there is no tape: {error.strerror}", where=str(folder / TAPE), hint=hint) from error
    except msgspec.DecodeError as error:
        raise UsageError(f"the tape cannot be read: {error}", where=str(folder / TAPE), hint=hint) from error


@contextmanager
def open_part(folder: Path, reel: Reel, part: str, size_bytes: int) -> Iterator[BinaryIO]:
    """One of a reel's files, to be read from its start. Raises UsageError where it is not there or not that large."""
    path, hint = folder / reel.name / part, "record the tape again"
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size != size_bytes:
                raise UsageError(
                    f"a part of the tape has not the {size_bytes} bytes it should", where=str(path), hint=hint
                )
            yield file
    except OSError as error:
        raise UsageError(f"a part of the tape cannot be read: {error.strerror}", where=str(path), hint=hint) from error
