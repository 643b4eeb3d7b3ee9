from __future__ import annotations

import random

import pytest
import wasmtime

from camera_edge.errors import ModuleError
from camera_edge.sandbox.sections import EXPORTS_MAX, FunctionType, Interface, Kind, read_interface

RICH = r"""(module
  (import "camera_edge" "param_number" (func (param i32 i32 f64) (result f64)))
  (import "camera_edge" "score" (func $score (param f64) (result i32)))
  (import "other" "memory" (memory 1 3))
  (import "other" "table" (table 1 2 externref))
  (import "other" "global" (global $g (mut i64)))
  (table (export "table") 4 funcref)
  (global (export "global") f32 (f32.const 1))
  (func $start)
  (start $start)
  (func (export "many") (param v128 i64 f32) (result i32 externref) (i32.const 0) (ref.null extern))
  (func (export "analyze") (param i32) (result i32) (i32.const 0))
  (export "again" (func $score))
  (elem (table 1) (i32.const 0) func $start)
  (data (i32.const 0) "data"))"""


@pytest.fixture(scope="module")
def rich() -> bytes:
    return bytes(wasmtime.wat2wasm(RICH))


def read(wasm: bytes) -> Interface:
    return read_interface(wasm, where="guest")


def number(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def module(*sections: tuple[int, bytes]) -> bytes:
    return b"\0asm\1\0\0\0" + b"".join(bytes([kind]) + number(len(body)) + body for kind, body in sections)


def test_imports_are_read_with_their_kinds_and_types(rich: bytes) -> None:
    imports = [(each.module, each.name, each.kind, each.function) for each in read(rich).imports]
    assert imports == [
        ("camera_edge", "param_number", Kind.FUNCTION, FunctionType(("i32", "i32", "f64"), ("f64",))),
        ("camera_edge", "score", Kind.FUNCTION, FunctionType(("f64",), ("i32",))),
        ("other", "memory", Kind.MEMORY, None),
        ("other", "table", Kind.TABLE, None),
        ("other", "global", Kind.GLOBAL, None),
    ]


def test_exports_are_read_with_their_kinds_and_types(rich: bytes) -> None:
    interface = read(rich)
    assert {each.name: each.kind for each in interface.exports} == {
        "table": Kind.TABLE,
        "global": Kind.GLOBAL,
        "many": Kind.FUNCTION,
        "analyze": Kind.FUNCTION,
        "again": Kind.FUNCTION,
    }
    many, again = interface.export("many"), interface.export("again")
    assert many is not None and str(many.function) == "(v128, i64, f32) -> (i32, externref)"
    assert again is not None and again.function == FunctionType(("f64",), ("i32",))
    assert interface.export("nothing") is None
    assert interface.starts and not read(b"\0asm\1\0\0\0").starts


def test_the_engine_reads_the_same_names(rich: bytes) -> None:
    interface, compiled = read(rich), wasmtime.Module(wasmtime.Engine(), rich)
    assert [(each.module, each.name) for each in interface.imports] == [(i.module, i.name) for i in compiled.imports]
    assert [each.name for each in interface.exports] == [export.name for export in compiled.exports]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a WebAssembly module"),
        (b"\0as", "not a WebAssembly module"),
        (b"\0asm\2\0\0\0", "not a WebAssembly module"),
        (b"(module)", "not a WebAssembly module"),
        (b"\0asm\x0d\0\1\0", "a component, not a core module"),
        (b"\x7fELF\2\1\1\0", "compiled code"),
    ],
)
def test_what_is_no_core_module_is_named(data: bytes, message: str) -> None:
    with pytest.raises(ModuleError, match=message) as caught:
        read(data)
    assert caught.value.where == "guest" and caught.value.hint is not None


@pytest.mark.parametrize(
    ("wasm", "message"),
    [
        (module((1, b"\x01\x5f\x00")), "type 0x5f is none of a function"),
        (module((1, b"\x01\x60\x01\x64\x00")), "no type of value 0x64"),
        (module((1, b"\xff\xff\xff\xff\x0f")), "4294967295 types"),
        (module((1, b"\x80\x80\x80\x80\x80\x00")), "a number is too large"),
        (module((1, b"\xff\xff\xff\xff\x7f")), "a number is too large"),
        (module((1, b"\x00\x00")), "section 1 is longer"),
        (module((1, b"\x00"), (1, b"\x00")), "section 1 is unknown or there twice"),
        (module((14, b"")), "section 14 is unknown"),
        (module((2, b"\x01\x01a\x01b\x00\x07")), "there is no type 7"),
        (module((2, b"\x01\x01a\x01b\x09\x00")), "no kind 0x9"),
        (module((2, b"\x01\x01a\x01b\x02\x10\x00")), "limits 0x10 are unknown"),
        (module((2, b"\x01\x02\xff\xfe\x01b\x00\x00")), "a name is not UTF-8"),
        (module((2, b"\x01\x7fa")), "it ends too early"),
        (module((2, b"\x01" + number(1025) + b"a" * 1025)), "1025 bytes in a name"),
        (module((7, b"\x01\x01a\x00\x00")), "there is no function 0"),
        (module((7, b"\x02\x01a\x02\x00\x01a\x02\x00")), "two exports have one name"),
        (module((7, number(EXPORTS_MAX + 1))), f"{EXPORTS_MAX + 1} exports"),
        (module((3, number(2**31))), "functions"),
        (b"\0asm\1\0\0\0\x01\xff\x01", "it ends too early"),
        (b"\0asm\1\0\0\0\x01", "it ends too early"),
        (module(*[(0, b"\x01a")] * 1025), "more than 1024 sections"),
    ],
)
def test_malformed_bytes_are_refused_with_the_reason(wasm: bytes, message: str) -> None:
    with pytest.raises(ModuleError, match=message):
        read(wasm)


def test_any_bytes_give_an_answer_or_a_module_error(rich: bytes) -> None:
    chance = random.Random(20261125)
    answers = 0
    for _ in range(4000):
        data = bytearray(rich)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(8, len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(8, len(data)) :]
        try:
            read(bytes(data))
            answers += 1
        except ModuleError as error:
            assert error.hint is not None
    # neither all refused nor none: the bytes that were changed matter
    assert 100 < answers < 3900


def test_every_cut_of_a_module_is_answered(rich: bytes) -> None:
    whole = read(rich)
    for end in range(len(rich)):
        try:
            assert len(read(rich[:end]).exports) <= len(whole.exports)
        except ModuleError as error:
            assert error.where == "guest"


def test_random_bytes_behind_the_magic_are_answered() -> None:
    chance = random.Random(7)
    refused = 0
    for _ in range(2000):
        try:
            read(b"\0asm\1\0\0\0" + chance.randbytes(chance.randrange(1, 200)))
        except ModuleError:
            refused += 1
    assert refused > 1500
