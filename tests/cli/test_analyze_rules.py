"""What `camera-edge analyze` tells of real recordings by its rules, held against what was written down of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Analyze = Callable[..., Any]
Command = Callable[..., tuple[int, str, str]]

DATA = Path(__file__).parents[3] / "shared" / "data"
CLIPS = DATA / "video" / "intel_sample_videos"
YOLOX = DATA / "models" / "yolox_nano" / "yolox_nano.onnx"
BOTTLES, PEOPLE, CARS = "bottle-detection.mp4", "one-by-one-person-detection.mp4", "car-detection.mp4"

pytestmark = pytest.mark.skipif(
    not (CLIPS / "events.json").is_file(), reason="the recordings in ../shared/data are not here"
)


def truth(clip: str, key: str) -> list[list[float]]:
    """What was written down, its frames as seconds."""
    about = json.loads((CLIPS / "events.json").read_text())[clip]
    return [[*span[:-2], *(frame / about["fps"] for frame in span[-2:])] for span in about[key]]


def test_each_bottle_that_is_taken_or_put_back_is_told_once_and_no_other(analyze: Analyze) -> None:
    """Without a configuration: `motion` alone, five frames a second."""
    counts = truth(BOTTLES, "bottle_count")
    turns = [
        (begin_s, "object_left" if count > before else "object_removed")
        for (before, _, _), (count, begin_s, _) in zip(counts, counts[1:], strict=False)
        # two bottles are taken at once in one place of the list
        for _ in range(abs(int(count - before)))
    ]
    run = analyze(CLIPS / BOTTLES)
    told = sorted((line["opened_s"], line["kind"]) for line in run.of("event") if line["kind"] != "motion")
    assert [kind for _, kind in told] == [kind for _, kind in turns]
    for (opened_s, _), (begin_s, _) in zip(told, turns, strict=True):
        assert begin_s - 0.35 < opened_s < begin_s + 4
    assert all("nobody near it for" in line["why"] for line in run.of("event") if line["kind"] != "motion")


def test_light_that_changes_leaves_and_takes_nothing(analyze: Analyze) -> None:
    """Cars that pass below a camera whose exposure dips: nothing comes to rest, and nothing is taken."""
    assert {line["kind"] for line in analyze(CLIPS / CARS).of("event")} == {"motion"}


@pytest.mark.skipif(not YOLOX.is_file(), reason="the models in ../shared/data are not here")
def test_six_people_are_told_when_they_come_and_loiter_until_they_go(
    analyze: Analyze, command: Command, tmp_path: Path
) -> None:
    assert command("model", "add", YOLOX, "--name", "yolox_nano", "--state", tmp_path / "state")[0] == 0
    config = tmp_path / "c.yaml"
    config.write_text(f"""\
version: 1
state: {tmp_path / "state"}
cameras:
  room:
    source: file
    rate: 2
    zones:
      table: [[0.1, 0.3], [0.9, 0.3], [0.9, 1.0], [0.1, 1.0]]
    analyzers:
      objects: {{grant: [onnx:yolox_nano], params: {{model: yolox_nano}}}}
    rules:
      person: {{kinds: [person]}}
      lingers: {{event: loitering, zones: [table], dwell_s: 5}}
""")
    run = analyze(CLIPS / PEOPLE, "--config", config)
    spans = truth(PEOPLE, "person_present")
    people, loitering = (
        sorted((line["opened_s"], line["closed_s"]) for line in run.of("event") if line["kind"] == kind)
        for kind in ("person", "loitering")
    )
    assert len(people) == len(loitering) == len(spans) == 6
    for (begin_s, end_s), person, lingers in zip(spans, people, loitering, strict=True):
        # half a frame of this rate beside the second
        assert person == (pytest.approx(begin_s, abs=1.25), pytest.approx(end_s, abs=1.25))
        assert begin_s + 4.5 < lingers[0] < begin_s + 7
        assert lingers[1] == pytest.approx(end_s, abs=1.25)
