"""Guests that hand out pointers which are not theirs, to every function that takes one."""

from __future__ import annotations

from collections.abc import Sequence

from camera_edge.sandbox.status import Reason
from tests.sandbox.hostile.cases import (
    MODELS,
    PIXELS,
    RULES,
    STATE,
    Case,
    analyze,
    faulted,
    harmless,
    i32s,
    must_err,
    must_fail,
    must_pass,
)

Pointer = tuple[int | str, int]

END = "(i32.mul (memory.size) (i32.const 65536))"
# pointer and length: far out, out by one, and wrapping around
OUTSIDE: tuple[Pointer, ...] = (
    (-1, 2),
    (-8, 16),
    (-(1 << 31), 16),
    (0x7FFFFFFF, 16),
    (END, 1),
    (f"(i32.sub {END} (i32.const 1))", 2),
)
TOO_LONG: tuple[Pointer, ...] = ((0, -1), (8, 0x7FFFFFFF), (16, -(1 << 31)))
WHOLE = "(f32.const 0) (f32.const 0) (f32.const 1) (f32.const 1)"
DATA = '(data (i32.const 0) "name") (data (i32.const 16) "tiny") (data (i32.const 32) "thing")'


def store(at: int, value: int | str) -> str:
    return f"(i32.store (i32.const {at}) {i32s(value)})"


def _each(call: str, pointers: Sequence[Pointer], *, before: str = "", errors: bool = False) -> str:
    """The call with each pointer in the places of `{p}` and `{n}`; none may succeed."""
    must = must_err if errors else must_fail
    return "".join((before + must(f"(call ${call})")).format(p=i32s(p), n=i32s(n)) for p, n in pointers)


def _status(what: str, call: str, asks: tuple[str, ...], pointers: Sequence[Pointer] = OUTSIDE + TOO_LONG) -> Case:
    """A function that answers with a status: the guest gets it, and the frame its answer."""
    body = analyze(_each(call, pointers), uses=(call.split()[0],), more=DATA)
    return harmless(f"wild pointers: {what}", body, "BAD_POINTER", asks=asks, fuel=20_000_000)


def _output(what: str, call: str, pointers: Sequence[Pointer], *, rule: bool = False, before: str = "") -> Case:
    """An output of the frame: the frame has no answer then."""
    function = call.split()[0]
    body = analyze(_each(call, pointers, before=before), uses=(function,), more=DATA, rule=rule)
    asks = RULES if rule else PIXELS
    return faulted(f"wild pointers: {what}", body, Reason.OUTPUT, f"{function} was refused: ", asks=asks)


def _record(at: int) -> str:
    """A record at 512 with the pointer in its kind (`at` 0) or its attributes (`at` 32)."""
    return (
        store(512, 32)
        + store(516, 5)
        + f"(i32.store (i32.const {512 + at}) {{p}})"
        + (f"(i32.store (i32.const {516 + at}) {{n}})")
    )


def _wasi(what: str, call: str, pointers: Sequence[Pointer] = OUTSIDE, *, before: str = "") -> Case:
    body = analyze(_each(call, pointers, before=before, errors=True), uses=(f"wasi.{call.split()[0]}",), more=DATA)
    return harmless(f"wild pointers: {what}", body)


# a graph in 64, a context in 68, a tensor at 512 with its one dimension at 544 and its data at 576
NN_START = (
    f"(if (call $load_by_name {i32s(16, 4, 64)}) (then unreachable))"
    f"(if (call $init_execution_context (i32.load (i32.const 64)) {i32s(68)}) (then unreachable))" + store(544, 4)
)
TENSOR = store(512, 544) + store(516, 1) + store(520, 1) + store(524, 576) + store(528, 16)
NN_COMPUTE = (
    f"{TENSOR} (if (call $set_input (i32.load (i32.const 68)) {i32s(0, 512)}) (then unreachable))"
    "(if (call $compute (i32.load (i32.const 68))) (then unreachable))"
)
NN_USES = ("nn.load_by_name", "nn.init_execution_context", "nn.set_input", "nn.compute", "nn.get_output")
_CONTEXT = "(i32.load (i32.const 68))"


