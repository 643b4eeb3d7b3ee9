"""Rule modules written with each SDK: what they are told, what they say, and the worked example."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
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
    Ruling,
    Runtime,
    Sighting,
    load_module,
)
from camera_edge.sandbox.batch import HEADER, INBOX_BYTES, SIGHTING
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


@pytest.fixture(scope="module", params=list(Language), ids=lambda language: language.value)
def person_alone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The worked example in one language."""
    assert isinstance(request.param, Language)
    return compiled(SDK / request.param.value / "example_rule", tmp_path_factory.mktemp("person_alone"))


@pytest.fixture(scope="module")
def c_person_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(SDK / "c" / "example_rule", tmp_path_factory.mktemp("c_person_alone"))


PERSON = sighting("person", ("platform",), 0.5)
BETTER = sighting("person", ("platform", "dock"), 0.75)
FORKLIFT = sighting("vehicle", ("dock",), 0.5, colour="class", **{"class": "forklift"})
OTHER_VEHICLE = sighting("vehicle", ("dock",), 0.5, forklift="class", **{"class": "car"})

# attributes that a careless reader of JSON takes for a forklift's, or overlooks it in
FORKLIFTS: tuple[dict[str, AttributeValue], ...] = (
    {"note": 'a "class": "car", said \\', "class": "forklift"},
    {"moving": True, "speed": 1.5, "class": "forklift", "colour": "J\u00fcrgen's"},
    {"": "", "class": "forklift"},
    {"load": '19" rack', "class": "forklift"},
)
NO_FORKLIFTS: tuple[dict[str, AttributeValue], ...] = (
    {'a"class': "forklift"},
    {"class": 'forklift"'},
    {"class": "\\forklift"},
    {"class": 4, "forklift": True},
    {"class": 4, "model": "forklift"},
    {"class": "car", "note": '"class":"forklift"'},
    {"subclass": "forklift", "class": "forklift truck"},
)


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
        *((MONDAY_8, (PERSON, sighting("vehicle", ("dock",), 0.5, **said)), None) for said in FORKLIFTS),
        *((MONDAY_8, (PERSON, sighting("vehicle", ("dock",), 0.5, **said)), 0.5) for said in NO_FORKLIFTS),
        (MONDAY_8, (PERSON, sighting("vehicle", ("dock",))), 0.5),
        (6 * 60, (PERSON,), 0.5),
        (6 * 60 - 1, (PERSON,), None),
        (22 * 60 - 1, (PERSON,), 0.5),
        (22 * 60, (PERSON,), None),
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


def test_a_camera_without_zones_refuses_the_start(person_alone: Path, tmp_path: Path) -> None:
    module = load_module(person_alone)
    grants = Grants(module.manifest.grant_all({}), module.manifest.with_defaults({}))
    with (
        pytest.raises(ModuleError, match="zone_a is not a zone of this camera"),
        RuleModule(Runtime().load(module, Cache(tmp_path / "compiled")), grants),
    ):
        pass


def drawn_batches() -> list[Batch]:
    """A week of crowded frames, by a seeded generator: all kinds, zones, scores that tie, and attributes."""
    generator = np.random.default_rng(29)
    classes: Sequence[dict[str, AttributeValue]] = ({}, {"class": "person"}, *FORKLIFTS, *NO_FORKLIFTS)
    batches = []
    for number in range(400):
        seen = []
        for track in range(int(generator.integers(0, 9))):
            zones = tuple(zone for zone in ZONES if generator.random() < 0.4)
            kind = str(generator.choice(("person", "person", "vehicle", "forklift", "persons", "")))
            x, y, w, h = (f32(part) for part in generator.random(4) / 2)
            score = f32(int(generator.integers(1, 5)) / 7)
            attributes = classes[int(generator.integers(len(classes)))]
            seen.append(Sighting(Observation("objects", kind, score, Box(x, y, w, h), track - 1, attributes), zones))
        week_minute = int(generator.integers(-1, 7 * 24 * 60))
        batches.append(Batch(number, number * 200_000, 0, week_minute, ZONES, tuple(seen)))
    return batches


@pytest.fixture(scope="module")
def rule_on(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Ruling | None]]:
    cache = tmp_path_factory.mktemp("cache") / "compiled"

    def run(wasm: Path, batches: Sequence[Batch], **params: float) -> list[Ruling | None]:
        with ruling(wasm, cache, **params) as rule:
            answers = (rule.observe(batch) for batch in batches)
            # what it cost is all that may differ
            return [answer and dataclasses.replace(answer, fuel=0) for answer in answers]

    return run


@pytest.mark.parametrize("hours", [(6, 22), (22, 6), (7.75, 7.75)], ids=str)
def test_the_rule_modules_give_identical_rulings(
    person_alone: Path,
    c_person_alone: Path,
    rule_on: Callable[..., list[Ruling | None]],
    hours: tuple[float, float],
) -> None:
    batches = drawn_batches()
    window = {"from_hour": hours[0], "to_hour": hours[1]}
    rulings = rule_on(person_alone, batches, **window)
    assert rulings == rule_on(c_person_alone, batches, **window)
    assert None not in rulings
    raised = [len(each.raised) for each in rulings if each is not None]
    assert (0 in raised) and (1 in raised or hours[0] == hours[1])


def test_the_rule_modules_ask_for_the_same_in_every_language() -> None:
    manifests = {(SDK / language.value / "example_rule" / "analyzer.toml").read_text() for language in Language}
    assert len(manifests) == 1


@pytest.mark.parametrize("crowd", ["persons", "notes", "flags"])
def test_a_batch_as_full_as_one_can_be_is_ruled_on(person_alone: Path, tmp_path: Path, crowd: str) -> None:
    seen = {
        "persons": sighting("person", ("platform",)),
        "notes": sighting("vehicle", ("dock",), note="x" * 4000),
        "flags": sighting("vehicle", ("dock",), **{f"k{number}": True for number in range(64)}),
    }[crowd]
    full = Batch(1, 0, 0, MONDAY_8, ZONES, (seen,) * (INBOX_BYTES // SIGHTING.size))
    assert HEADER.unpack_from(full.encode(0))[-1] > 0, "nothing was left out"
    with ruling(person_alone, tmp_path / "compiled") as rule:
        for _ in range(3):
            said = rule.observe(full)
            assert said is not None, rule.last_fault
            assert len(said.raised) == (crowd == "persons")
