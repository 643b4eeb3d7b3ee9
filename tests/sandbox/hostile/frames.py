"""Guests that write over frames, by themselves or by aiming a result of the host there."""

from __future__ import annotations

from tests.sandbox.hostile.cases import MODELS, STATE, Case, analyze, harmless, i32s, must_pass
from tests.sandbox.hostile.pointers import DATA, NN_COMPUTE, NN_START, NN_USES, WHOLE, store
from tests.sandbox.hostile.yard import RING_BYTES

# the ring between pages of the guest's own, so that a result can lie across its edges
RING = 131072
RING_END = RING + RING_BYTES
SPACE = f"""(memory (export "memory") {RING_END // 65536 + 2})
  (func (export "camera_edge_ring") (param i32) (result i32) (i32.const {RING}))"""
# the slot and its pixels, both edges of the ring, the map of zones
PLACES = (
    "(local.get $s)",
    "(i32.add (local.get $s) (i32.const 64))",
    f"(i32.const {RING - 8})",
    f"(i32.const {RING_END - 8})",
    "(i32.add (local.get $s) (i32.load offset=40 (local.get $s)))",
)


def _write(what: str, *statements: str) -> Case:
    return harmless(f"over frames: {what}", analyze(*statements, more=SPACE))


def _result(what: str, call: str, *uses: str, asks: tuple[str, ...] = ("pixels",), start: str = "") -> Case:
    """The host's result, aimed at each of the places; the header is read before it is spoilt."""
    zones = "(local.set $i (i32.add (local.get $s) (i32.load offset=40 (local.get $s))))"
    places = [place if "load" not in place else "(local.get $i)" for place in PLACES]
    calls = [must_pass(f"(call ${call})".format(p=place)) for place in places]
    body = analyze(zones, start, *calls, uses=uses, more=SPACE + DATA)
    return harmless(f"results over frames: {what}", body, asks=asks, fuel=20_000_000)


CASES = (
    _write("a store into the header", "(i64.store offset=8 (local.get $s) (i64.const -1))"),
    _write(
        "a header that lies about its size and its offsets",
        "(i32.store offset=24 (local.get $s) (i32.const -1)) (i32.store offset=36 (local.get $s) (i32.const -1))",
        "(i32.store offset=40 (local.get $s) (i32.const 1)) (i32.store offset=44 (local.get $s) (i32.const -64))",
    ),
    _write("memory.fill over the slot", "(memory.fill (local.get $s) (i32.const 255) (i32.const 65536))"),
    _write("memory.fill over the whole ring", f"(memory.fill {i32s(RING, 170, RING_BYTES)})"),
    _write(
        "memory.fill across the edges of the ring",
        f"(memory.fill {i32s(RING - 100, 170, 200)})",
        f"(memory.fill {i32s(RING_END - 100, 170, 200)})",
    ),
    _write("memory.copy between slots", f"(memory.copy {i32s(RING, RING + 65536, 131072)})"),
    _write("memory.copy of itself over the ring", f"(memory.copy {i32s(RING, 0, 131072)})"),
    harmless(
        "over frames: memory.init over the slot",
        analyze("(memory.init $d (local.get $s) (i32.const 0) (i32.const 64))", more=SPACE + f'(data $d "{"z" * 64}")'),
    ),
    harmless(
        "over frames: stores of vectors",
        analyze(
            "(loop $each (v128.store (i32.add (local.get $s) (local.get $i)) (v128.const i64x2 -1 -1))",
            "(br_if $each (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 16))) (i32.const 65536))))",
            more=SPACE,
        ),
    ),
    _result("param_text", "param_text (i32.const 0) (i32.const 4) {p} (i32.const 64)", "param_text"),
    _result("state_get", "state_get (i32.const 0) {p} (i32.const 256)", "state_get", asks=STATE),
    _result("infer", f"infer (i32.const 16) (i32.const 4) {WHOLE} {{p}} (i32.const 4)", "infer", asks=MODELS),
    _result("how much fd_write wrote", "fd_write (i32.const 1) (i32.const 520) (i32.const 1) {p}", "wasi.fd_write"),
    _result("random_get", "random_get {p} (i32.const 4096)", "wasi.random_get"),
    _result("clock_time_get", "clock_time_get (i32.const 0) (i64.const 1) {p}", "wasi.clock_time_get"),
    _result("args_sizes_get", "args_sizes_get {p} {p}", "wasi.args_sizes_get"),
    _result(
        "the handle from load_by_name", "load_by_name (i32.const 16) (i32.const 4) {p}", "nn.load_by_name", asks=MODELS
    ),
    _result(
        "get_output",
        "get_output (i32.load (i32.const 68)) (i32.const 0) {p} (i32.const 64) (i32.const 72)",
        *NN_USES,
        asks=MODELS,
        start=NN_START + NN_COMPUTE,
    ),
    _result(
        "the size from get_output",
        "get_output (i32.load (i32.const 68)) (i32.const 0) (i32.const 640) (i32.const 64) {p}",
        *NN_USES,
        asks=MODELS,
        start=NN_START + NN_COMPUTE,
    ),
    harmless(
        "over frames: what it reads there it takes for its own",
        analyze(
            "(i32.store (local.get $s) (i32.const 1701667182))",
            must_pass("(call $param_text (local.get $s) (i32.const 4) (i32.const 64) (i32.const 8))"),
            must_pass("(call $log (i32.const 1) (i32.add (local.get $s) (i32.const 64)) (i32.const 1024))"),
            uses=("param_text", "log"),
            more=SPACE,
        ),
        "OK",
    ),
    harmless(
        "over frames: a record across the edge of the ring",
        analyze(
            store(RING - 8, 32) + store(RING - 4, 5) + f"(memory.fill {i32s(RING, 0, 32)})",
            must_pass(f"(call $emit {i32s(RING - 8)})"),
            uses=("emit",),
            more=SPACE + DATA,
        ),
        "OK",
    ),
    harmless(
        "over frames: a mask made of the ring's last page",
        analyze(must_pass(f"(call $mask {i32s(RING_END - 2048, 2048, 64, 32)})"), uses=("mask",), more=SPACE),
        "OK",
    ),
)