def _nn(
    what: str, call: str, pointers: Sequence[Pointer] = OUTSIDE, *, before: str = "", computes: bool = False
) -> Case:
    start = NN_START + (NN_COMPUTE if computes else "")
    body = analyze(start, _each(call, pointers, before=before, errors=True), uses=NN_USES, more=DATA)
    return harmless(f"wild pointers: {what}", body, "INVALID_ARGUMENT", asks=MODELS, fuel=20_000_000)


_DEFAULT = "(if (f64.ne (call $param_number {} (f64.const 3)) (f64.const 3)) (then unreachable))"
CASES = (
    harmless(
        "wild pointers: the name for param_number",
        analyze("".join(_DEFAULT.format(i32s(p, n)) for p, n in OUTSIDE + TOO_LONG), uses=("param_number",)),
    ),
    _status("the name for param_text", "param_text {p} {n} (i32.const 64) (i32.const 8)", PIXELS),
    _status("the room for param_text", "param_text (i32.const 0) (i32.const 4) {p} {n}", PIXELS, OUTSIDE),
    _status("the room for state_get", "state_get (i32.const 0) {p} {n}", STATE, OUTSIDE),
    _status("the bytes for state_put", "state_put (i32.const 0) {p} {n}", STATE),
    _status("the text for log", "log (i32.const 1) {p} {n}", PIXELS),
    _status("the name for metric", "metric {p} {n} (f64.const 1)", PIXELS),
    _status("the model for infer", f"infer {{p}} {{n}} {WHOLE} (i32.const 64) (i32.const 4)", MODELS),
    _status("the room for infer", f"infer (i32.const 16) (i32.const 4) {WHOLE} {{p}} {{n}}", MODELS),
    _output("the record for emit", "emit {p}", OUTSIDE),
    _output("the kind in a record", "emit (i32.const 512)", OUTSIDE + TOO_LONG, before=_record(0)),
    _output("the attributes in a record", "emit (i32.const 512)", OUTSIDE + TOO_LONG, before=_record(32)),
    _output("the bytes for mask", "mask {p} (i32.const 2) (i32.const 2) (i32.const 1)", OUTSIDE),
    _output("the length for mask", "mask {p} {n} (i32.const -1) (i32.const -1)", TOO_LONG),
    _output("the record for raise", "raise {p}", OUTSIDE, rule=True),
    _output("the kind in a raised record", "raise (i32.const 512)", OUTSIDE + TOO_LONG, rule=True, before=_record(0)),
    _output(
        "the attributes in a raised record", "raise (i32.const 512)", OUTSIDE + TOO_LONG, rule=True, before=_record(32)
    ),
    _output("the kind for relabel", "relabel (i32.const 0) {p} {n} (f32.const 0)", OUTSIDE + TOO_LONG, rule=True),
    _wasi("the vectors for fd_write", "fd_write (i32.const 1) {p} (i32.const 1) (i32.const 64)"),
    _wasi(
        "a vector for fd_write",
        "fd_write (i32.const 1) (i32.const 512) (i32.const 1) (i32.const 64)",
        OUTSIDE + TOO_LONG,
        before="(i32.store (i32.const 512) {p}) (i32.store (i32.const 516) {n})",
    ),
    _wasi("how much fd_write wrote", "fd_write (i32.const 1) (i32.const 520) (i32.const 1) {p}"),
    _wasi(
        "the count of vectors for fd_write",
        "fd_write (i32.const 1) (i32.const 0) {p} (i32.const 64)",
        ((-1, 0), (65, 0), (1 << 29, 0), (-(1 << 31), 0)),
    ),
    _wasi("the time from clock_time_get", "clock_time_get (i32.const 0) (i64.const 1) {p}"),
    _wasi("the resolution from clock_res_get", "clock_res_get (i32.const 0) {p}"),
    _wasi("the bytes for random_get", "random_get {p} {n}", OUTSIDE + TOO_LONG),
    _wasi("the count from args_sizes_get", "args_sizes_get {p} (i32.const 64)"),
    _wasi("the size from args_sizes_get", "args_sizes_get (i32.const 64) {p}"),
    _wasi("the count from environ_sizes_get", "environ_sizes_get {p} (i32.const 64)"),
    _nn("the name for load_by_name", "load_by_name {p} {n} (i32.const 64)", OUTSIDE + TOO_LONG),
    _nn("the handle from load_by_name", "load_by_name (i32.const 16) (i32.const 4) {p}"),
    _nn("the handle from init_execution_context", "init_execution_context (i32.load (i32.const 64)) {p}"),
    _nn("the tensor for set_input", f"set_input {_CONTEXT} (i32.const 0) {{p}}"),
    _nn(
        "the dimensions of a tensor",
        f"set_input {_CONTEXT} (i32.const 0) (i32.const 512)",
        before=TENSOR + "(i32.store (i32.const 512) {p})",
    ),
    _nn(
        "how many dimensions a tensor has",
        f"set_input {_CONTEXT} (i32.const 0) (i32.const 512)",
        TOO_LONG,
        before=TENSOR + "(i32.store (i32.const 516) {n})",
    ),
    _nn(
        "the data of a tensor",
        f"set_input {_CONTEXT} (i32.const 0) (i32.const 512)",
        before=TENSOR + "(i32.store (i32.const 524) {p})",
    ),
    _nn(
        "the output for get_output",
        f"get_output {_CONTEXT} (i32.const 0) {{p}} (i32.const 64) (i32.const 72)",
        computes=True,
    ),
    _nn(
        "the size from get_output",
        f"get_output {_CONTEXT} (i32.const 0) (i32.const 640) (i32.const 64) {{p}}",
        computes=True,
    ),
    harmless(
        "overlapping pointers: a text over its own name",
        analyze(
            store(0, int.from_bytes(b"name", "little")),
            must_pass(f"(call $param_text {i32s(0, 4, 2, 64)})"),
            uses=("param_text",),
        ),
    ),
    harmless(
        "overlapping pointers: an inference over the name of its model",
        analyze(
            must_pass(f"(call $infer {i32s(16, 4)} {WHOLE} {i32s(14, 4)})"),
            store(16, 0x796E6974),
            uses=("infer",),
            more=DATA,
        ),
        asks=MODELS,
        fuel=20_000_000,
    ),
    harmless(
        "overlapping pointers: the state over itself",
        analyze(
            must_pass(f"(call $state_get {i32s(0, 0, 256)})"),
            must_pass(f"(call $state_put {i32s(1, 0, 256)})"),
            must_pass(f"(call $state_get {i32s(0, 1, 256)})"),
            uses=("state_get", "state_put"),
        ),
        "OK",
        asks=STATE,
    ),
    harmless(
        "overlapping pointers: how much was written over the vector itself",
        analyze(
            store(512, 512),
            store(516, 8),
            f"(if (call $fd_write {i32s(1, 512, 1, 512)}) (then unreachable))",
            uses=("wasi.fd_write",),
        ),
    ),
    faulted(
        "overlapping pointers: a record that is its own kind and attributes",
        analyze(
            store(512, 512),
            store(516, 40),
            store(544, 512),
            store(548, 40),
            must_fail("(call $emit (i32.const 512))"),
            uses=("emit",),
        ),
        Reason.OUTPUT,
        "emit was refused: BAD_VALUE",
    ),
    harmless(
        "overlapping pointers: an output of a model over its own tensor",
        analyze(
            NN_START,
            NN_COMPUTE,
            f"(if (call $get_output {_CONTEXT} {i32s(0, 512, 64, 512)}) (then unreachable))",
            uses=NN_USES,
            more=DATA,
        ),
        "SUCCESS",
        asks=MODELS,
        fuel=20_000_000,
    ),
)
