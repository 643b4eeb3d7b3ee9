"""What one module asked of its host and was told, as bytes that are the same wherever it behaves the same.

A transcript is a row of entries, all numbers little-endian:

    entry  = u8 length of a name, the name in ASCII, the fields, the answer
    text   = u32 length, then the bytes; a length of ffffffff and no bytes where they lie outside of the guest's memory
    f32    = its bits; every NaN is 7fc00000 (f64: 7ff8000000000000), for the bits of a NaN are the CPU's choice
    record = of `emit`, in 40 bytes at a pointer: text kind, f32 score, u32 track, f32 x, y, w, h, text attributes;
             ffffffff alone where the 40 bytes lie outside
    answer = i32, of `param_number` f64

Each call into `camera_edge` is an entry under the function's name; `CALLS` says what its fields are. Each return of
`analyze` is an entry of that name without fields; its answer is 80000000 where the guest did not return. A transcript
is cut into parts: what came before the first frame, each frame, what came after the last.

Invariant: no address of the guest's memory is in it. Fields are read before the host answers, which may write there.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

FieldKind = Literal["text", "record", "u32", "f32", "f64", "room"]
AnswerKind = Literal["i32", "f64"]
# the bytes at a pointer; None: they lie outside of the guest's memory
ReadMemory = Callable[[int, int], bytes | None]

U32 = 0xFFFFFFFF
NOWHERE = struct.pack("<I", U32)
DID_NOT_RETURN = -(1 << 31)
ANALYZE = "analyze"
RECORD_BYTES = 40
# enough to name a part, no proof of anything
PART_DIGITS = 16

_NAN32, _NAN64 = bytes.fromhex("0000c07f"), bytes.fromhex("000000000000f87f")


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the arguments of a function are written. `text` stands for two, pointer and length; `room` is a pointer to
    where the host writes, and is left out; `record` is a pointer to what `emit` takes.
    """

    fields: tuple[FieldKind, ...]
    answer: AnswerKind = "i32"


CALLS: Mapping[str, Call] = {
    "param_number": Call(("text", "f64"), "f64"),
    "param_text": Call(("text", "room", "u32")),
    "emit": Call(("record",)),
    "score": Call(("f64",)),
    "score_at": Call(("u32", "f64")),
    "mask": Call(("text", "u32", "u32")),
    "infer": Call(("text", "f32", "f32", "f32", "f32", "room", "u32")),
    "regions": Call(("room", "u32")),
    "state_get": Call(("u32", "room", "u32")),
    "state_put": Call(("u32", "text")),
    "log": Call(("u32", "text")),
    "metric": Call(("text", "f64")),
}


class Summary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A transcript by its SHA-256, its parts by the first digits of theirs.

    calls: how often each function was called. fuel: what the frames used; None where the runtime does not meter.
    """

    sha256: str
    parts: tuple[str, ...]
    calls: dict[str, int]
    fuel: int | None = None


@dataclass(slots=True)
class Transcript:
    """One transcript while it grows."""

    calls: Counter[str] = field(default_factory=Counter)
    _whole: hashlib._Hash = field(default_factory=hashlib.sha256)
    _part: hashlib._Hash = field(default_factory=hashlib.sha256)
    _parts: list[str] = field(default_factory=list)

    def add(self, name: str, fields: bytes, answer: bytes) -> None:
        entry = bytes([len(name)]) + name.encode("ascii") + fields + answer
        self._whole.update(entry)
        self._part.update(entry)
        self.calls[name] += 1

    def cut(self) -> None:
        """End a part."""
        self._parts.append(self._part.hexdigest()[:PART_DIGITS])
        self._part = hashlib.sha256()

    def summary(self, fuel: int | None) -> Summary:
        calls = {name: self.calls[name] for name in sorted(self.calls)}
        return Summary(self._whole.hexdigest(), tuple(self._parts), calls, fuel)


def write_fields(call: Call, arguments: Sequence[int | float], read: ReadMemory) -> bytes:
    """The fields of one call, from its arguments as they came."""
    rest = iter(arguments)
    parts = []
    for kind in call.fields:
        value = next(rest)
        if kind == "text":
            parts.append(_text(int(value), int(next(rest)), read))
        elif kind == "record":
            parts.append(_record(int(value), read))
        elif kind == "u32":
            parts.append(struct.pack("<I", int(value) & U32))
        elif kind != "room":
            parts.append(_real(kind, value))
    return b"".join(parts)


def write_answer(kind: AnswerKind, answer: int | float) -> bytes:
    return struct.pack("<i", int(answer)) if kind == "i32" else _real("f64", answer)


def _real(kind: Literal["f32", "f64"], value: float) -> bytes:
    if math.isnan(value):
        return _NAN32 if kind == "f32" else _NAN64
    return struct.pack("<f" if kind == "f32" else "<d", value)


def _text(pointer: int, length: int, read: ReadMemory) -> bytes:
    data = read(pointer & U32, length & U32)
    return NOWHERE if data is None else struct.pack("<I", len(data)) + data


def _record(pointer: int, read: ReadMemory) -> bytes:
    data = read(pointer & U32, RECORD_BYTES)
    if data is None:
        return NOWHERE
    kind, kind_bytes, score, track, x, y, w, h, attributes, attributes_bytes = struct.unpack("<IIfIffffII", data)
    box = b"".join(_real("f32", side) for side in (x, y, w, h))
    numbers = _real("f32", score) + struct.pack("<I", track) + box
    return _text(kind, kind_bytes, read) + numbers + _text(attributes, attributes_bytes, read)
