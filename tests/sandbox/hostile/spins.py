"""Guests that want the machine's time: loops, recursion, host calls without end."""

from __future__ import annotations

from camera_edge.sandbox.manifest import Limits
from camera_edge.sandbox.status import Reason
from tests.sandbox.hostile.cases import (
    MODELS,
    RULES,
    STATE,
    Case,
    analyze,
    faulted,
    forever,
    harmless,
    i32s,
    imported,
    refused,
)

SPIN = "(loop $spin (br $spin))"
TINY = '(data (i32.const 0) "tiny")'
WHOLE = "(f32.const 0) (f32.const 0) (f32.const 1) (f32.const 1)"


def _calls(function: str, *arguments: int | str, asks: tuple[str, ...], more: str = "", times: str = "") -> Case:
    """Calls this function for as long as it is let."""
    called = function.rpartition(".")[2]
    body = analyze(
        forever(f"(drop (call ${called} {i32s(*arguments)}))"), uses=(function,), more=more, rule=asks == RULES
    )
    return faulted(f"calls {function}{times} without end", body, Reason.FUEL, "out of fuel", asks=asks)


def _straight(function: str, *arguments: int | str, asks: tuple[str, ...] = ("pixels",), more: str = "") -> Case:
    """Calls it thousands of times without a loop, where wasmtime itself would not look at the fuel."""
    called = function.rpartition(".")[2]
    body = analyze(f"(drop (call ${called} {i32s(*arguments)}))" * 3000, uses=(function,), more=more)
    return faulted(f"calls {function} in a straight line", body, Reason.FUEL, "out of fuel", asks=asks)


