"""Guests that leave, and guests that behave until they do not."""

from __future__ import annotations

from camera_edge.sandbox.status import Reason
from tests.sandbox.hostile.cases import FRAMES, RULES, STATE, Case, analyze, faulted, harmless, imported, refused
from tests.sandbox.hostile.outputs import record
from tests.sandbox.hostile.pointers import DATA

EXIT = imported("wasi.proc_exit")
_FIVE = "(call $proc_exit (i32.const 5))"
ENDED = "it ended itself with code 5"


def _turns(what: str, act: str, reason: Reason, words: str, *, uses: tuple[str, ...] = ()) -> Case:
    """Two good frames, then this. The instance is new after each fault, and good again for two frames."""
    counting = "(global $frames (mut i32) (i32.const 0))"
    body = analyze(
        "(global.set $frames (i32.add (global.get $frames) (i32.const 1)))",
        f"(if (i32.gt_u (global.get $frames) (i32.const 2)) (then {act}))",
        "(drop (call $score (f64.const 1)))",
        uses=tuple(dict.fromkeys(("score", *uses))),
        more=counting,
    )
    # good, good, bad, and again
    return faulted(f"turns after two frames: {what}", body, reason, words, answers=FRAMES - 2)


EXITS = (
    faulted(
        "exits in analyze",
        f'{EXIT} (func (export "analyze") (param i32) (result i32) {_FIVE} (i32.const 0))',
        Reason.TRAP,
        ENDED,
    ),
    faulted(
        "exits in observe",
        f'{EXIT} (func (export "observe") (param i32 i32) (result i32) {_FIVE} (i32.const 0))',
        Reason.TRAP,
        ENDED,
        asks=RULES,
    ),
    refused("exits in its start function", f"{EXIT} (func $s {_FIVE}) (start $s)", ENDED),
    refused("exits in _initialize", f'{EXIT} (func (export "_initialize") {_FIVE})', ENDED),
    refused(
        "exits in camera_edge_abi",
        f'{EXIT} (func (export "camera_edge_abi") (result i32) {_FIVE} (i32.const 1))',
        ENDED,
    ),
    refused(
        "exits in camera_edge_ring",
        f'{EXIT} (func (export "camera_edge_ring") (param i32) (result i32) {_FIVE} (i32.const 0))',
        ENDED,
    ),
    refused("exits in open", f'{EXIT} (func (export "open") (result i32) {_FIVE} (i32.const 0))', ENDED),
    harmless("exits in close", f'{EXIT} (func (export "close") {_FIVE})'),
    faulted(
        "exits, and goes on as if it had not",
        f"""{EXIT} {imported("log")} (func (export "analyze") (param i32) (result i32)
              {_FIVE} (drop (call $log (i32.const 1) (i32.const 0) (i32.const 0))) (loop $l (br $l)) (i32.const 0))""",
        Reason.TRAP,
        ENDED,
    ),
    faulted(
        "exits with success",
        analyze("(call $proc_exit (i32.const 0))", uses=("wasi.proc_exit",)),
        Reason.TRAP,
        "it ended itself with code 0",
    ),
    faulted(
        "returns a negative number",
        '(func (export "analyze") (param i32) (result i32) (i32.const -2147483648))',
        Reason.ERROR,
        "analyze returned -2147483648",
    ),
    faulted(
        "returns a negative number, after outputs",
        f"""{imported("score")} (func (export "analyze") (param i32) (result i32)
              (drop (call $score (f64.const 1))) (i32.const -7))""",
        Reason.ERROR,
        "analyze returned -7",
        results=("OK",),
    ),
    harmless("returns a large number", '(func (export "analyze") (param i32) (result i32) (i32.const 2147483647))'),
)
TURNS = (
    _turns("it traps", "unreachable", Reason.TRAP, "unreachable"),
    _turns("it spins", "(loop $l (br $l))", Reason.FUEL, "out of fuel"),
    _turns("it exits", _FIVE, Reason.TRAP, ENDED, uses=("wasi.proc_exit",)),
    _turns("it says garbage", "(drop (call $score (f64.const nan)))", Reason.OUTPUT, "score was refused: BAD_VALUE"),
    _turns(
        "it emits what is not there",
        "(drop (call $emit (i32.const -1)))",
        Reason.OUTPUT,
        "emit was refused: BAD_POINTER",
        uses=("emit",),
    ),
    faulted(
        "remembers in its state how often it was caught, and fails every time",
        analyze(
            "(drop (call $state_get (i32.const 0) (i32.const 0) (i32.const 1)))",
            "(i32.store8 (i32.const 0) (i32.add (i32.load8_u (i32.const 0)) (i32.const 1)))",
            "(drop (call $state_put (i32.const 0) (i32.const 0) (i32.const 1))) unreachable",
            uses=("state_get", "state_put"),
        ),
        Reason.TRAP,
        "unreachable",
        asks=STATE,
        results=("OK",),
    ),
    faulted(
        "poisons its state so that it never opens again",
        analyze(
            "(drop (call $state_put (i32.const 0) (i32.const 32) (i32.const 1))) unreachable",
            uses=("state_get", "state_put"),
            more=DATA
            + """
          (func (export "open") (result i32) (drop (call $state_get (i32.const 0) (i32.const 0) (i32.const 1)))
            (i32.sub (i32.const 0) (i32.eq (i32.load8_u (i32.const 0)) (i32.const 116))))""",
        ),
        Reason.ERROR,
        "open returned -1",
        asks=STATE,
    ),
    harmless(
        "keeps what it saw for later frames",
        analyze(
            record(),
            "(drop (call $emit (i32.const 512)))",
            "(memory.copy (i32.const 4096) (local.get $s) (i32.const 2112))",
            uses=("emit",),
            more=DATA,
        ),
        "OK",
    ),
)
CASES = (*EXITS, *TURNS)
