"""Rule modules: what they read in a batch, and what becomes of what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from camera_edge.errors import ModuleError
from camera_edge.event import Event
from camera_edge.observation import Box, Observation
from camera_edge.sandbox import (
    Analyzer,
    Batch,
    EventNow,
    Grants,
    Phase,
    Policy,
    Reason,
    Relabel,
    RuleModule,
    Ruling,
    Sighting,
)
from camera_edge.sandbox.batch import INBOX_BYTES
from camera_edge.sandbox.manifest import Limits
from camera_edge.sandbox.status import Status

Start = Callable[..., RuleModule]

METRIC = '(import "camera_edge" "metric" (func $metric (param i32 i32 f64) (result i32)))'
LOG = '(import "camera_edge" "log" (func $log (param i32 i32 i32) (result i32)))'
RAISE = '(import "camera_edge" "raise" (func $raise (param i32) (result i32)))'
VETO = '(import "camera_edge" "veto" (func $veto (param i32) (result i32)))'
RELABEL = '(import "camera_edge" "relabel" (func $relabel (param i32 i32 i32 f32) (result i32)))'
SAY = """(data (i32.const 0) "m")
  (func $say (param f64) (drop (call $metric (i32.const 0) (i32.const 1) (local.get 0))))
  (func $int (param i32) (call $say (f64.convert_i32_s (local.get 0))))
  (func $long (param i64) (call $say (f64.convert_i64_s (local.get 0))))
  (func $real (param f32) (call $say (f64.promote_f32 (local.get 0))))"""
# the text whose pointer and length lie at an address
TEXT = """(func $text (param $at i32)
  (drop (call $log (i32.const 1) (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)))))"""


def observing(*statements: str, imports: str = "", more: str = "") -> str:
    """A rule module that does this with the batch at `$b`, which has `$n` bytes."""
    return f"""{METRIC} {LOG} {imports} {SAY} {TEXT} {more}
      (func (export "observe") (param $b i32) (param $n i32) (result i32) (local $at i32)
        {" ".join(statements)} (i32.const 0))"""


def seen(kind: str = "person", **more: object) -> Sighting:
    settings: dict[str, object] = {"score": 0.5, "box": Box(0.125, 0.25, 0.5, 0.75), "track": 7, **more}
    zones = settings.pop("zones", ())
    observation = Observation("objects", kind, **settings)  # type: ignore[arg-type]
    return Sighting(observation, zones)  # type: ignore[arg-type]


def event(kind: str = "person", **more: object) -> Event:
    settings = {"id": "e1", "camera": "yard", "rule": "people", "analyzer": "objects", "score": 0.75, **more}
    return Event(kind=kind, best_frame=3, opened_us=2_000_000, **settings)  # type: ignore[arg-type]


def batch(sightings: Sequence[Sighting] = (), events: Sequence[EventNow] = (), sequence: int = 9) -> Batch:
    zones = ("gate", "yard", "road")
    return Batch(sequence, 480_000, 1_700_000_000_000_000, 600, zones, sightings, events)


GOING_ON = EventNow(Phase.GOES_ON, event())


def said(ruling: Ruling | None) -> Ruling:
    assert ruling is not None
    return ruling


def metrics(ruling: Ruling | None) -> list[float]:
    return [metric.value for metric in said(ruling).metrics]


def texts(ruling: Ruling | None) -> list[str]:
    return [line.text for line in said(ruling).logs]


def faults(module: RuleModule) -> dict[Reason, int]:
    return {fault.reason: fault.count for fault in module.counters.faults}


def test_a_module_reads_the_header_of_a_batch(rule_module: Start) -> None:
    module = rule_module(
        observing(
            *[f"(call $int (i32.load offset={at} (local.get $b)))" for at in (0, 4, 32, 36, 40, 44, 48, 52, 56, 60)],
            *[f"(call $long (i64.load offset={at} (local.get $b)))" for at in (8, 16, 24)],
            "(call $int (i32.and (local.get $b) (i32.const 65535)))",
        )
    )
    told = batch([seen(), seen()], [GOING_ON])
    assert metrics(module.observe(told)) == [
        *(1, 2, 600, 64, 1, 64 + 2 * 64, 0, 0, 0, 0),
        *(9, 480_000, 1_700_000_000_000_000),
        0,
    ]


def test_a_module_reads_an_observation(rule_module: Start) -> None:
    module = rule_module(
        observing(
            "(local.set $at (i32.add (local.get $b) (i32.add (i32.const 64) (i32.load offset=36 (local.get $b)))))",
            "(call $text (local.get $at)) (call $text (i32.add (local.get $at) (i32.const 8)))",
            "(call $text (i32.add (local.get $at) (i32.const 44)))",
            *[f"(call $real (f32.load offset={at} (local.get $at)))" for at in (16, 24, 28, 32, 36)],
            *[f"(call $int (i32.load offset={at} (local.get $at)))" for at in (20, 40, 52, 56, 60)],
        )
    )
    first, second = seen("dog"), seen(zones=("yard", "road"), attributes={"class": "bus", "new": True})
    ruling = module.observe(batch([first, second]))
    assert texts(ruling) == ["objects", "person", '{"class":"bus","new":true}']
    assert metrics(ruling) == [0.5, 0.125, 0.25, 0.5, 0.75, 7, 0b110, 0, 0, 0]


def test_an_observation_without_attributes_has_none(rule_module: Start) -> None:
    module = rule_module(observing(f"(call $int (i32.load offset={64 + 48} (local.get $b)))"))
    assert metrics(module.observe(batch([seen()]))) == [0]


def test_a_module_reads_an_event(rule_module: Start) -> None:
    module = rule_module(
        observing(
            "(local.set $at (i32.add (local.get $b) (i32.load offset=44 (local.get $b))))",
            *[f"(call $text (i32.add (local.get $at) (i32.const {at})))" for at in (4, 12, 20, 28)],
            "(call $real (f32.load offset=36 (local.get $at)))",
            *[f"(call $long (i64.load offset={at} (local.get $at)))" for at in (40, 48)],
            *[f"(call $int (i32.load offset={at} (local.get $at)))" for at in (0, 56, 60, 64, 68, 72, 76)],
        )
    )
    closed = EventNow(Phase.CLOSES, event(closed_us=4_000_000, zones=("gate",)))
    ruling = module.observe(batch([seen()], [closed, GOING_ON]))
    assert texts(ruling) == ["e1", "people", "person", "objects"]
    assert metrics(ruling) == [0.75, 2_000_000, 4_000_000, 3, 0b001, 0, 0, 0, 0, 0]
    assert metrics(module.observe(batch([], [GOING_ON])))[1:4] == [2_000_000, -1, 0]


def test_an_empty_batch_is_a_header(rule_module: Start) -> None:
    module = rule_module(observing("(call $int (local.get $n))"))
    assert metrics(module.observe(batch())) == [64]


def test_what_does_not_fit_is_left_out_from_the_end_and_counted(rule_module: Start) -> None:
    module = rule_module(
        observing(
            *[f"(call $int (i32.load offset={at} (local.get $b)))" for at in (4, 40, 48)],
            "(call $int (local.get $n))",
            "(call $text (i32.add (local.get $b) (i32.const 72)))",
        )
    )
    wide = {"text": "x" * 4000}
    many = [seen("first"), *(seen(attributes=wide) for _ in range(400))]
    ruling = module.observe(batch(many, [GOING_ON] * 3))
    observations, events, left_out, length = metrics(ruling)
    assert (events, observations + left_out) == (3, 401)
    assert 200 < observations < 401
    assert length <= INBOX_BYTES < length + 64 + 5000
    assert texts(ruling) == ["first"]


def test_an_event_that_found_no_room_cannot_be_named(rule_module: Start) -> None:
    many = [EventNow(Phase.GOES_ON, event(id="i" * 20_000)) for _ in range(100)]
    beyond = rule_module(observing("(drop (call $veto (i32.load offset=40 (local.get $b))))", imports=VETO))
    assert beyond.observe(batch([], many)) is None
    assert beyond.last_fault == "guest: frame 9: veto was refused: NOT_FOUND"
    held_last = "(i32.sub (i32.load offset=40 (local.get $b)) (i32.const 1))"
    module = rule_module(
        observing(
            "(call $int (i32.load offset=40 (local.get $b)))", f"(call $int (call $veto {held_last}))", imports=VETO
        )
    )
    ruling = said(module.observe(batch([], many)))
    held, status = metrics(ruling)
    assert 40 < held < 100 and status == 0
    assert ruling.vetoed == {held - 1}


def test_an_observation_fills_no_room_of_the_events(rule_module: Start) -> None:
    module = rule_module(observing("(call $int (i32.load offset=40 (local.get $b)))"))
    wide = [seen(attributes={"text": "x" * 4000})] * 400
    assert metrics(module.observe(batch(wide, [GOING_ON] * 64))) == [64]


def raising(kind: str = "alarm", *, score: str = "0.5", box: str = "0 0 1 1", attributes: str = "") -> str:
    x, y, w, h = box.split()
    escaped = "".join(f"\\{byte:02x}" for byte in attributes.encode())
    return f"""{RAISE} (data (i32.const 64) "{kind}") (data (i32.const 256) "{escaped}")
      (func $fill
        (i32.store offset=100 (i32.const 0) (i32.const 64)) (i32.store offset=104 (i32.const 0) (i32.const {len(kind)}))
        (f32.store offset=108 (i32.const 0) (f32.const {score})) (i32.store offset=112 (i32.const 0) (i32.const -1))
        (f32.store offset=116 (i32.const 0) (f32.const {x})) (f32.store offset=120 (i32.const 0) (f32.const {y}))
        (f32.store offset=124 (i32.const 0) (f32.const {w})) (f32.store offset=128 (i32.const 0) (f32.const {h}))
        (i32.store offset=132 (i32.const 0) (i32.const 256))
        (i32.store offset=136 (i32.const 0) (i32.const {len(attributes.encode())})))
      (func (export "observe") (param i32 i32) (result i32)
        (call $fill) (drop (call $raise (i32.const 100))) (i32.const 0))"""


KINDS = ("alarm", "vehicle")


def test_what_is_raised_comes_out_as_it_was_said(rule_module: Start) -> None:
    module = rule_module(raising(box="0.25 0.5 0.125 0.5", attributes='{"why": "no badge", "n": 2}'), kinds=KINDS)
    (raised,) = said(module.observe(batch())).raised
    assert raised == Observation(
        "guest", "alarm", 0.5, Box(0.25, 0.5, 0.125, 0.5), attributes={"why": "no badge", "n": 2}
    )
    assert (module.counters.calls, module.counters.answers, module.counters.traps) == (1, 1, 0)


@pytest.mark.parametrize(
    "garbage",
    [
        raising("other"),
        raising(score="nan"),
        raising(score="1.5"),
        raising(box="0.5 0 0.6 1"),
        raising(box="0 inf 0 0"),
        raising(attributes="[1]"),
        raising(attributes='{"a": 1e999}'),
        raising("alarm" * 13),
    ],
)
def test_garbage_costs_the_frame_its_ruling(rule_module: Start, garbage: str) -> None:
    module = rule_module(garbage, kinds=KINDS)
    assert module.observe(batch()) is None
    assert faults(module) == {Reason.OUTPUT: 1}
    assert module.last_fault is not None and "raise was refused" in module.last_fault


def test_raised_events_are_cut_at_the_limit_and_counted(rule_module: Start) -> None:
    many = raising().replace("(drop (call $raise (i32.const 100)))", "(drop (call $raise (i32.const 100)))" * 5)
    module = rule_module(many, kinds=KINDS, limits=Limits(observations=3))
    ruling = said(module.observe(batch()))
    assert (len(ruling.raised), ruling.refused, module.counters.refused) == (3, 2, 2)


def test_events_are_vetoed_and_relabelled_by_their_number(rule_module: Start) -> None:
    module = rule_module(
        observing(
            "(call $int (call $veto (i32.const 2)))",
            "(call $int (call $veto (i32.const 2)))",
            "(call $int (call $relabel (i32.const 0) (i32.const 64) (i32.const 7) (f32.const 0.5)))",
            "(call $int (call $relabel (i32.const 1) (i32.const 64) (i32.const 7) (f32.const 0.5)))",
            "(call $int (call $relabel (i32.const 1) (i32.const 71) (i32.const 5) (f32.const -1)))",
            imports=VETO + RELABEL,
            more='(data (i32.const 64) "vehiclealarm")',
        ),
        kinds=KINDS,
    )
    ruling = said(module.observe(batch([], [GOING_ON] * 3)))
    assert metrics(ruling) == [0] * 5
    assert ruling.vetoed == {2}
    assert ruling.relabelled == (Relabel(0, "vehicle", 0.5), Relabel(1, "alarm", None))


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ("veto (i32.const 1)", Status.NOT_FOUND),
        ("veto (i32.const -1)", Status.NOT_FOUND),
        ("relabel (i32.const 1) (i32.const 64) (i32.const 5) (f32.const 0.5)", Status.NOT_FOUND),
        ("relabel (i32.const 0) (i32.const 64) (i32.const 4) (f32.const 0.5)", Status.BAD_VALUE),
        ("relabel (i32.const 0) (i32.const 64) (i32.const 5) (f32.const nan)", Status.BAD_VALUE),
        ("relabel (i32.const 0) (i32.const 64) (i32.const 5) (f32.const 1.5)", Status.BAD_VALUE),
        ("relabel (i32.const 0) (i32.const 64) (i32.const 5) (f32.const -inf)", Status.BAD_VALUE),
        ("relabel (i32.const 0) (i32.const 80) (i32.const 2) (f32.const 0.5)", Status.BAD_VALUE),
        ("relabel (i32.const 0) (i32.const 64) (i32.const 65) (f32.const 0.5)", Status.TOO_LARGE),
        ("relabel (i32.const 0) (i32.const -4) (i32.const 5) (f32.const 0.5)", Status.BAD_POINTER),
    ],
)
def test_what_cannot_be_ruled_is_a_status_and_costs_the_frame_its_ruling(
    rule_module: Start, call: str, status: Status
) -> None:
    data = r'(data (i32.const 64) "alarm") (data (i32.const 80) "\ff\fe")'
    module = rule_module(observing(f"(drop (call ${call}))", imports=VETO + RELABEL, more=data), kinds=KINDS)
    assert module.observe(batch([], [GOING_ON])) is None
    assert module.last_fault is not None
    assert module.last_fault.startswith(f"guest: frame 9: {call.split()[0]} was refused: {status.name}")
    assert {(c.function, c.result) for c in module.counters.host_calls} == {(call.split()[0], status.name)}


def test_nothing_can_be_ruled_outside_of_a_batch(rule_module: Start) -> None:
    module = rule_module(
        observing(
            "(call $int (i32.load offset=8 (i32.const 0)))",
            imports=VETO,
            more="""(func (export "open") (result i32)
              (i32.store offset=8 (i32.const 0) (call $veto (i32.const 0))) (i32.const 0))""",
        )
    )
    assert metrics(module.observe(batch([], [GOING_ON]))) == [Status.NOT_NOW]


@pytest.mark.parametrize(
    "function",
    [
        '"emit" (func (param i32) (result i32))',
        '"score" (func (param f64) (result i32))',
        '"mask" (func (param i32 i32 i32 i32) (result i32))',
        '"infer" (func (param i32 i32 f32 f32 f32 f32 i32 i32) (result i32))',
    ],
)
def test_a_rule_module_is_not_linked_with_what_looks_at_pixels(rule_module: Start, function: str) -> None:
    with pytest.raises(ModuleError, match="which it was not given") as caught:
        rule_module(f'(import "camera_edge" {function})', grants=Grants(frozenset({"observations", "pixels"})))
    assert caught.value.hint is not None and "does not ask for" in caught.value.hint


def test_a_rule_module_without_the_grant_is_not_linked_with_its_outputs(rule_module: Start) -> None:
    with pytest.raises(ModuleError, match=r"imports camera_edge\.veto") as caught:
        rule_module(VETO, grants=Grants(frozenset({"pixels"})))
    assert caught.value.hint == "grant it: analyzers.guest.grant: [observations]"


def test_the_batch_of_the_last_frame_is_not_there_any_more_where_a_new_one_lies(rule_module: Start) -> None:
    module = rule_module(observing("(call $text (i32.add (local.get $b) (i32.const 72)))"))
    assert texts(module.observe(batch([seen("alpha")]))) == ["alpha"]
    assert texts(module.observe(batch([seen("beta")]))) == ["beta"]


def test_one_that_fails_again_and_again_is_quarantined(rule_module: Start) -> None:
    module = rule_module(
        '(func (export "observe") (param i32 i32) (result i32) unreachable)',
        policy=Policy(faults=3, window_frames=10, rest_frames=4),
    )
    assert [module.observe(batch(sequence=n)) for n in range(5)] == [None] * 5
    assert module.quarantined == "3 faults in 10 frames, the last: observe trapped: unreachable"
    assert module.counters.skipped == 2
    assert module.last_fault == "guest: frame 2: observe trapped: unreachable"


def test_a_negative_return_rules_nothing_and_keeps_the_instance(rule_module: Start) -> None:
    module = rule_module(
        f"""{VETO} (func (export "observe") (param i32 i32) (result i32)
          (drop (call $veto (i32.const 0))) (i32.const -2))"""
    )
    assert module.observe(batch([], [GOING_ON])) is None
    assert module.last_fault == "guest: frame 9: observe returned -2"
    assert (faults(module), module.counters.restarts) == ({Reason.ERROR: 1}, 0)


def test_the_inbox_lies_where_the_module_s_own_allocator_puts_it(rule_module: Start) -> None:
    space = '(func (export "camera_edge_ring") (param i32) (result i32) (i32.const 131072))'
    module = rule_module(observing("(call $int (local.get $b))", more=f'(memory (export "memory") 18) {space}'))
    assert metrics(module.observe(batch())) == [131_072]


def test_a_module_without_room_for_the_inbox_does_not_start(rule_module: Start) -> None:
    with pytest.raises(ModuleError, match=r"it has no 1048576 bytes for the inbox"):
        rule_module('(func (export "camera_edge_ring") (param i32) (result i32) (i32.const -1))')


def test_state_outlives_the_instance_and_is_not_shared(rule_module: Start, analyzer: Callable[..., Analyzer]) -> None:
    put = '(import "camera_edge" "state_put" (func $put (param i32 i32 i32) (result i32)))'
    body = f"""{put} (data (i32.const 0) "state")
      (func (export "observe") (param i32 i32) (result i32) (call $put (i32.const 0) (i32.const 0) (i32.const 5)))"""
    first = rule_module(body, asks=("observations", "state:8"))
    second = rule_module(body, asks=("observations", "state:8"))
    first.observe(batch())
    assert (first.state, second.state) == (b"state", b"")
