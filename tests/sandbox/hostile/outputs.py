"""Guests that say what nobody can use: garbage, floods, and things that are not so."""

from __future__ import annotations

from camera_edge.sandbox.manifest import Limits
from camera_edge.sandbox.status import Reason
from tests.sandbox.hostile.cases import (
    RULES,
    STATE,
    Case,
    analyze,
    faulted,
    harmless,
    i32s,
    must_fail,
    must_pass,
)
from tests.sandbox.hostile.pointers import DATA, store

RICH = 60_000_000


def _floats(at: int, numbers: str) -> str:
    return "".join(f"(f32.store (i32.const {at + 4 * n}) (f32.const {text}))" for n, text in enumerate(numbers.split()))


def record(box: str = "0 0 1 1", score: str = "0.5", track: int = -1, kind: tuple[int, int] = (32, 5)) -> str:
    """Fills the record at 512."""
    return store(512, kind[0]) + store(516, kind[1]) + _floats(520, score) + store(524, track) + _floats(528, box)


def _emit(what: str, fill: str, status: str = "BAD_VALUE", more: str = DATA) -> Case:
    body = analyze(fill, must_fail("(call $emit (i32.const 512))"), uses=("emit",), more=more)
    return faulted(f"emits {what}", body, Reason.OUTPUT, f"emit was refused: {status}", results=(status,))


def _attributes(what: str, attributes: str, status: str = "BAD_VALUE") -> Case:
    data = attributes.encode("utf-8", "surrogateescape")
    escaped = "".join(f"\\{byte:02x}" for byte in data)
    fill = record() + store(544, 1024) + store(548, len(data))
    return _emit(f"attributes: {what}", fill, status, more=f'{DATA} (data (i32.const 1024) "{escaped}")')


def _kind(what: str, text: str) -> Case:
    data = text.encode("utf-8", "surrogateescape")
    escaped = "".join(f"\\{byte:02x}" for byte in data)
    more = f'(data (i32.const 64) "{escaped}")'
    return _emit(f"a kind: {what}", record(kind=(64, len(data))), more=more)


def _many(function: str, times: int, *arguments: int | str) -> str:
    return f"""(local.set $i (i32.const 0))
      (loop $each (drop (call ${function} {i32s(*arguments)}))
        (br_if $each (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {times}))))"""


