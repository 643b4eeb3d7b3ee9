"""Observations are read from what `analyze` and a replay print."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from camera_edge.cli import main
from camera_edge.errors import UsageError
from camera_edge.sandbox import ModuleFile, load_module
from camera_edge.workshop.lines import Line, text_of
from camera_edge.workshop.rehearsal import Rehearsal
from camera_edge.workshop.sighted import lacks_empty_frames, read_moments

YARD = "synthetic:?seed=7&size=160x90&fps=10&seconds=1&pace=0"
SEEN = {
    "type": "observation",
    "source": "a.mp4",
    "frame": 3,
    "t_s": 0.3,
    "analyzer": "objects",
    "kind": "person",
    "score": 0.5,
    "box": [0, 0, 1, 1],
    "track": 1,
    "attributes": {},
}


def write(path: Path, *lines: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def analyzed(
    eager: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Path:
    """What `analyze` prints of the eager module."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    assert main(["analyze", YARD, "--analyzer", str(eager), "--json", "--observations", "--scores"]) == 0
    path = tmp_path / "analyzed.jsonl"
    path.write_text(capsys.readouterr().out)
    return path


def test_the_lines_of_analyze_and_of_a_replay_tell_the_same(
    eager: Path, analyzed: Path, tmp_path: Path, run: Callable[[ModuleFile, Rehearsal], list[Line]]
) -> None:
    replayed = tmp_path / "replayed.jsonl"
    replayed.write_text("".join(text_of(line) + "\n" for line in run(load_module(eager), Rehearsal(YARD))))
    told = [list(read_moments(path)) for path in (analyzed, replayed)]
    assert told[0] == told[1]
    assert [moment.frame for moment in told[0]] == [0, 2, 4, 6, 8, 9]
    assert [len(moment.observations) for moment in told[0]] == [1] * 6
    assert told[0][1].media_us == 200_000


def test_observations_of_one_frame_come_together(tmp_path: Path) -> None:
    path = write(tmp_path / "seen.jsonl", SEEN, SEEN | {"kind": "car"}, SEEN | {"frame": 5, "t_s": 0.5})
    kinds = [[each.kind for each in moment.observations] for moment in read_moments(path)]
    assert kinds == [["person", "car"], ["person"]]


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (SEEN | {"frame": 2}, "frame 2 comes after 3"),
        (SEEN | {"frame": 4, "source": "b.mp4"}, "several clips"),
        (SEEN | {"frame": 4, "colour": "red"}, "unknown field"),
        ({"type": "film"}, "cannot be read"),
        (SEEN | {"frame": -1}, "frame"),
        (SEEN | {"frame": 2**70}, "frame"),
        (SEEN | {"frame": 4, "t_s": 1e300}, "t_s"),
        (SEEN | {"frame": 4, "t_s": -0.5}, "t_s"),
        (SEEN | {"frame": 4, "t_s": 0.2}, "frame 4 is earlier than 3"),
        (SEEN | {"frame": 4, "t_s": 0.4, "score": 1e300}, "score"),
        (SEEN | {"frame": 4, "t_s": 0.4, "track": 2**40}, "track"),
        (SEEN | {"frame": 4, "t_s": 0.4, "box": [0, 0, 1e300, 1]}, "box"),
        (SEEN | {"frame": 4, "t_s": 0.4, "kind": "\ud800"}, "cannot be read"),
        ({"type": "score", "source": "a.mp4", "frame": -1, "t_s": 0, "analyzer": "m", "value": 0}, "frame"),
        ({"type": "fault", "frame": 2**70, "t_s": 0, "reason": ""}, "frame"),
    ],
)
def test_a_line_that_does_not_belong_there_is_an_error_with_its_number(
    tmp_path: Path, second: dict[str, object], reason: str
) -> None:
    path = write(tmp_path / "seen.jsonl", SEEN, second)
    with pytest.raises(UsageError, match=reason) as caught:
        list(read_moments(path))
    assert caught.value.where == f"{path}:2"


def test_a_film_is_not_taken_for_observations(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(UsageError, match="cannot be read"):
        list(read_moments(path))
    with pytest.raises(UsageError, match="cannot be read"):
        list(read_moments(tmp_path / "nothing.jsonl"))


@pytest.mark.parametrize(
    ("lines", "lacks"),
    [
        ([SEEN], True),
        ([SEEN, {"type": "score"}], False),
        ([{"type": "score"}, SEEN], False),
        ([SEEN, {"type": 3}], False),
        ([{"type": "frame"}], False),
        ([], False),
    ],
)
def test_observations_without_scores_lack_the_empty_frames(
    tmp_path: Path, lines: list[dict[str, object]], lacks: bool
) -> None:
    assert lacks_empty_frames(write(tmp_path / "seen.jsonl", *lines)) is lacks


def test_what_is_no_plain_file_is_not_looked_into(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not lacks_empty_frames(tmp_path / "pipe") and not lacks_empty_frames(tmp_path / "nothing")
