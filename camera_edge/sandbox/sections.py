"""Reads what a WebAssembly binary imports and exports, without compiling it.

Layout: WebAssembly core specification, "Binary Format". Only the sections before the code are looked into.

Invariant: whatever the bytes are, the answer comes after one pass over them, or a ModuleError.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from camera_edge.errors import ModuleError

SECTIONS_MAX = 1024
IMPORTS_MAX = 1000
EXPORTS_MAX = 10_000
TYPES_MAX = 10_000
VALUES_MAX = 1000
FUNCTIONS_MAX = 200_000
NAME_BYTES_MAX = 1024

_CORE = b"\0asm\1\0\0\0"
_COMPONENT = b"\0asm\x0d\0\1\0"
_TYPE, _IMPORT, _FUNCTION, _TABLE, _MEMORY, _EXPORT, _START = 1, 2, 3, 4, 5, 7, 8
_LAST_SECTION = 13
_VALUES = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128", 0x70: "funcref", 0x6F: "externref"}
_HAS_MAXIMUM, _SHARED, _BITS_64 = 1, 2, 4

T = TypeVar("T")


class Kind(StrEnum):
    FUNCTION = "function"
    TABLE = "table"
    MEMORY = "memory"
    GLOBAL = "global"
    TAG = "tag"


_KINDS = (Kind.FUNCTION, Kind.TABLE, Kind.MEMORY, Kind.GLOBAL, Kind.TAG)


@dataclass(frozen=True, slots=True)
class FunctionType:
    params: tuple[str, ...]
    results: tuple[str, ...]

    def __str__(self) -> str:
        return f"({', '.join(self.params)}) -> ({', '.join(self.results)})"


@dataclass(frozen=True, slots=True)
class Import:
    """`function` is the type of a function, else None."""

    module: str
    name: str
    kind: Kind
    function: FunctionType | None


@dataclass(frozen=True, slots=True)
class Export:
    """`function` is the type of a function, else None."""

    name: str
    kind: Kind
    function: FunctionType | None


@dataclass(frozen=True, slots=True)
class Interface:
    """What a module asks of its host and what it offers. `starts`: it has a start function."""

    imports: tuple[Import, ...]
    exports: tuple[Export, ...]
    starts: bool

    def export(self, name: str) -> Export | None:
        return next((export for export in self.exports if export.name == name), None)


class _BadBytesError(Exception):
    """What is wrong with the bytes; becomes a ModuleError at the door."""


def read_interface(wasm: bytes, *, where: str) -> Interface:
    """Raises ModuleError for what is no core module, or one whose imports and exports cannot be read."""
    if not wasm.startswith(_CORE):
        raise _no_module(wasm, where)
    draft = _Draft()
    try:
        _read_sections(_Bytes(wasm, len(_CORE), len(wasm)), draft)
        return draft.interface()
    except _BadBytesError as error:
        hint = "build it again, or copy it again: it may be cut off"
        raise ModuleError(f"the module is malformed: {error}", where=where, hint=hint) from error


def _no_module(data: bytes, where: str) -> ModuleError:
    hint = "an analyzer is a core WebAssembly module, see wasm_analyzers/ABI.md"
    if data.startswith(_COMPONENT):
        return ModuleError("this is a component, not a core module", where=where, hint=hint)
    if data.startswith(b"\x7fELF"):
        return ModuleError("this is compiled code, which is never taken from others", where=where, hint=hint)
    return ModuleError("this is not a WebAssembly module", where=where, hint=hint)


class _Bytes:
    """A cursor between two places; it never passes its end."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data = data
        self.at = at
        self.end = end

    def byte(self) -> int:
        if self.at >= self.end:
            raise _BadBytesError(f"it ends too early, at byte {self.at}")
        self.at += 1
        return self._data[self.at - 1]

    def number(self, bits: int = 32) -> int:
        """Unsigned LEB128, in no more bytes than `bits` can need."""
        value = 0
        for shift in range(0, bits, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >> bits:
                    break
                return value
        raise _BadBytesError(f"a number is too large, at byte {self.at}")

    def count(self, most: int, what: str) -> int:
        count = self.number()
        if count > most:
            raise _BadBytesError(f"{count} {what}, {most} at most")
        return count

    def part(self, length: int) -> _Bytes:
        """A cursor over the next bytes; this one goes on behind them."""
        if length > self.end - self.at:
            raise _BadBytesError(f"it ends too early: {length} bytes are announced at byte {self.at}")
        begin, self.at = self.at, self.at + length
        return _Bytes(self._data, begin, self.at)

    def name(self) -> str:
        part = self.part(self.count(NAME_BYTES_MAX, "bytes in a name"))
        try:
            return self._data[part.at : part.end].decode("utf-8")
        except UnicodeDecodeError as error:
            raise _BadBytesError(f"a name is not UTF-8, at byte {part.at}") from error

    def vector(self, most: int, what: str, read: Callable[[], T]) -> list[T]:
        return [read() for _ in range(self.count(most, what))]


@dataclass(slots=True)
class _Draft:
    """What was read so far. `functions` holds indices into `types`, those of imports first."""

    types: list[FunctionType] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    exports: list[tuple[str, Kind, int]] = field(default_factory=list)
    starts: bool = False

    def type_at(self, index: int) -> FunctionType:
        if index >= len(self.types):
            raise _BadBytesError(f"there is no type {index}")
        return self.types[index]

    def function_at(self, index: int) -> FunctionType:
        if index >= len(self.functions):
            raise _BadBytesError(f"there is no function {index}")
        return self.type_at(self.functions[index])

    def interface(self) -> Interface:
        if len({name for name, _, _ in self.exports}) != len(self.exports):
            raise _BadBytesError("two exports have one name")
        exports = (
            Export(name, kind, self.function_at(index) if kind is Kind.FUNCTION else None)
            for name, kind, index in self.exports
        )
        return Interface(tuple(self.imports), tuple(exports), self.starts)


def _read_sections(data: _Bytes, draft: _Draft) -> None:
    seen: set[int] = set()
    readers = {_TYPE: _types, _IMPORT: _imports, _FUNCTION: _functions, _EXPORT: _exports, _START: _start}
    for _ in range(SECTIONS_MAX):
        if data.at == data.end:
            return
        kind = data.byte()
        body = data.part(data.number())
        if kind == 0:
            continue
        if kind > _LAST_SECTION or kind in seen:
            raise _BadBytesError(f"section {kind} is unknown or there twice")
        seen.add(kind)
        if kind not in readers:
            continue
        readers[kind](body, draft)
        if body.at != body.end:
            raise _BadBytesError(f"section {kind} is longer than what it holds")
    raise _BadBytesError(f"more than {SECTIONS_MAX} sections")


def _types(data: _Bytes, draft: _Draft) -> None:
    def one() -> FunctionType:
        form = data.byte()
        if form != 0x60:
            raise _BadBytesError(f"type {form:#x} is none of a function; garbage collection is not allowed")
        params, results = (tuple(data.vector(VALUES_MAX, "values in a type", lambda: _value(data))) for _ in range(2))
        return FunctionType(params, results)

    draft.types = data.vector(TYPES_MAX, "types", one)


def _value(data: _Bytes) -> str:
    code = data.byte()
    if code not in _VALUES:
        raise _BadBytesError(f"there is no type of value {code:#x}")
    return _VALUES[code]


def _imports(data: _Bytes, draft: _Draft) -> None:
    def one() -> Import:
        module, name, kind = data.name(), data.name(), _kind(data)
        if kind is not Kind.FUNCTION:
            _skip_type(data, kind)
            return Import(module, name, kind, None)
        index = data.number()
        draft.functions.append(index)
        return Import(module, name, kind, draft.type_at(index))

    draft.imports = data.vector(IMPORTS_MAX, "imports", one)


def _functions(data: _Bytes, draft: _Draft) -> None:
    draft.functions += data.vector(FUNCTIONS_MAX, "functions", data.number)


def _exports(data: _Bytes, draft: _Draft) -> None:
    draft.exports = data.vector(EXPORTS_MAX, "exports", lambda: (data.name(), _kind(data), data.number()))


def _start(data: _Bytes, draft: _Draft) -> None:
    data.number()
    draft.starts = True


def _kind(data: _Bytes) -> Kind:
    code = data.byte()
    if code >= len(_KINDS):
        raise _BadBytesError(f"there is no kind {code:#x} of import or export")
    return _KINDS[code]


def _skip_type(data: _Bytes, kind: Kind) -> None:
    """The type of an imported table, memory, global or tag."""
    if kind is Kind.TABLE:
        _value(data)
    if kind in (Kind.TABLE, Kind.MEMORY):
        flags = data.byte()
        if flags & ~(_HAS_MAXIMUM | _SHARED | _BITS_64):
            raise _BadBytesError(f"limits {flags:#x} are unknown")
        for _ in range(2 if flags & _HAS_MAXIMUM else 1):
            data.number(64)
    elif kind is Kind.GLOBAL:
        _value(data)
        data.byte()
    else:
        data.byte()
        data.number()
