"""Rules in a configuration: what each kind takes, and what it is refused for."""

from __future__ import annotations

import msgspec
import pytest

from camera_edge.config import CameraConfig, Config, parse
from camera_edge.errors import ConfigError
from camera_edge.settings import CameraSettings, HoursSettings

TEXT = """\
version: 1
cameras:
  front:
    source: rtsp://192.0.2.10/stream1
    zones:
      gate: [[0.4, 0.5], [0.9, 0.5], [0.9, 1.0], [0.4, 1.0]]
    lines:
      door: [[0.4, 0.95], [0.4, 0.55]]
    rules:
      a_rule: {RULE}
"""


def read(rule: str, text: str = TEXT) -> Config:
    return parse(text.replace("RULE", rule), name="c.yaml", environment={})


@pytest.mark.parametrize(
    "rule",
    [
        "event: line_crossed, line: door",
        "event: line_crossed, line: door, direction: left_to_right, kinds: [person], min_score: 0.5, quiet_s: 1",
        "event: zone_entered, zones: [gate]",
        "event: zone_left, zones: [gate], analyzers: [motion]",
        "event: loitering, dwell_s: 20",
        "event: wrong_way, way: [[0.2, 0.5], [0.8, 0.5]], zones: [gate], hold_s: 2",
        "event: speeding, speed: 0.5, hold_s: 0",
        "event: crowd, count: 4, zones: [gate], hold_s: 5",
        "event: object_left, zones: [gate], hold_s: 10",
        "event: object_removed",
        'schedule: {days: [sat], from: "22:00", to: "06:00"}, kinds: [person]',
        'event: object_removed, schedule: [{days: [mon]}, {from: "0:00", to: "24:00"}, {to: "06:30"}]',
    ],
)
def test_a_rule_of_each_kind_reaches_the_worker_as_it_was_written(rule: str) -> None:
    camera = read(rule).cameras["front"]
    settings = camera.settings()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(settings), type=CameraSettings) == settings
    assert settings.rules["a_rule"].event == camera.rules["a_rule"].event
    # `analyze --config` takes a camera apart and checks it again
    assert CameraConfig.model_validate(camera.model_dump(by_alias=True)) == camera


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("event: line_crossed", "needs `line:`"),
        ("event: line_crossed, line: dor", "names line 'dor', which this camera does not define (lines: door)"),
        ("event: line_crossed, line: door, direction: up", "left_to_right"),
        ("event: line_crossed, line: door, hold_s: 1", "takes no `hold_s`: it opens at the moment it happens"),
        ("event: line_crossed, line: door, zones: [gate]", "takes no `zones`"),
        ("event: line_crossed, line: door, dwell_s: 3", "`dwell_s` belongs to `event: loitering`"),
        ("line: door", "`line` belongs to `event: line_crossed`, and this is a rule without `event`"),
        ("event: zone_entered", "needs `zones:`"),
        ("event: zone_left, zones: [gat]", "zone 'gat'"),
        ("event: loitering, zones: [gate]", "needs `dwell_s:`"),
        ("event: loitering, dwell_s: 5, hold_s: 1", "`dwell_s` says how long"),
        ("event: loitering, dwell_s: 0", "greater than 0"),
        ("event: wrong_way", "needs `way:`"),
        ("event: wrong_way, way: [[0.5, 0.5], [0.5, 0.5]]", "these are the same"),
        ("event: wrong_way, way: [[0.5, 0.5]]", "way: it ends after 1"),
        ("event: speeding", "needs `speed:`"),
        ("event: speeding, speed: -1", "greater than 0"),
        ("event: speeding, speed: 1, count: 3", "`count` belongs to `event: crowd`"),
        ("event: crowd, count: 1", "greater than or equal to 2"),
        ("event: crowd, count: 2.5", "integer"),
        ("event: object_left, kinds: [person]", "takes no `kinds`"),
        ("event: objekt_left", "object_left"),
        ("evnt: object_left", "did you mean 'event'"),
        ("schedule: {days: []}", "at least 1 item"),
        ("schedule: {days: [monday]}", "'mon'"),
        ("schedule: {days: [mon, mon]}", "twice"),
        ('schedule: {from: "25:00"}', "a day ends at 24:00"),
        ('schedule: {from: "6.30"}', "such as"),
        ('schedule: {from: "12:60"}', "such as"),
        ('schedule: {from: "08:00", to: "08:00"}', "the same time"),
        ('schedule: {from: "24:00"}', "say 00:00"),
        ("schedule: {from: 1441}", "less than or equal to 1440"),
        ("schedule: {form: 3}", "did you mean 'from'"),
        ("schedule: always", "list"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_the_reason(rule: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(rule)
    assert words in str(caught.value)
    assert caught.value.hint and caught.value.where is not None and caught.value.where.startswith("c.yaml:")


def test_the_line_of_the_rule_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        read("event: loitering, zones: [gate]")
    assert (caught.value.where, "cameras.front.rules.a_rule" in str(caught.value)) == ("c.yaml:10", True)


@pytest.mark.parametrize("points", ["[[0.4, 0.9], [0.4, 0.9]]", "[[0.4, 0.9]]", "[[0.4, 0.9], [0.4, 1.5]]"])
def test_a_line_is_two_points_of_the_picture_that_differ(points: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read("event: line_crossed, line: door", TEXT.replace("[[0.4, 0.95], [0.4, 0.55]]", points))
    assert caught.value.where == "c.yaml:8" or "door" in str(caught.value)


def test_times_of_day_need_no_quotes() -> None:
    quoted = read('schedule: {from: "22:30", to: "06:00"}')
    assert read("schedule: {from: 22:30, to: 06:00}") == quoted
    [hours] = quoted.cameras["front"].settings().rules["a_rule"].schedule
    assert hours == HoursSettings(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), 22 * 60 + 30, 6 * 60)


def test_hours_may_begin_at_midnight_and_end_at_the_end_of_the_day() -> None:
    [hours] = read('schedule: {from: "00:00", to: "24:00"}').cameras["front"].settings().rules["a_rule"].schedule
    assert (hours.from_, hours.to) == (0, 1440)


def test_the_schema_describes_every_key_of_a_rule() -> None:
    definitions = Config.model_json_schema(by_alias=True)["$defs"]
    rule, hours = definitions["RuleConfig"]["properties"], definitions["HoursConfig"]["properties"]
    known = {"kinds", "analyzers", "zones", "min_score", "hold_s", "quiet_s"}
    assert set(rule) == known | {"schedule", "event", "line", "direction", "dwell_s", "way", "speed", "count"}
    assert all("description" in rule[key] for key in set(rule) - known)
    assert set(hours) == {"days", "from", "to"} and all("description" in value for value in hours.values())
    assert "widths of the picture a second" in rule["speed"]["description"]
    assert "description" in definitions["CameraConfig"]["properties"]["lines"]
