from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from camera_edge.errors import UsageError
from camera_edge.eval.annotation import LEFT, REMOVED, Span, Turn, find_annotated


def annotated(folder: Path, **part: Any) -> Path:
    folder.mkdir()
    (folder / "door.mp4").write_bytes(b"")
    (folder / "events.json").write_text(json.dumps({"tolerance_frames": 3, "annotated_by": "us", "door.mp4": part}))
    return folder


def test_frames_become_seconds_and_kinds_come_from_the_keys(tmp_path: Path) -> None:
    data = annotated(
        tmp_path / "clips", fps=10, frames=300, person_present=[[20, 50]], auto_exposure_dips=[[5, 6]], use="dwell"
    )
    (recording,) = find_annotated(tmp_path)
    assert recording.source == (data / "door.mp4").resolve()
    assert recording.name == "clips/door.mp4"
    assert recording.present == {"person": [Span(2, 5)]}
    assert recording.dips == [Span(0.5, 0.6)]
    assert (recording.counted, recording.turns) == (False, [])
    assert recording.tolerance_s == pytest.approx(0.3)


def test_counts_that_change_are_things_left_and_removed(tmp_path: Path) -> None:
    annotated(tmp_path / "clips", fps=10, bottle_count=[[3, 0, 9], [1, 10, 19], [1, 20, 29], [2, 30, 39]])
    (recording,) = find_annotated(tmp_path / "clips")
    assert recording.turns == [Turn(REMOVED, 1, 2), Turn(LEFT, 3, 1)]
    assert recording.counted


def test_people_and_vehicles_that_are_counted_are_there_while_there_is_one(tmp_path: Path) -> None:
    annotated(tmp_path / "clips", fps=10, people_count=[[0, 0, 9], [1, 10, 19], [3, 20, 29], [0, 30, 39], [1, 40, 49]])
    (recording,) = find_annotated(tmp_path)
    assert recording.present == {"person": [Span(1, 2.9), Span(4, 4.9)]}
    assert (recording.counted, recording.turns) == (False, [])


def test_a_car_is_a_vehicle(tmp_path: Path) -> None:
    annotated(tmp_path / "clips", fps=10, car_present=[[1, 9]], dog_present=[[2, 3]])
    (recording,) = find_annotated(tmp_path)
    assert recording.present == {"vehicle": [Span(0.1, 0.9)], "dog": [Span(0.2, 0.3)]}


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"fps": 0}, "no fps"),
        ({"fps": 10, "person_present": [[1, 2, 3]]}, "not 2 numbers"),
        ({"fps": 10, "person_present": [[9, 2]]}, "not in order"),
        ({"fps": 10, "person_present": [["1", 2]]}, "no number"),
    ],
)
def test_an_annotation_that_is_not_understood_is_a_clear_error(
    tmp_path: Path, part: dict[str, Any], words: str
) -> None:
    annotated(tmp_path / "clips", **part)
    with pytest.raises(UsageError, match=words):
        find_annotated(tmp_path)


def test_a_recording_that_is_not_there_is_named(tmp_path: Path) -> None:
    annotated(tmp_path / "clips", fps=10)
    (tmp_path / "clips" / "door.mp4").unlink()
    with pytest.raises(UsageError, match=r"no recording 'door\.mp4'"):
        find_annotated(tmp_path)