_JSON = '(data (i32.const 512) "\\00\\00\\00\\00\\05\\00\\00\\00") (data (i32.const 0) "thing")'
_VECTOR = r'(data (i32.const 0) "\00\01\00\00\00\00\01\00")'
CASES = (
    faulted("spins in analyze", analyze(SPIN), Reason.FUEL, "analyze trapped: out of fuel"),
    faulted("spins in observe", analyze(SPIN, rule=True), Reason.FUEL, "observe trapped: out of fuel", asks=RULES),
    refused("spins in open", f'(func (export "open") (result i32) {SPIN} (i32.const 0))', "open trapped: out of fuel"),
    refused("spins in its start function", f"(func $s {SPIN}) (start $s)", "start function trapped: out of fuel"),
    refused("spins in _initialize", f'(func (export "_initialize") {SPIN})', "_initialize trapped: out of fuel"),
    refused(
        "spins in camera_edge_abi",
        f'(func (export "camera_edge_abi") (result i32) {SPIN} (i32.const 1))',
        "camera_edge_abi trapped: out of fuel",
    ),
    refused(
        "spins in camera_edge_ring",
        f'(func (export "camera_edge_ring") (param i32) (result i32) {SPIN} (i32.const 0))',
        "camera_edge_ring trapped: out of fuel",
    ),
    harmless("spins in close", f'(func (export "close") {SPIN})'),
    _calls("log", 1, 0, 0, asks=("pixels",)),
    _calls("log", 1, 0, 1024, asks=("pixels",), times=" with long lines"),
    _calls("state_get", 0, 0, -1, asks=STATE),
    _calls("state_get", 0, -4, -1, asks=STATE, times=" to nowhere"),
    _calls("state_put", 0, 0, 4096, asks=STATE),
    _calls("infer", 0, 4, WHOLE, 64, 4, asks=MODELS, more='(data (i32.const 0) "tiny")'),
    _calls(
        "infer", 0, 6, WHOLE, 64, 4, asks=MODELS, more='(data (i32.const 0) "broken")', times=" with a broken model"
    ),
    _calls("emit", 512, asks=("pixels",), more=_JSON),
    _calls("mask", 0, 2048, 64, 32, asks=("pixels",)),
    _calls("raise", 512, asks=RULES, more=_JSON),
    _calls("veto", 0, asks=RULES),
    _calls("relabel", 0, 0, 5, "(f32.const 0.5)", asks=RULES, more='(data (i32.const 0) "thing")'),
    _calls("wasi.random_get", 0, 65536, asks=("pixels",)),
    _calls("wasi.fd_write", 1, 0, 1, 16, asks=("pixels",), more=_VECTOR),
    _calls("wasi.sched_yield", asks=("pixels",)),
    _calls("nn.load_by_name", 0, 4, 64, asks=MODELS, more='(data (i32.const 0) "tiny")'),
    _calls("nn.load_by_name", 0, 6, 64, asks=MODELS, more='(data (i32.const 0) "broken")', times=" for a broken model"),
    _calls("nn.compute", 0, asks=MODELS),
    harmless(
        "runs its model as often as it can pay",
        analyze(f"(drop (call $infer {i32s(0, 4, WHOLE, 64, 4)}))" * 100, uses=("infer",), more=TINY),
        "OK",
        "TOO_MANY",
        asks=MODELS,
        fuel=200_000_000,
    ),
    harmless(
        "computes as often as it can pay",
        analyze(f"(drop (call $compute {i32s(0)}))" * 100, uses=("nn.compute",)),
        "INVALID_ARGUMENT",
        "TOO_LARGE",
        asks=MODELS,
        fuel=200_000_000,
    ),
    _straight("log", 1, 0, 0),
    _straight("state_get", 0, 0, -1, asks=STATE),
    _straight("wasi.random_get", 0, 65536),
    faulted(
        "asks for more random bytes than it can pay",
        analyze(
            "(drop (call $random_get (i32.const 0) (i32.const 67108864)))",
            uses=("wasi.random_get",),
            more='(memory (export "memory") 1024)',
        ),
        Reason.FUEL,
        "out of fuel",
        limits=Limits(memory_bytes=128 << 20, fuel_per_frame=1_000_000),
    ),
    faulted(
        "fills memory in a straight line",
        analyze("(memory.fill (i32.const 0) (i32.const 1) (i32.const 131072))" * 1000),
        Reason.FUEL,
        "out of fuel",
    ),
    faulted(
        "copies memory in a straight line",
        analyze("(memory.copy (i32.const 0) (i32.const 65536) (i32.const 65536))" * 1000),
        Reason.FUEL,
        "out of fuel",
    ),
    faulted(
        "fills its table in a straight line",
        analyze("(table.fill (i32.const 0) (ref.null func) (i32.const 65536))" * 1000, more="(table 65536 funcref)"),
        Reason.FUEL,
        "out of fuel",
    ),
    faulted(
        "recurses without end",
        '(func $f (export "analyze") (param i32) (result i32) (i32.add (i32.const 1) (call $f (local.get 0))))',
        Reason.TRAP,
        "stack overflow",
    ),
    faulted(
        "recurses with large frames",
        f"""(func $f (param i32) (result i32) (local {"i64 " * 1000})
          {" ".join(f"(local.set {n} (i64.load (i32.const {8 * n})))" for n in range(1, 999))}
          (drop (call $f (i32.add (local.get 0) (i32.const 1))))
          (i32.wrap_i64 {"(i64.add " * 997} (local.get 1) {" ".join(f"(local.get {n}))" for n in range(2, 999))}))
        (func (export "analyze") (param i32) (result i32) (call $f (i32.const 0)))""",
        Reason.TRAP,
        "stack overflow",
    ),
    faulted(
        "calls the host from the bottom of the stack",
        f"""{imported("metric")} (data (i32.const 0) "deep")
        (func $f (param i32) (result i32)
          (if (i32.eqz (i32.rem_u (local.get 0) (i32.const 128)))
            (then (drop (call $metric (i32.const 0) (i32.const 4) (f64.const 1)))))
          (i32.add (i32.const 1) (call $f (i32.add (local.get 0) (i32.const 1)))))
        (func (export "analyze") (param i32) (result i32) (call $f (i32.const 0)))""",
        Reason.TRAP,
        "stack overflow",
        results=("OK",),
    ),
    faulted(
        "recurses by an indirect call",
        """(type $t (func (param i32) (result i32))) (table funcref (elem $f))
        (func $f (export "analyze") (type $t)
          (i32.add (i32.const 1) (call_indirect (type $t) (local.get 0) (i32.const 0))))""",
        Reason.TRAP,
        "stack overflow",
    ),
    refused(
        "recurses in its start function",
        "(func $f (result i32) (i32.add (i32.const 1) (call $f))) (func $s (drop (call $f))) (start $s)",
        "start function trapped: stack overflow",
    ),
)
