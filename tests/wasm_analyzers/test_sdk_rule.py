"""Rule modules written with each SDK: what they are told, what they say, and the worked example."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from camera_edge.errors import ModuleError
from camera_edge.event import Event
from camera_edge.observation import AttributeValue, Box, Observation
from camera_edge.sandbox import (
    Batch,
    Cache,
    EventNow,
    Grants,
    Phase,
    RuleModule,
    Runtime,
    Sighting,
    load_module,
)
from camera_edge.toolchain import Language
from tests.guests import SDK, compiled

ECHO = Path(__file__).parent / "echo"
ZONES = ("yard", "platform", "dock")
MONDAY_8, FRIDAY_23, SUNDAY_8 = 8 * 60, (4 * 24 + 23) * 60, (6 * 24 + 8) * 60


def f32(number: float) -> float:
    return float(np.float32(number))


@contextmanager
def ruling(wasm: Path, cache: Path, **params: str | float) -> Iterator[RuleModule]:
    module = load_module(wasm)
    grants = Grants(module.manifest.grant_all(params), {**params, "camera.zones": "\n".join(ZONES)})
    with RuleModule(Runtime().load(module, Cache(cache)), grants) as rule:
        yield rule


def sighting(kind: str, zones: tuple[str, ...], score: float = 0.5, **attributes: AttributeValue) -> Sighting:
    box = Box(f32(0.1), f32(0.2), f32(0.3), f32(0.4))
    return Sighting(Observation("objects", kind, f32(score), box, 7, attributes), zones)


@pytest.mark.parametrize("language", list(Language), ids=lambda language: language.value)
def test_a_rule_module_reads_every_field_and_its_rulings_arrive(language: Language, tmp_path: Path) -> None:
    seen = (sighting("person", ("yard", "dock"), 0.75, name='J\u00fcrgen "J"', sure=True), sighting("vehicle", ()))
    event = Event("e1", "front", "gate", "person", "objects", f32(0.5), 3, 40_000_000_000, None, ("platform",))
    events = (
        EventNow(Phase.GOES_ON, event),
        EventNow(Phase.OPENS, Event("", "front", "unwanted", "cat", "pets", 0.5, 4, 2)),
        EventNow(Phase.CHANGED, event),
        EventNow(Phase.CLOSES, Event("e4", "front", "unwanted", "dog", "pets", 0.5, 4, 2, 41_000_000_000, ZONES)),
    )
    batch = Batch(9, 41_000_000_000, 1_795_000_000_000_000, 10_079, ZONES, seen, events)
    with ruling(compiled(ECHO / language.value, tmp_path / "module"), tmp_path / "compiled") as rule:
        said = rule.observe(batch)
        assert said is not None, rule.last_fault
        # what was said is not said again
        empty = rule.observe(Batch(10, 0, 0, -1))
    assert [line.text for line in said.logs] == [
        "batch 9 41000000000 1795000000000000 10080 0",
        "seen objects person 5",
        "seen objects vehicle 0",
        "event 0 e1 gate person objects 40000000000 0 2",
        "event 1  unwanted cat pets 2 0 0",
        "event 2 e1 gate person objects 40000000000 0 2",
        "event 3 e4 unwanted dog pets 2 41000000001 7",
    ]
    originals = [each.observation for each in seen]
    assert said.raised == tuple(
        Observation("echo", "echo", one.score, one.box, one.track, one.attributes) for one in originals
    )
    assert said.vetoed == {1, 3}
    assert [(each.event, each.kind, each.score) for each in said.relabelled] == [
        (1, "renamed", 0.25),
        (2, "renamed", None),
    ]
    assert empty is not None and [line.text for line in empty.logs] == ["batch 10 0 0 0 0"]
    assert (empty.raised, empty.vetoed, empty.relabelled) == ((), frozenset(), ())


@pytest.fixture(scope="module")
def person_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(SDK / "c" / "example_rule", tmp_path_factory.mktemp("person_alone"))


PERSON = sighting("person", ("platform",), 0.5)
BETTER = sighting("person", ("platform", "dock"), 0.75)
FORKLIFT = sighting("vehicle", ("dock",), 0.5, colour="class", **{"class": "forklift"})
OTHER_VEHICLE = sighting("vehicle", ("dock",), 0.5, forklift="class", **{"class": "car"})


@pytest.mark.parametrize(
    ("week_minute", "seen", "score"),
    [
        (MONDAY_8, (PERSON,), 0.5),
        (MONDAY_8, (PERSON, BETTER), 0.75),
        (MONDAY_8, (sighting("person", ("yard",)),), None),
        (MONDAY_8, (PERSON, FORKLIFT), None),
        (MONDAY_8, (PERSON, sighting("forklift", ("dock",))), None),
        (MONDAY_8, (PERSON, sighting("forklift", ("yard",))), 0.5),
        (MONDAY_8, (PERSON, OTHER_VEHICLE), 0.5),
        (FRIDAY_23, (PERSON,), None),
        (SUNDAY_8, (PERSON,), None),
        (-1, (PERSON,), 0.5),
        (MONDAY_8, (), None),
    ],
)
def test_a_person_is_alone_where_no_forklift_is_near_on_a_weekday(
    person_alone: Path, tmp_path: Path, week_minute: int, seen: tuple[Sighting, ...], score: float | None
) -> None:
    with ruling(person_alone, tmp_path / "compiled") as rule:
        said = rule.observe(Batch(1, 0, 0, week_minute, ZONES, seen))
    assert said is not None
    assert [each.score for each in said.raised] == ([] if score is None else [score])
    assert all(each.kind == "person_alone" and each.track == 7 for each in said.raised)


def test_hours_that_wrap_midnight_are_the_night(person_alone: Path, tmp_path: Path) -> None:
    with ruling(person_alone, tmp_path / "compiled", from_hour=22, to_hour=6) as rule:
        raised = []
        for week_minute in (FRIDAY_23, MONDAY_8):
            said = rule.observe(Batch(1, 0, 0, week_minute, ZONES, (PERSON,)))
            assert said is not None
            raised.append(len(said.raised))
    assert raised == [1, 0]


def test_a_zone_that_the_camera_does_not_have_refuses_the_start(person_alone: Path, tmp_path: Path) -> None:
    rule = ruling(person_alone, tmp_path / "compiled", zone_b="nowhere")
    with pytest.raises(ModuleError, match="zone_b is not a zone of this camera"), rule:
        pass
