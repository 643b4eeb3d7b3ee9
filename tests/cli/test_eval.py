"""`camera-edge eval` end to end, on drawn recordings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from camera_edge.cli.eval import Suite
from camera_edge.cli.eval_report import PRINTERS
from camera_edge.eval.normality import CHANNELS
from camera_edge.eval.suites import SUITES
from camera_edge.inference import Registry
from tests.eval.drawn import CONTRACT, detector, write_cdnet, write_events, write_mot, write_ped

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "video"

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "tiny.onnx").write_bytes(detector())
    Registry(tmp_path / "state" / "models").add(tmp_path / "tiny.onnx", "tiny", CONTRACT)
    return tmp_path / "state"


def figures(run: tuple[int, str, str]) -> dict[str, Any]:
    code, out, said = run
    assert code == 0, said
    (line,) = out.splitlines()
    document: dict[str, Any] = json.loads(line)
    return document


def pictures(folder: Path) -> list[str]:
    """The names of the charts, all of which are well-formed."""
    for path in folder.iterdir():
        ElementTree.parse(path)
    return sorted(path.name for path in folder.iterdir())


def test_change_measures_motion_beside_mog2_and_knn(command: Command, tmp_path: Path) -> None:
    write_cdnet(tmp_path / "wall")
    document = figures(command("eval", "change", "--data", tmp_path, "--json", "--plots", tmp_path / "plots"))
    assert {"suite", "f", "precision", "recall", "pwc", "ms_per_frame", "baselines"} <= document.keys()
    assert document["f"] > 0.7
    assert document["baselines"]["mog2"]["f"] > 0.7
    assert document["baselines"]["knn"]["ms_per_frame"] > 0
    (recording,) = document["recordings"]
    assert (recording["name"], recording["frames"], recording["labelled"]) == ("wall", 150, 46)
    assert recording["timing"]["pipeline_ms_per_frame"] > recording["ms_per_frame"] > 0
    assert pictures(tmp_path / "plots") == ["f-wall.svg", "median-wall.svg", "worst-wall.svg"]


def test_people_measures_what_is_found_and_followed_and_the_model_alone(
    command: Command, tmp_path: Path, state: Path
) -> None:
    write_mot(tmp_path / "data" / "one", [0] * 20 + [None] * 4 + [0] * 10, scale=2)
    write_mot(tmp_path / "data" / "two", [3] * 12)
    options = ("--model", "tiny", "--state", state, "--json", "--plots", tmp_path / "plots")
    document = figures(command("eval", "people", "--data", tmp_path / "data", *options))
    assert {"ap50", "best_f1", "idf1", "mota", "ms_per_frame", "baselines"} <= document.keys()
    assert document["ap50"] == pytest.approx(1)
    assert document["best_f1"] == pytest.approx(1)
    assert document["mota"] > 0.8
    (native,) = document["baselines"].values()
    assert native["ap50"] == pytest.approx(1)
    assert [each["frames"] for each in document["recordings"]] == [34, 12]
    assert pictures(tmp_path / "plots") == [
        *("mistakes-one.svg", "mistakes-two.svg"),
        *("precision-recall-all.svg", "precision-recall-one.svg", "precision-recall-two.svg"),
        *("worst-one.svg", "worst-two.svg"),
    ]


def test_events_are_held_against_the_annotation(command: Command, tmp_path: Path, state: Path) -> None:
    write_events(tmp_path / "data", (2.0, 4.0))
    options = ("--model", "tiny", "--state", state, "--json", "--plots", tmp_path / "plots")
    document = figures(command("eval", "events", "--data", tmp_path / "data", *options))
    assert {"precision", "recall", "false", "delay_s"} <= document.keys()
    assert (document["judged"]["person"]["found"], document["judged"]["person"]["false"]) == (1, 0)
    assert 0 <= document["judged"]["person"]["delay_s"] <= 1
    assert pictures(tmp_path / "plots") == ["events-data-door.svg"]


def test_normality_learns_and_scores_every_frame_by_every_channel(command: Command, tmp_path: Path) -> None:
    write_ped(tmp_path / "path")
    document = figures(command("eval", "normality", "--data", tmp_path, "--json", "--plots", tmp_path / "plots"))
    assert {"auc_micro", "auc_minmax", "eer", "ms_per_frame"} <= document.keys()
    assert document["auc_micro"] > 0.5
    assert {"all", "motion=off", *CHANNELS} == document["variants"].keys()
    assert document["learned"]["recordings"] == 2
    (clip,) = document["recordings"]
    assert (clip["name"], clip["frames"], clip["unusual"]) == ("testing_01", 40, 20)
    assert pictures(tmp_path / "plots") == [
        *("highest-usual-testing_01.svg", "lowest-unusual-testing_01.svg"),
        *("roc-clips.svg", "roc-variants.svg", "score-testing_01.svg"),
    ]


def test_only_normality_learns(command: Command, tmp_path: Path) -> None:
    code, _, said = command("eval", "change", "--data", tmp_path, "--train", tmp_path)
    assert code == 64
    assert "--train" in said


def test_every_suite_has_a_command_and_a_table() -> None:
    assert {each.value for each in Suite} == SUITES.keys() == PRINTERS.keys()


def test_tamper_draws_every_kind_onto_a_recording(command: Command, tmp_path: Path) -> None:
    write_cdnet(tmp_path / "wall", frames=90)
    document = figures(command("eval", "tamper", "--data", tmp_path, "--json", "--plots", tmp_path / "plots"))
    assert {"found", "missed", "false_per_hour", "delay_s"} <= document.keys()
    assert document["found"] + document["missed"] == len(document["kinds"]) == 7
    assert document["kinds"]["blackout"]["found"] == 1
    assert document["recordings"][0]["seconds"] == 9
    assert pictures(tmp_path / "plots") == ["tamper-by-clip.svg", "tamper.svg"]


def test_without_json_there_is_a_table(command: Command, tmp_path: Path, state: Path) -> None:
    write_mot(tmp_path / "data", [0] * 3)
    code, out, _ = command("eval", "people", "--data", tmp_path / "data", "--model", "tiny", "--state", state)
    assert code == 0
    assert "objects (sandbox)" in out and "whole pipeline" in out


@pytest.mark.parametrize("suite", ["change", "people", "normality", "events", "tamper"])
def test_a_folder_with_nothing_of_the_kind_is_an_error_with_the_next_step(
    command: Command, tmp_path: Path, suite: str, state: Path
) -> None:
    (tmp_path / "empty").mkdir()
    code, out, said = command(
        "eval", suite, "--data", tmp_path / "empty", "--model", "tiny", "--state", state, "--json"
    )
    assert (code, out) == (64, "")
    assert "next: give" in said


def test_people_without_a_detector_says_how_to_get_one(command: Command, tmp_path: Path) -> None:
    write_mot(tmp_path / "data", [0])
    code, _, said = command("eval", "people", "--data", tmp_path / "data", "--state", tmp_path / "state")
    assert code == 70
    assert "model add" in said
