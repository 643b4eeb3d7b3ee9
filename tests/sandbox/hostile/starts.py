"""Modules that are not what they should be: wrong imports and exports, broken starts, malformed binaries."""

from __future__ import annotations

from camera_edge.sandbox.status import Reason
from tests.sandbox.hostile import binaries
from tests.sandbox.hostile.binaries import CUSTOM, ELEMENT, IMPORT, Binary, code, leb, name, section, vector
from tests.sandbox.hostile.cases import (
    RULES,
    Case,
    analyze,
    faulted,
    forever,
    harmless,
    imported,
    refused,
)
from tests.sandbox.hostile.yard import RING_BYTES

VERSION = '(func (export "camera_edge_abi") (result i32) (i32.const 1))'
LOOK = '(func (export "analyze") (param i32) (result i32) (i32.const 0))'
MEMORY = '(memory (export "memory") 2)'
WASI = "wasi_snapshot_preview1"


def _export(what: str, module: str, words: str, *, rule: bool = False) -> Case:
    return refused(f"exports: {what}", f"(module {module})", words, asks=RULES if rule else ("pixels",))


def _import(what: str, module: str, words: str) -> Case:
    return refused(f"imports: {what}", module, words)


def _ring(what: str, address: str, words: str, pages: int = 8) -> Case:
    body = f"""(memory (export "memory") {pages})
      (func (export "camera_edge_ring") (param $bytes i32) (result i32) {address})"""
    return refused(f"space for the ring: {what}", body, words)


def _binary(what: str, wasm: bytes, words: str) -> Case:
    return refused(f"binary: {what}", wasm, words)


def _deep(blocks: int) -> bytes:
    return b"\x02\x40" * blocks + b"\x0b" * blocks + b"\x41\0"