BOXES = (
    "nan 0 1 1",
    "0 nan 0 0",
    "0 0 inf 1",
    "0 0 1 -inf",
    "-inf inf inf inf",
    "-0.1 0 0.5 0.5",
    "0.6 0 0.5 0.5",
    "0 0 -1 -1",
    "1e38 1e38 1e38 1e38",
    "0 0 0.5 nan:0x200001",
)
WIDE = '{"a": "' + "x" * 4000 + '"}'
_FIVE = "(i32.const 5)"
GARBAGE = (
    *(_emit(f"a box of {box}", record(box)) for box in BOXES),
    *(_emit(f"a score of {score}", record(score=score)) for score in ("nan", "inf", "-inf", "-0.001", "1.001", "3e38")),
    _emit("a track of the smallest number", record(track=-(1 << 31))),
    harmless(
        "emits subnormal numbers",
        analyze(
            record("0x1p-149 0x1p-149 0x1p-149 0x1p-149", "0x1p-149"),
            must_pass("(call $emit (i32.const 512))"),
            uses=("emit",),
            more=DATA,
        ),
        "OK",
    ),
    harmless(
        "emits negative zeros",
        analyze(record("-0 -0 -0 -0", "-0"), must_pass("(call $emit (i32.const 512))"), uses=("emit",), more=DATA),
        "OK",
    ),
    _kind("no UTF-8", "\udcff\udcfe\udc80"),
    _kind("UTF-8 of a surrogate", "\udced\udca0\udc80"),
    _kind("an overlong slash", "\udcc0\udcaf"),
    _kind("one with a zero byte", "thing\0"),
    _kind("one that the manifest does not name", "weapon"),
    _kind("none", ""),
    _attributes("no JSON", "{"),
    _attributes("no UTF-8", '{"a": "\udcff"}'),
    _attributes("a lone surrogate", '{"a": "\\ud800"}'),
    _attributes("a list", "[1]"),
    _attributes("a list in an object", '{"a": [1]}'),
    _attributes("nothing but brackets", "[" * 4096),
    _attributes("objects in objects", '{"a":' * 600 + "1" + "}" * 600),
    _attributes("null", '{"a": null}'),
    _attributes("an infinite number", '{"a": 1e999}'),
    _attributes("NaN", '{"a": NaN}'),
    _attributes("a number of 4000 digits", '{"a": ' + "9" * 4000 + "}"),
    _attributes("more members than are allowed", "{" + ",".join(f'"{n:x}":1' for n in range(65)) + "}"),
    _attributes("more bytes than are allowed", '{"a": "' + "x" * 4096 + '"}', "TOO_LARGE"),
    harmless(
        "emits attributes with one name twice",
        analyze(
            record() + store(544, 1024) + store(548, 13),
            must_pass("(call $emit (i32.const 512))"),
            uses=("emit",),
            more=DATA + r'(data (i32.const 1024) "{\22a\22:1,\22a\22:2}")',
        ),
        "OK",
    ),
    faulted(
        "scores that are no numbers",
        analyze(
            *[must_fail(f"(call $score (f64.const {text}))") for text in ("nan", "inf", "-inf")],
            must_fail("(call $score_at (i32.const -1) (f64.const 1))"),
            must_fail("(call $score_at (i32.const 1025) (f64.const 1))"),
            uses=("score", "score_at"),
        ),
        Reason.OUTPUT,
        "was refused: BAD_VALUE",
    ),
    faulted(
        "masks that are not of its view",
        analyze(
            *[
                must_fail(f"(call $mask {i32s(0, w * h & 0xFFFFFFFF, w, h)})")
                for w, h in ((65, 32), (64, 33), (0, 0), (-1, -1), (1 << 16, 1 << 16), (-64, -32))
            ],
            uses=("mask",),
        ),
        Reason.OUTPUT,
        "mask was refused: BAD_VALUE",
    ),
    harmless(
        "metrics that are no numbers or have no name",
        analyze(
            *[must_fail(f"(call $metric {i32s(0, 4)} (f64.const {text}))") for text in ("nan", "inf")],
            must_fail(f"(call $metric {i32s(0, 0)} (f64.const 1))"),
            must_fail(f"(call $metric {i32s(100, 4)} (f64.const 1))"),
            uses=("metric",),
            more=DATA + r'(data (i32.const 100) "a\0ab ")',
        ),
        "BAD_VALUE",
    ),
    harmless(
        "log lines of levels that do not exist, and of control characters",
        analyze(
            *[must_fail(f"(call $log {i32s(level, 0, 4)})") for level in (-1, 4, 1 << 31)],
            must_pass(f"(call $log {i32s(3, 100, 12)})"),
            uses=("log",),
            more=r'(data (i32.const 100) "\1b[2J\0d\0a\00\ff\9b31m")',
        ),
        "BAD_VALUE",
        "OK",
    ),
    harmless(
        "regions for infer that are not in the picture",
        analyze(
            *[
                must_fail(
                    f"(call $infer {i32s(16, 4)} {' '.join(f'(f32.const {n})' for n in box.split())} {i32s(64, 4)})"
                )
                for box in BOXES
            ],
            uses=("infer",),
            more=DATA,
        ),
        "BAD_VALUE",
        asks=("pixels", "onnx:tiny"),
        fuel=20_000_000,
    ),
    harmless(
        "models that it was not granted",
        analyze(
            *[
                must_fail(f"(call $infer {i32s(at, n)} {'(f32.const 0)' * 4} {i32s(64, 4)})")
                for at, n in ((0, 4), (0, 0))
            ],
            uses=("infer",),
            more=DATA,
        ),
        "NOT_GRANTED",
        asks=("pixels", "onnx:tiny"),
        fuel=20_000_000,
    ),
    harmless(
        "a state beyond its store",
        analyze(
            *[must_fail(f"(call $state_put {i32s(at, 0, n)})") for at, n in ((4096, 1), (-1, 1), (4095, 2), (1, -1))],
            must_pass(f"(call $state_put {i32s(4096, 0, 0)})"),
            must_pass(f"(call $state_get {i32s(-1, 0, 8)})"),
            uses=("state_put", "state_get"),
        ),
        "TOO_LARGE",
        "OK",
        asks=STATE,
    ),
)
FLOODS = (
    Case(
        "emits ten thousand observations",
        analyze(record(), _many("emit", 10_000, 512), uses=("emit",), more=DATA),
        ending=harmless("", "").ending,
        results=("OK", "TOO_MANY"),
        answers=6,
        limits=Limits(fuel_per_frame=200_000_000, observations=100),
    ),
    faulted(
        "emits a million observations",
        analyze(record(), _many("emit", 1_000_000, 512), uses=("emit",), more=DATA),
        Reason.FUEL,
        "out of fuel",
        results=("OK", "TOO_MANY"),
        limits=Limits(fuel_per_frame=RICH),
    ),
    faulted(
        "emits the widest attributes as often as it can",
        analyze(
            record() + store(544, 1024) + store(548, len(WIDE)),
            _many("emit", 1_000_000, 512),
            uses=("emit",),
            more=DATA + f'(data (i32.const 1024) "{WIDE.replace(chr(34), chr(92) + "22")}")',
        ),
        Reason.FUEL,
        "out of fuel",
        results=("OK",),
        limits=Limits(fuel_per_frame=RICH),
    ),
    faulted(
        "has its attributes refused as often as it can",
        analyze(
            record() + store(544, 1024) + store(548, 4096),
            "(memory.fill (i32.const 1024) (i32.const 91) (i32.const 4096))",
            _many("emit", 1_000_000, 512),
            uses=("emit",),
            more=DATA,
        ),
        Reason.FUEL,
        "out of fuel",
        results=("BAD_VALUE",),
        limits=Limits(fuel_per_frame=RICH),
    ),
    harmless("floods the log", analyze(_many("log", 1000, 3, 0, 1024), uses=("log",)), "OK", "TOO_MANY", fuel=RICH),
    harmless(
        "floods the log by fd_write",
        analyze(
            "(memory.fill (i32.const 1024) (i32.const 10) (i32.const 65536))",
            store(512, 1024),
            store(516, 65536),
            _many("fd_write", 100, 2, 512, 1, 520),
            uses=("wasi.fd_write",),
        ),
        fuel=RICH,
    ),
    harmless(
        "floods the metrics",
        analyze(_many("metric", 1000, 0, 4, "(f64.const 1)"), uses=("metric",), more=DATA),
        "OK",
        "TOO_MANY",
        fuel=RICH,
    ),
    harmless(
        "floods the scores",
        analyze(_many("score", 1000, "(f64.const 1)"), uses=("score",)),
        "OK",
        "TOO_MANY",
        fuel=RICH,
    ),
    harmless(
        "gives its mask a hundred times", analyze(_many("mask", 100, 0, 2048, 64, 32), uses=("mask",)), "OK", fuel=RICH
    ),
)


