"""The host functions, called as a guest calls them."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.errors import ModelError, ModuleError
from camera_edge.observation import Box, Score
from camera_edge.sandbox import Analyzer, Answer, Grants, LogLine, Metric, Services
from camera_edge.sandbox.manifest import Limits
from camera_edge.sandbox.status import Status

Start = Callable[..., Analyzer]
Look = Callable[..., Answer | None]

SCORE = '(import "camera_edge" "score" (func $score (param f64) (result i32)))'


def calling(function: str, *expressions: str, more: str = "") -> str:
    """A guest that imports `function` and reports what each expression, an i32, gives, as scores of the frame."""
    reports = " ".join(f"(drop (call $score (f64.convert_i32_s {expression})))" for expression in expressions)
    return f"""{SCORE} (import "camera_edge" {function}) {more}
      (func (export "analyze") (param $s i32) (result i32) {reports} (i32.const 0))"""


def values(answer: Answer | None) -> list[float]:
    assert answer is not None
    return [score.value for score in answer.scores]


TEXT = '"param_text" (func $text (param i32 i32 i32 i32) (result i32))'


@pytest.mark.parametrize(
    ("params", "room", "told"),
    [
        ({"label": "grün"}, 16, (5, "grün".encode())),
        ({"label": "grün"}, 2, (5, b"gr")),
        ({"label": "grün"}, 0, (5, b"")),
        ({"label": 0.25}, 16, (4, b"0.25")),
        ({"label": 60}, 16, (2, b"60")),
        ({"label": ""}, 16, (0, b"")),
        ({}, 16, (Status.NOT_FOUND, b"")),
    ],
)
def test_a_text_is_cut_to_the_room_and_its_full_length_returned(
    analyzer: Start, look: Look, params: dict[str, str | float], room: int, told: tuple[int, bytes]
) -> None:
    length, written = told
    asked = f"(call $text (i32.const 0) (i32.const 5) (i32.const 16) (i32.const {room}))"
    read = [f"(i32.load8_u (i32.const {16 + i}))" for i in range(6)]
    guest = analyzer(calling(TEXT, asked, *read, more='(data (i32.const 0) "label")'), grants=Grants(params=params))
    assert values(look(guest)) == [length, *written, *bytes(6 - len(written))]


@pytest.mark.parametrize(
    ("pointer", "length", "status"),
    [
        ("131070", 5, Status.BAD_POINTER),
        ("-1", 1, Status.BAD_POINTER),
        ("0", -1, Status.TOO_LARGE),
        ("0", 257, Status.TOO_LARGE),
        ("8", 1, Status.BAD_VALUE),
    ],
)
def test_a_name_that_lies_elsewhere_or_is_no_text_is_refused(
    analyzer: Start, look: Look, pointer: str, length: int, status: Status
) -> None:
    asked = f"(call $text (i32.const {pointer}) (i32.const {length}) (i32.const 16) (i32.const 8))"
    # the ring is laid behind the guest's two pages, so the end of these is not the end of its memory
    body = calling(TEXT, asked.replace("131070", "458750"), more=r'(data (i32.const 8) "\ff")')
    assert values(look(analyzer(body))) == [status]


def test_a_number_falls_back_to_the_guest_s_default(analyzer: Start, look: Look) -> None:
    ask = "(i32.trunc_f64_s (call $number (i32.const {at}) (i32.const {length}) (f64.const {default})))"
    guest = analyzer(
        calling(
            '"param_number" (func $number (param i32 i32 f64) (result f64))',
            ask.format(at=0, length=3, default=1),
            ask.format(at=3, length=4, default=2),
            ask.format(at=7, length=4, default=3),
            ask.format(at=-1, length=4, default=4),
            more='(data (i32.const 0) "onetextnone")',
        ),
        grants=Grants(params={"one": 11, "text": "12"}),
    )
    assert values(look(guest)) == [11, 2, 3, 4]


def test_the_defaults_of_the_manifest_hold_where_the_operator_says_nothing(analyzer: Start, look: Look) -> None:
    body = calling(
        '"param_number" (func $number (param i32 i32 f64) (result f64))',
        "(i32.trunc_f64_s (call $number (i32.const 0) (i32.const 1) (f64.const 9)))",
        "(i32.trunc_f64_s (call $number (i32.const 1) (i32.const 1) (f64.const 9)))",
        more='(data (i32.const 0) "ab")',
    )
    guest = analyzer(body, params={"a": 1, "b": 2}, grants=Grants(params={"b": 7}))
    assert values(look(guest)) == [1, 7]


def test_a_parameter_that_the_manifest_does_not_name_is_refused(analyzer: Start) -> None:
    with pytest.raises(ModuleError, match="guest has no parameter 'c'") as caught:
        analyzer("", params={"a": 1, "b": "x"}, grants=Grants(params={"c": 7}))
    assert caught.value.hint == "it has a, b"
    with pytest.raises(ModuleError, match="parameter 'b' of guest is 7") as caught:
        analyzer("", params={"a": 1, "b": "x"}, grants=Grants(params={"b": 7}))
    analyzer("", params={"a": 1}, grants=Grants(params={"model": "m", "model.width": 4}))


EMIT = '"emit" (func $emit (param i32) (result i32))'


def emitting(attributes: str) -> str:
    escaped = "".join(f"\\{byte:02x}" for byte in attributes.encode("utf-8", "surrogateescape"))
    length = len(attributes.encode("utf-8", "surrogateescape"))
    kind = r"\20\00\00\00\05\00\00\00\00\00\00\3f\ff\ff\ff\ff"
    where = rf"\00\01\00\00\{length & 255:02x}\{length >> 8:02x}\00\00"
    record = kind + r"\00\00\00\00" * 4 + where
    data = f'(data (i32.const 100) "{record}") (data (i32.const 32) "thing") (data (i32.const 256) "{escaped}")'
    return calling(EMIT, "(call $emit (i32.const 100))", more=data)


def test_attributes_are_read_from_json(analyzer: Start, look: Look) -> None:
    answer = look(analyzer(emitting('{"class": "bus", "area": 12, "part": 0.5, "new": true}')))
    assert answer is not None
    assert answer.observations[0].attributes == {"class": "bus", "area": 12, "part": 0.5, "new": True}
    assert answer.observations[0].track == -1


@pytest.mark.parametrize(
    "attributes",
    [
        "{",
        "[1]",
        "3",
        '{"a": null}',
        '{"a": [1]}',
        '{"a": {"b": 1}}',
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"a": "\udcff"}',
        '{"a": "' + "x" * 4096 + '"}',
        '{"a": ' + "9" * 400 + "}",
        "{" + ",".join(f'"{n}": 1' for n in range(65)) + "}",
    ],
)
def test_attributes_that_are_no_flat_json_object_cost_the_frame_its_answer(
    analyzer: Start, look: Look, attributes: str
) -> None:
    guest = analyzer(emitting(attributes))
    assert look(guest) is None
    assert guest.last_fault is not None and "emit was refused" in guest.last_fault


MASK = '"mask" (func $mask (param i32 i32 i32 i32) (result i32))'


def test_a_mask_comes_out_as_the_guest_s_bytes(analyzer: Start, look: Look) -> None:
    call = "(call $mask (i32.const 8) (i32.const 6) (i32.const 3) (i32.const 2))"
    answer = look(analyzer(calling(MASK, call, more=r'(data (i32.const 8) "\00\01\02\ff\00\05")')))
    assert answer is not None and answer.mask is not None
    assert answer.mask.analyzer == "guest"
    assert answer.mask.pixels.tolist() == [[0, 1, 2], [255, 0, 5]]


@pytest.mark.parametrize(
    ("length", "width", "height"), [(2048, 65, 32), (66 * 32, 66, 32), (7, 3, 2), (0, 0, 0), (1, -1, -1)]
)
def test_a_mask_of_another_size_costs_the_frame_its_answer(
    analyzer: Start, look: Look, length: int, width: int, height: int
) -> None:
    call = f"(call $mask (i32.const 0) (i32.const {length}) (i32.const {width}) (i32.const {height}))"
    guest = analyzer(calling(MASK, call))
    assert look(guest) is None
    assert guest.last_fault is not None and "mask was refused: BAD_VALUE" in guest.last_fault


def test_a_mask_outside_of_memory_costs_the_frame_its_answer(analyzer: Start, look: Look) -> None:
    guest = analyzer(calling(MASK, "(call $mask (i32.const -4) (i32.const 6) (i32.const 3) (i32.const 2))"))
    assert look(guest) is None
    assert guest.last_fault is not None and "mask was refused: BAD_POINTER" in guest.last_fault


def test_scores_carry_their_lag(analyzer: Start, look: Look) -> None:
    call = "(call $at (i32.const 3) (f64.const 0.5))"
    answer = look(analyzer(calling('"score_at" (func $at (param i32 f64) (result i32))', call)))
    assert answer is not None
    assert answer.scores == (Score("guest", 0.5, 3), Score("guest", 0.0, 0))


@pytest.mark.parametrize("call", ["(i32.const 0) (f64.const nan)", "(i32.const -1) (f64.const 1)"])
def test_a_score_that_is_no_number_costs_the_frame_its_answer(analyzer: Start, look: Look, call: str) -> None:
    guest = analyzer(calling('"score_at" (func $at (param i32 f64) (result i32))', f"(call $at {call})"))
    assert look(guest) is None
    assert guest.last_fault is not None and "score_at was refused: BAD_VALUE" in guest.last_fault


def test_outputs_outside_of_a_frame_are_refused_and_change_nothing(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        calling(
            EMIT,
            "(i32.load (i32.const 0))",
            more="""(func (export "open") (result i32)
              (i32.store (i32.const 0) (call $score (f64.const 1))) (i32.const 0))""",
        )
    )
    assert values(look(guest)) == [Status.NOT_NOW]


LOG = '"log" (func $log (param i32 i32 i32) (result i32))'


def test_log_lines_come_with_the_answer_harmless_and_cut(analyzer: Start, look: Look) -> None:
    data = r'(data (i32.const 0) "up \1b[31m\0a\ff") (data (i32.const 100) "z")'
    fill = """(func (export "open") (result i32)
      (memory.fill (i32.const 100) (i32.const 122) (i32.const 2000)) (i32.const 0))"""
    guest = analyzer(
        calling(
            LOG,
            "(call $log (i32.const 2) (i32.const 0) (i32.const 10))",
            "(call $log (i32.const 0) (i32.const 100) (i32.const 2000))",
            "(call $log (i32.const 4) (i32.const 0) (i32.const 1))",
            "(call $log (i32.const 1) (i32.const -1) (i32.const 1))",
            more=data + fill,
        )
    )
    answer = look(guest)
    assert values(answer) == [0, 0, Status.BAD_VALUE, Status.BAD_POINTER]
    assert answer is not None
    assert answer.logs == (LogLine(2, "up \ufffd[31m\ufffd\ufffd"), LogLine(0, "z" * 1024))


def test_log_lines_are_limited_by_the_second_of_media_time(analyzer: Start, look: Look) -> None:
    guest = analyzer(calling(LOG, *["(call $log (i32.const 1) (i32.const 0) (i32.const 1))"] * 40))
    kept = []
    for media_us in (0, 999_999, 1_000_000, 1_999_999):
        answer = look(guest, media_us=media_us)
        assert answer is not None
        kept.append(len(answer.logs))
    assert kept == [40, 24, 40, 24]


def test_metrics_come_with_the_answer(analyzer: Start, look: Look) -> None:
    metric = "(call $metric (i32.const {at}) (i32.const {length}) (f64.const {value}))"
    guest = analyzer(
        calling(
            '"metric" (func $metric (param i32 i32 f64) (result i32))',
            metric.format(at=0, length=5, value=2.5),
            metric.format(at=0, length=6, value=1),
            metric.format(at=0, length=5, value="inf"),
            metric.format(at=0, length=65, value=1),
            more='(data (i32.const 0) "gain_{")',
        )
    )
    answer = look(guest)
    assert answer is not None
    assert answer.metrics == (Metric("gain_", 2.5),)
    assert values(answer) == [0, Status.BAD_VALUE, Status.BAD_VALUE, Status.TOO_LARGE]


STORE = """(import "camera_edge" "state_put" (func $put (param i32 i32 i32) (result i32)))"""
GET = '"state_get" (func $get (param i32 i32 i32) (result i32))'


def test_the_state_store_is_bounded_and_outlives_the_instance(analyzer: Start, look: Look) -> None:
    body = f"""{SCORE} {STORE} (import "camera_edge" {GET}) (data (i32.const 0) "abcdefgh")
      (func $say (param i32) (drop (call $score (f64.convert_i32_s (local.get 0)))))
      (func (export "analyze") (param i32) (result i32)
        (call $say (call $get (i32.const 0) (i32.const 64) (i32.const 100)))
        (call $say (call $put (i32.const 4) (i32.const 0) (i32.const 4)))
        (call $say (call $put (i32.const 5) (i32.const 0) (i32.const 4)))
        (call $say (call $put (i32.const -1) (i32.const 0) (i32.const 4)))
        (call $say (call $put (i32.const 0) (i32.const -1) (i32.const 4)))
        (call $say (call $get (i32.const 6) (i32.const 64) (i32.const 100)))
        (call $say (i32.load8_u (i32.const 65)))
        (call $say (call $get (i32.const 99) (i32.const 64) (i32.const 100)))
        (i32.const 0))"""
    guest = analyzer(body, asks=("pixels", "state:8"), grants=Grants(state=b"xy"))
    expected = [0, Status.TOO_LARGE, Status.TOO_LARGE, Status.BAD_POINTER, 2, ord("d"), 0]
    assert values(look(guest)) == [2, *expected]
    assert guest.state == b"xy\0\0abcd"
    guest.sleep()
    assert values(look(guest)) == [8, *expected]


def test_a_state_larger_than_its_store_is_refused(analyzer: Start) -> None:
    with pytest.raises(ModuleError, match="a state of 9 bytes is too large"):
        analyzer("", asks=("pixels", "state:8"), grants=Grants(state=bytes(9)))


INFER = '"infer" (func $infer (param i32 i32 f32 f32 f32 f32 i32 i32) (result i32))'


def inferring(model: str, region: str = "0.25 0.5 0.5 0.5", out: int = 64, room: int = 4) -> str:
    floats = " ".join(f"(f32.const {number})" for number in region.split())
    call = f"(call $infer (i32.const 0) (i32.const {len(model)}) {floats} (i32.const {out}) (i32.const {room}))"
    read = "(i32.trunc_f32_s (f32.load (i32.const 68)))"
    return calling(INFER, call, read, more=f'(data (i32.const 0) "{model}")')


ASKS = ("pixels", "onnx:*")
GIVEN = Grants(params={"model": "tiny"})


REGIONS = '"regions" (func $regions (param i32 i32) (result i32))'
BOXES = [Box(0.25, 0.5, 0.125, 0.0625), Box(0.5, 0, 0.25, 1)]


@pytest.mark.parametrize(
    ("room", "address", "told"),
    [
        (8, 64, [2, 256, 512]),
        (1, 64, [2, 256, 0]),
        (0, 64, [2, 0, 0]),
        (-1, 64, [2, 256, 512]),
        (2, -16, [Status.BAD_POINTER, 0, 0]),
    ],
)
def test_regions_are_written_as_far_as_there_is_room(
    analyzer: Start, look: Look, room: int, address: int, told: list[float]
) -> None:
    call = f"(call $regions (i32.const {address}) (i32.const {room}))"
    # the left edges of the first and of the second, in 1024ths
    read = [f"(i32.trunc_f32_s (f32.mul (f32.load (i32.const {at})) (f32.const 1024)))" for at in (64, 80)]
    guest = analyzer(calling(REGIONS, call, *read), services=Services(regions=lambda: BOXES))
    assert values(look(guest)) == told


@pytest.mark.parametrize(
    ("services", "status"),
    [
        (Services(), Status.NOT_FOUND),
        (Services(regions=lambda: None), Status.FAILED),
        (Services(regions=lambda: ()), Status.OK),
    ],
)
def test_nothing_seen_no_answer_and_nobody_to_ask_differ(
    analyzer: Start, look: Look, services: Services, status: Status
) -> None:
    call = "(call $regions (i32.const 64) (i32.const 8))"
    assert values(look(analyzer(calling(REGIONS, call), services=services))) == [status]


def ones(_model: str, _region: Box) -> NDArray[np.float32]:
    return np.ones(3, np.float32)


def test_infer_gives_all_outputs_for_the_region_that_was_asked_for(analyzer: Start, look: Look) -> None:
    asked: list[tuple[str, Box]] = []

    def infer(model: str, region: Box) -> NDArray[np.float32]:
        asked.append((model, region))
        return np.array([7.5, 8.5, 9.5], np.float32)

    guest = analyzer(inferring("tiny"), asks=ASKS, grants=GIVEN, services=Services(infer))
    assert values(look(guest)) == [3, 8]
    assert asked == [("tiny", Box(0.25, 0.5, 0.5, 0.5))]


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (np.arange(6, dtype=np.float32)[::2], [3, 2]),
        (np.arange(6, dtype=np.float32).reshape(2, 3).T[:2, :], [4, 3]),
        (np.arange(3, dtype=">f4"), [3, 1]),
        (np.empty((0, 4), np.float32), [0, 0]),
    ],
    ids=["strided", "transposed", "big-endian", "empty"],
)
def test_infer_gives_outputs_however_they_lie_in_the_hosts_memory(
    outputs: NDArray[np.float32], expected: list[float], analyzer: Start, look: Look
) -> None:
    def infer(_model: str, _region: Box) -> NDArray[np.float32]:
        return outputs

    guest = analyzer(inferring("tiny"), asks=ASKS, grants=GIVEN, services=Services(infer))
    assert values(look(guest)) == expected


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (inferring("other"), Status.NOT_GRANTED),
        (inferring("tiny", region="0.5 0 0.6 1"), Status.BAD_VALUE),
        (inferring("tiny", region="nan 0 1 1"), Status.BAD_VALUE),
        (inferring("tiny", room=2), Status.TOO_LARGE),
        (inferring("tiny", out=-8), Status.BAD_POINTER),
        (inferring("tiny", room=1 << 30), Status.BAD_POINTER),
    ],
)
def test_what_infer_cannot_do_is_a_status_and_nothing_is_written(
    analyzer: Start, look: Look, body: str, status: Status
) -> None:
    assert values(look(analyzer(body, asks=ASKS, grants=GIVEN, services=Services(ones)))) == [status, 0]


def test_a_model_that_fails_is_a_status(analyzer: Start, look: Look, caplog: pytest.LogCaptureFixture) -> None:
    def infer(_model: str, _region: Box) -> NDArray[np.float32]:
        raise ModelError("the model is damaged")

    guest = analyzer(inferring("tiny"), asks=ASKS, grants=GIVEN, services=Services(infer))
    assert values(look(guest)) == [Status.FAILED, 0]
    assert values(look(guest)) == [Status.FAILED, 0]
    # once: a guest decides how often it calls
    assert caplog.text.count("the model is damaged") == 1
    assert [(call.result, call.count) for call in guest.counters.host_calls if call.function == "infer"] == [
        ("FAILED", 2)
    ]


def test_a_defect_of_the_host_is_a_status_and_logged(
    analyzer: Start, look: Look, caplog: pytest.LogCaptureFixture
) -> None:
    def infer(_model: str, _region: Box) -> NDArray[np.float32]:
        raise RuntimeError("a defect")

    guest = analyzer(inferring("tiny"), asks=ASKS, grants=GIVEN, services=Services(infer))
    with caplog.at_level(logging.ERROR):
        assert values(look(guest)) == [Status.INTERNAL, 0]
    assert "host function failed analyzer=guest name=infer" in caplog.text
    assert values(look(guest)) == [Status.INTERNAL, 0]
    assert guest.counters.restarts == 0


def test_no_more_models_are_run_in_a_frame_than_is_decent(analyzer: Start, look: Look) -> None:
    asked: list[str] = []

    def infer(model: str, _region: Box) -> NDArray[np.float32]:
        asked.append(model)
        return np.ones(3, np.float32)

    one = "(f32.const 0) (f32.const 0) (f32.const 1) (f32.const 1)"
    call = f"(call $infer (i32.const 0) (i32.const 4) {one} (i32.const 64) (i32.const 4))"
    guest = analyzer(
        calling(INFER, *[f"(i32.add {call} (i32.add {call} {call}))"] * 22, more='(data (i32.const 0) "tiny")'),
        asks=ASKS,
        grants=GIVEN,
        services=Services(infer),
    )
    for frames in (1, 2):
        told = values(look(guest))
        assert told == [9.0] * 21 + [3 + 2 * Status.TOO_MANY]
        assert len(asked) == 64 * frames


def test_each_instance_may_run_models_before_its_first_frame(analyzer: Start) -> None:
    compute = """(import "wasi_ephemeral_nn" "compute" (func $compute (param i32) (result i32)))
      (func (export "open") (result i32) (local $i i32)
        (loop $each (drop (call $compute (i32.const 0)))
          (br_if $each (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 60))))
        (i32.const 0))"""
    guest = analyzer(compute, asks=ASKS, grants=GIVEN, services=Services(ones, lambda _name: pytest.fail("unasked")))
    for _ in range(3):
        guest.sleep()
        guest.wake()
    assert {call.result for call in guest.counters.host_calls} == {"INVALID_ARGUMENT"}


def test_an_interruption_in_the_middle_of_a_host_call_is_not_lost(analyzer: Start, look: Look) -> None:
    def infer(_model: str, _region: Box) -> NDArray[np.float32]:
        raise KeyboardInterrupt

    guest = analyzer(inferring("tiny"), asks=ASKS, grants=GIVEN, services=Services(infer))
    with pytest.raises(KeyboardInterrupt):
        look(guest)


def test_calls_are_counted_by_function_and_result(analyzer: Start, look: Look) -> None:
    guest = analyzer(inferring("other"), asks=ASKS, grants=GIVEN, services=Services(ones))
    look(guest)
    counted = {(call.function, call.result): call.count for call in guest.counters.host_calls}
    assert counted == {("infer", "NOT_GRANTED"): 1, ("score", "OK"): 2}


def test_a_call_is_paid_before_it_is_answered(analyzer: Start, look: Look) -> None:
    asked: list[str] = []

    def infer(model: str, _region: Box) -> NDArray[np.float32]:
        asked.append(model)
        return np.ones(3, np.float32)

    guest = analyzer(
        inferring("tiny"), asks=ASKS, grants=GIVEN, services=Services(infer), limits=Limits(fuel_per_frame=999_999)
    )
    assert look(guest) is None
    assert guest.last_fault == "guest: frame 0: analyze trapped: out of fuel"
    assert (asked, guest.counters.host_calls) == ([], ())


@pytest.mark.parametrize(
    ("expression", "fuel"),
    [
        ("(call $get (i32.const 0) (i32.const 64) (i32.const 4096))", 10_000 + 4096),
        ("(call $get (i32.const 0) (i32.const 64) (i32.const -1))", 10_000 + 4096),
        ("(call $get (i32.const 4000) (i32.const 64) (i32.const 4096))", 10_000 + 96),
        ("(call $get (i32.const 4096) (i32.const 64) (i32.const 4096))", 10_000),
        ("(call $get (i32.const 0) (i32.const -1) (i32.const 4096))", 10_000),
    ],
)
def test_a_call_costs_what_it_copies(analyzer: Start, look: Look, expression: str, fuel: int) -> None:
    def used(body: str) -> int:
        guest = analyzer(body, asks=("pixels", "state:4096"), grants=Grants(state=bytes(4096)))
        assert look(guest) is not None
        return guest.counters.fuel

    instructions = 4
    assert used(calling(GET, expression)) - used(calling(GET, "(i32.const 0)")) == fuel + instructions - 1


def test_attributes_cost_more_than_what_is_only_copied(analyzer: Start, look: Look) -> None:
    def used(attributes: str) -> int:
        guest = analyzer(emitting(attributes))
        assert look(guest) is not None
        return guest.counters.fuel

    assert used('{"a": 1234567890}') - used('{"a": 1}') == 9 * 10