_ON_PAGE = f"which is not {RING_BYTES} bytes on a page"
EXPORTS = (
    _export("no memory", VERSION + LOOK, "exports no memory"),
    _export("a function for a memory", f'(func (export "memory")) {VERSION} {LOOK}', "exports no memory"),
    _export("a shared memory", f'(memory (export "memory") 1 2 shared) {VERSION} {LOOK}', "cannot be compiled"),
    _export("a 64-bit memory", f'(memory (export "memory") i64 1) {VERSION} {LOOK}', "cannot be compiled"),
    _export("a second memory", f"{MEMORY} (memory 1) {VERSION} {LOOK}", "cannot be compiled"),
    _export(
        "a memory that is imported",
        f'(memory (export "memory") (import "env" "memory") 2) {VERSION} {LOOK}',
        "imports env.memory, which it was not given",
    ),
    _export("no analyze", MEMORY + VERSION, "does not export analyze (i32) -> (i32)"),
    _export("analyze of a rule module", f"{MEMORY} {VERSION} {LOOK}", "does not export observe", rule=True),
    _export("analyze of another type", f'{MEMORY} {VERSION} (func (export "analyze"))', "another type for analyze"),
    _export(
        "analyze of vectors",
        f'{MEMORY} {VERSION} (func (export "analyze") (param v128) (result v128) local.get 0)',
        "another type for analyze",
    ),
    _export(
        "analyze of references",
        f'{MEMORY} {VERSION} (func (export "analyze") (param externref) (result i32) i32.const 0)',
        "another type for analyze",
    ),
    _export(
        "a global for analyze",
        f'{MEMORY} {VERSION} (global (export "analyze") i32 (i32.const 1))',
        "another type for analyze",
    ),
    _export(
        "a table for open", f'{MEMORY} {VERSION} {LOOK} (table (export "open") 1 funcref)', "another type for open"
    ),
    _export(
        "a vector from open",
        f'{MEMORY} {VERSION} {LOOK} (func (export "open") (result v128) v128.const i64x2 0 0)',
        "another type for open",
    ),
    _export(
        "a ring of 64 bits",
        f'{MEMORY} {VERSION} {LOOK} (func (export "camera_edge_ring") (param i64) (result i64) local.get 0)',
        "another type for camera_edge_ring",
    ),
    harmless("exports: vectors that nobody calls", '(func (export "v") (param v128) (result v128) local.get 0)'),
    refused("speaks another ABI", '(func (export "camera_edge_abi") (result i32) (i32.const 2))', "it speaks ABI 2"),
    refused("speaks no ABI", '(func (export "camera_edge_abi") (result i32) (i32.const -1))', "it speaks ABI -1"),
)
IMPORTS = (
    _import("a module that does not exist", '(import "env" "system" (func))', "imports env.system"),
    _import("a function that does not exist", '(import "camera_edge" "photograph" (func))', "camera_edge.photograph"),
    _import("what it was not granted", imported("state_put"), "does not ask for state:<bytes>"),
    _import("what only rule modules have", imported("veto"), "does not ask for observations"),
    _import(
        "a function of another type", '(import "camera_edge" "score" (func (param i64)))', "its type is (f64) -> i32"
    ),
    _import("a function of vectors", '(import "camera_edge" "score" (func (param v128)))', "its type is (f64) -> i32"),
    _import("WASI of vectors", f'(import "{WASI}" "path_open" (func (param v128)))', "it has another type there"),
    _import("WASI of references", f'(import "{WASI}" "path_open" (func (param funcref)))', "it has another type there"),
    _import("WASI with two results", f'(import "{WASI}" "path_open" (func (result i32 i32)))', "another type there"),
    _import("an exit without a code", f'(import "{WASI}" "proc_exit" (func))', "it has another type there"),
    _import(
        "fd_write of fractions",
        f'(import "{WASI}" "fd_write" (func (param f64 f64 f64 f64) (result i32)))',
        "it has another type there",
    ),
    _import(
        "one function with two types",
        f'(import "{WASI}" "sock_open" (func)) (import "{WASI}" "sock_open" (func (param i32)))',
        "with two types",
    ),
    _import("wasi-nn without a model", imported("nn.load"), "its manifest does not ask for onnx:<model>"),
    _import("a table", '(import "env" "table" (table 1 funcref))', "imports functions only"),
    _import("a global", '(import "env" "global" (global i32))', "imports functions only"),
    _import("a global that is a function of the host", '(import "camera_edge" "log" (global i32))', "functions only"),
    _import(
        "names that are control characters", r'(import "\1b[2J" "\0d\0a" (func))', "imports \ufffd[2J.\ufffd\ufffd"
    ),
    harmless("imports: one function twice", imported("log") + imported("log").replace("$log", "$again")),
    harmless(
        "imports: all that WASI never had",
        "".join(f'(import "{WASI}" "x{n}" (func (param i64 f32) (result i32)))' for n in range(200)),
    ),
    # a function of the host, exported again under a name that the host calls
    harmless(
        "re-exports: an open that does nothing",
        f'(import "{WASI}" "x" (func $x (result i32))) (export "open" (func $x))',
    ),
    faulted(
        "re-exports: emit for analyze",
        imported("emit") + '(export "analyze" (func $emit))',
        Reason.OUTPUT,
        "emit was refused: ",
    ),
    harmless("re-exports: fd_close for analyze", imported("wasi.fd_close") + '(export "analyze" (func $fd_close))'),
)
STARTS = (
    refused("its start function traps", "(func $s unreachable) (start $s)", "start function trapped: unreachable"),
    refused(
        "its start function calls the host",
        f"""{imported("log")}
      (func $s (if (i32.ne (call $log (i32.const 0) (i32.const 0) (i32.const 1)) (i32.const -1)) (then unreachable))
        {forever("(nop)")}) (start $s)""",
        "start function trapped: out of fuel",
    ),
    refused("its data does not fit its memory", '(data (i32.const 131071) "xx")', "memory out of bounds"),
    refused(
        "its elements do not fit its table",
        "(table 1 funcref) (elem (i32.const 1) func $f) (func $f)",
        "table out of bounds",
    ),
    refused("_initialize traps", '(func (export "_initialize") unreachable)', "_initialize trapped: unreachable"),
    refused("open fails", '(func (export "open") (result i32) (i32.const -2147483648))', "open returned -2147483648"),
    _ring("not on a page", "(i32.const 100)", _ON_PAGE),
    _ring("not on a page, by one", "(i32.const 65535)", _ON_PAGE),
    _ring("beyond its memory", "(i32.const 1048576)", _ON_PAGE),
    _ring("half beyond its memory", "(i32.const 262144)", _ON_PAGE),
    _ring("none", "(i32.const -1)", f"it has no {RING_BYTES} bytes for the frame ring"),
    _ring("the upper half of addresses", "(i32.const -2147483648)", f"it has no {RING_BYTES} bytes"),
    _ring("the last page there is", "(i32.const -65536)", f"it has no {RING_BYTES} bytes"),
    _ring("a trap", "unreachable", "camera_edge_ring trapped: unreachable"),
    _ring("a load from nowhere", "(i32.load (i32.const -4))", "camera_edge_ring trapped: memory out of bounds"),
    harmless(
        "space for the ring: over its own data",
        f"""(memory (export "memory") 8) (data (i32.const 0) "mine")
      {analyze("(i32.store (i32.const 0) (i32.const -1))")}
      (func (export "camera_edge_ring") (param i32) (result i32) (i32.const 0))""",
    ),
    harmless(
        "space for the ring: over its own stack",
        analyze(
            "(memory.fill (i32.const 0) (i32.const 7) (i32.const 524288))",
            more="""(memory (export "memory") 8)
               (func (export "camera_edge_ring") (param i32) (result i32) (i32.const 196608))""",
        ),
    ),
    refused("no room for the ring", '(memory (export "memory") 1 1)', "its memory cannot grow"),
    refused("its memory is at its limit", '(memory (export "memory") 1025)', "memory"),
    harmless("it has no memory of its own at all", '(memory (export "memory") 0)'),
)
GROWTH = (
    harmless(
        "grows its memory to the limit",
        analyze("(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))"),
    ),
    faulted(
        "grows to the limit and traps",
        analyze("(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable"),
        Reason.MEMORY,
        "unreachable",
    ),
    faulted(
        "grows and touches all of it",
        analyze("(drop (memory.grow (i32.const 900))) (memory.fill (i32.const 0) (i32.const 1) (i32.const 50000000))"),
        Reason.FUEL,
        "out of fuel",
    ),
    harmless(
        "grows by more than there is",
        analyze(
            "(if (i32.ne (memory.grow (i32.const -1)) (i32.const -1)) (then unreachable))",
            "(if (i32.ne (memory.grow (i32.const 65536)) (i32.const -1)) (then unreachable))",
        ),
    ),
    harmless(
        "grows its table to the limit",
        analyze(
            "(loop $l (br_if $l (i32.ne (table.grow (ref.null func) (i32.const 4096)) (i32.const -1))))",
            more="(table 0 funcref)",
        ),
    ),
    harmless(
        "grows its table by more than there is",
        analyze(
            "(if (i32.ne (table.grow (ref.null extern) (i32.const -1)) (i32.const -1)) (then unreachable))",
            more="(table 0 externref)",
        ),
    ),
    refused("a table beyond the limit", "(table 65537 funcref)", "table"),
    refused("more tables than the limit", "(table 1 funcref)" * 5, "table"),
    faulted(
        "calls nothing",
        analyze("(call_indirect (i32.const 0))", more="(table 1 funcref)"),
        Reason.TRAP,
        "indirect call to null",
    ),
    faulted(
        "calls beyond its table",
        analyze("(call_indirect (i32.const -1))", more="(table 1 funcref)"),
        Reason.TRAP,
        "table out of bounds",
    ),
    faulted(
        "calls with the wrong signature",
        analyze(
            "(drop (call_indirect (param i64) (result i32) (i64.const 1) (i32.const 0)))",
            more="(table funcref (elem $f)) (func $f)",
        ),
        Reason.TRAP,
        "bad signature",
    ),
    faulted(
        "calls the host by its table, with the wrong signature",
        analyze(
            "(drop (call_indirect (param i64) (result i32) (i64.const 1) (i32.const 0)))",
            uses=("log",),
            more="(table funcref (elem $log))",
        ),
        Reason.TRAP,
        "bad signature",
    ),
    harmless(
        "calls the host by its table",
        analyze(
            "(drop (call_indirect (param i32 i32 i32) (result i32)",
            "(i32.const 1) (i32.const -1) (i32.const 9) (i32.const 0)))",
            uses=("log",),
            more="(table funcref (elem $log))",
        ),
        "BAD_POINTER",
    ),
    faulted(
        "writes beyond its table",
        analyze("(table.set (i32.const 9) (ref.null func))", more="(table 1 funcref)"),
        Reason.TRAP,
        "table out of bounds",
    ),
    faulted(
        "loads from nowhere",
        analyze("(drop (i64.load offset=4294967295 (i32.const -1)))"),
        Reason.MEMORY,
        "memory out of bounds",
    ),
    faulted(
        "stores just beyond its end",
        analyze("(i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536))(i32.const 3)) (i32.const 1))"),
        Reason.MEMORY,
        "memory out of bounds",
    ),
    faulted(
        "fills to just beyond its end",
        analyze(
            "(memory.fill (i32.sub (i32.mul (memory.size) (i32.const 65536))(i32.const 3)) (i32.const 1) (i32.const 4))"
        ),
        Reason.MEMORY,
        "memory out of bounds",
    ),
    faulted(
        "divides by zero",
        analyze("(drop (i32.div_s (i32.const 1) (local.get $i)))"),
        Reason.TRAP,
        "integer division by zero",
    ),
    faulted(
        "makes a number of what is none",
        analyze("(drop (i32.trunc_f64_s (f64.const nan)))"),
        Reason.TRAP,
        "bad conversion to integer",
    ),
)
_NOBODY = "cannot be compiled"
BINARIES = (
    _binary("nothing but a head", binaries.HEAD, "exports no memory"),
    _binary("a head of another version", b"\0asm\2\0\0\0", _NOBODY),
    _binary("a component", b"\0asm\x0d\0\1\0", _NOBODY),
    _binary("an ELF file", b"\x7fELF" + bytes(60), _NOBODY),
    _binary("no byte", b"", _NOBODY),
    _binary("zeros", bytes(4096), _NOBODY),
    _binary("cut in the middle", bytes(Binary())[:40], _NOBODY),
    _binary("a section longer than the file", binaries.HEAD + b"\1" + leb(0x7FFFFFFF), _NOBODY),
    _binary("a number that never ends", binaries.HEAD + b"\1" + b"\x80" * 100, _NOBODY),
    _binary("a vector of four billion types", binaries.HEAD + section(1, leb(0xFFFFFFFF)), _NOBODY),
    _binary(
        "a million functions without code",
        binaries.HEAD + section(1, vector(binaries.TYPES)) + section(3, leb(1_000_000) + bytes(1_000_000)),
        _NOBODY,
    ),
    _binary("more locals than there may be", bytes(Binary(local=vector([leb(0xFFFFFFFF) + b"\x7f"] * 2))), _NOBODY),
    _binary("a memory of four gigabytes", bytes(Binary(memory=b"\0" + leb(65536))), "memory"),
    _binary("a memory of more than there is", bytes(Binary(memory=b"\0" + leb(65537))), _NOBODY),
    _binary("a table of ten million", bytes(Binary(table=b"\x70\0" + leb(10_000_000))), "table"),
    _binary("a table of four billion", bytes(Binary(table=b"\x70\0" + leb(0xFFFFFFFF))), ""),
    _binary(
        "a br_table of a million",
        bytes(Binary(b"\x02\x40\x41\0\x0e" + leb(1_000_000) + bytes(1_000_001) + b"\x0b\x41\0")),
        _NOBODY,
    ),
    _binary(
        "a start function that takes a number",
        bytes(Binary()).replace(section(7, b""), b"") + section(8, b"\1"),
        _NOBODY,
    ),
    _binary(
        "two thousand imports",
        bytes(Binary(before=section(IMPORT, vector([name(WASI) + name(f"x{n}") + b"\0\0" for n in range(2000)])))),
        "",
    ),
    _binary(
        "a name of a megabyte",
        bytes(Binary(before=section(IMPORT, vector([name(WASI) + name("x" * (1 << 20)) + b"\0\0"])))),
        "",
    ),
    _binary(
        "a name that is no UTF-8",
        bytes(Binary(before=section(IMPORT, vector([name(WASI) + b"\2\xff\xfe\0\0"])))),
        _NOBODY,
    ),
    _binary(
        "elements of functions that do not exist",
        bytes(Binary(table=b"\x70\0\1")) + section(ELEMENT, b"\1\0\x41\0\x0b\1" + leb(99)),
        _NOBODY,
    ),
    harmless("binary: fifty thousand locals", bytes(Binary(local=vector([leb(49_000) + b"\x7f"])))),
    harmless("binary: blocks five thousand deep", bytes(Binary(_deep(5000)))),
    harmless("binary: five thousand functions", bytes(Binary(functions=(code(b""),) * 5000))),
    harmless(
        "binary: a custom section of a megabyte", bytes(Binary(behind=section(CUSTOM, name("x") + bytes(1 << 20))))
    ),
    harmless("binary: names that lie", bytes(Binary(behind=section(CUSTOM, name("name") + b"\1\xff\xff\xff\xff\x0f")))),
)
CASES = (*EXPORTS, *IMPORTS, *STARTS, *GROWTH, *BINARIES)