def _rule(what: str, *statements: str, uses: tuple[str, ...], results: tuple[str, ...] = ("OK",)) -> Case:
    body = analyze(*statements, uses=uses, more=DATA, rule=True)
    return harmless(f"rules: {what}", body, *results, asks=RULES, fuel=RICH)


RULINGS = (
    _rule(
        "it vetoes everything, always",
        *[must_pass(f"(call $veto (i32.const {n}))") for n in (0, 1)] * 50,
        uses=("veto",),
    ),
    _rule(
        "it relabels everything, again and again", _many("relabel", 500, 1, 32, 5, "(f32.const 1)"), uses=("relabel",)
    ),
    _rule("it floods raises", record() + _many("raise", 5000, 512), uses=("raise",), results=("OK", "TOO_MANY")),
    _rule(
        "it spoils its own batch",
        "(memory.fill (local.get $s) (i32.const 255) (local.get $n))",
        must_pass("(call $veto (i32.const 1))"),
        uses=("veto",),
    ),
    _rule(
        "it claims that the batch has more events",
        "(i32.store offset=40 (local.get $s) (i32.const -1))",
        must_pass("(call $veto (i32.const 1))"),
        uses=("veto",),
    ),
    *(
        faulted(
            f"rules: it names event {number}",
            analyze(must_fail(f"(call $veto (i32.const {number}))"), uses=("veto",), rule=True),
            Reason.OUTPUT,
            "veto was refused: NOT_FOUND",
            asks=RULES,
        )
        for number in (2, -1, 1 << 31)
    ),
    faulted(
        "rules: it relabels with a score that is no number",
        analyze(
            must_fail(f"(call $relabel {i32s(0, 32, 5)} (f32.const nan))"), uses=("relabel",), more=DATA, rule=True
        ),
        Reason.OUTPUT,
        "relabel was refused: BAD_VALUE",
        asks=RULES,
    ),
    faulted(
        "rules: it raises what nobody knows",
        analyze(record(kind=(0, 4)), must_fail("(call $raise (i32.const 512))"), uses=("raise",), more=DATA, rule=True),
        Reason.OUTPUT,
        "raise was refused: BAD_VALUE",
        asks=RULES,
    ),
    faulted("rules: it traps", analyze("unreachable", rule=True), Reason.TRAP, "unreachable", asks=RULES),
)
CASES = (*GARBAGE, *FLOODS, *RULINGS)
