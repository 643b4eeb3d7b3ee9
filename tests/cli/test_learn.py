"""`camera-edge learn normality`: from recordings to a state that `analyze` reads, or one clear error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

Analyze = Callable[..., Any]
Command = Callable[..., tuple[int, str, str]]
SIZE, FPS = (128, 96), 5
USUAL_S, UNUSUAL_S = 40, 8


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three recordings of a street: `usual-1.avi`, `usual-2.avi`, and `cart.avi`."""
    folder = tmp_path_factory.mktemp("street")
    for number in (1, 2):
        _record(folder / f"usual-{number}.avi", USUAL_S, seed=number, cart=False)
    _record(folder / "cart.avi", UNUSUAL_S, seed=3, cart=True)
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "street.state"


@pytest.fixture
def state(street: Path, kept: Path, command: Command) -> Path:
    """What was learned of the street; made by the first who asks."""
    if not kept.exists():
        code, _, said = command("learn", "normality", "--out", kept, street / "usual-1.avi", street / "usual-2.avi")
        assert code == 0, said
    return kept


def _record(path: Path, seconds: int, *, seed: int, cart: bool) -> None:
    width, height = SIZE
    texture = np.random.default_rng(5).integers(110, 190, (height // 8, width // 8), np.uint8)
    empty = cv2.resize(texture, SIZE, interpolation=cv2.INTER_LINEAR)
    noise = np.random.default_rng(seed)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, SIZE)
    for number in range(seconds * FPS):
        at_s = number / FPS
        picture = np.array(empty, np.uint8)
        for who in range(3):
            x = round((40 * who + 17 * seed + (9 + who) * at_s) % (width + 30)) - 15
            y, stride = 70 + 3 * who, round(4 * np.sin(6 * at_s + who))
            for foot in (x - stride, x + stride):
                cv2.line(picture, (x, y - 12), (foot, y), 35, 2)
            cv2.line(picture, (x, y - 12), (x, y - 20), 55, 5)
            cv2.circle(picture, (x, y - 23), 2, 70, -1)
        if cart:
            x = round(20 + 9 * at_s)
            cv2.rectangle(picture, (x - 22, 46), (x + 22, 71), 230, -1)
            for wheel in (x - 14, x + 14):
                cv2.circle(picture, (wheel, 71), 5, 30, -1)
        noisy = np.clip(picture + noise.normal(0, 1.5, picture.shape), 0, 255).astype(np.uint8)
        writer.write(cv2.cvtColor(noisy, cv2.COLOR_GRAY2BGR))
    writer.release()


def test_a_state_can_be_read_by_its_owner_alone_and_is_small(state: Path) -> None:
    assert state.stat().st_mode & 0o777 == 0o600
    assert state.stat().st_size < 1_000_000
    assert [path.name for path in state.parent.iterdir()] == [state.name]


def test_what_is_unusual_scores_higher_and_opens_an_event(analyze: Analyze, street: Path, state: Path) -> None:
    spec = ("--analyzer", f"normality:state={state}", "--rate", "native", "--scores")
    quiet, loud = analyze(street / "usual-1.avi", *spec), analyze(street / "cart.avi", *spec)
    assert quiet.of("event") == []
    assert [event["kind"] for event in loud.of("event")][:1] == ["unusual"]
    assert max(line["value"] for line in quiet.of("score")) < max(line["value"] for line in loud.of("score"))


def test_there_is_one_causal_score_for_every_frame(analyze: Analyze, street: Path, state: Path) -> None:
    run = analyze(street / "cart.avi", "--analyzer", f"normality:state={state}", "--rate", "native", "--scores")
    assert [line["frame"] for line in run.of("score")] == list(range(UNUSUAL_S * FPS))
    revisions = run.of("score_revision")
    assert revisions and all(line["lag"] > 0 for line in revisions)


def test_without_motion_the_same_state_serves(analyze: Analyze, street: Path, state: Path) -> None:
    run = analyze(
        street / "cart.avi", "--analyzer", f"normality:state={state},motion=off", "--rate", "native", "--scores"
    )
    assert len(run.of("score")) == UNUSUAL_S * FPS


def test_the_report_says_what_was_learned_from(command: Command, street: Path, tmp_path: Path) -> None:
    out = tmp_path / "again.state"
    code, told, said = command("learn", "normality", "--out", out, street / "cart.avi", "--rate", "5", "--json")
    assert code == 0, said
    report = json.loads(told)
    assert [warning.partition(":")[0] for warning in report.pop("warnings")] == [
        f"only {UNUSUAL_S * FPS} frames of {UNUSUAL_S} s were learned from"
    ]
    assert report == {
        "state": str(out),
        "bytes": out.stat().st_size,
        "frames": UNUSUAL_S * FPS,
        "recordings": 1,
    }


def test_recordings_of_different_sizes_are_refused(command: Command, street: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.avi"
    writer = cv2.VideoWriter(str(other), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (64, 48))
    for _ in range(5):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    code, _, said = command("learn", "normality", "--out", tmp_path / "a.state", street / "cart.avi", other)
    assert code == 70 and "other.avi" in said and "one size" in said
    assert not (tmp_path / "a.state").exists()


def test_a_recording_in_which_nothing_happens_teaches_nothing(command: Command, tmp_path: Path) -> None:
    still = tmp_path / "still.avi"
    writer = cv2.VideoWriter(str(still), cv2.VideoWriter.fourcc(*"MJPG"), FPS, SIZE)
    for _ in range(40):
        writer.write(np.full((SIZE[1], SIZE[0], 3), 120, np.uint8))
    writer.release()
    code, _, said = command("learn", "normality", "--out", tmp_path / "a.state", still)
    assert code == 74 and "too little moves" in said
    assert not (tmp_path / "a.state").exists()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("motion", "--out", "a.state", "usual-1.avi"), (64, "learns nothing")),
        (("normality", "--out", "usual-1.avi/a.state", "usual-1.avi"), (73, "cannot be written")),
        (("normality", "--out", "a.state", "nobody.avi"), (74, "nobody.avi")),
        (("normality", "--out", "a.state", "usual-1.avi", "--rate", "0"), (64, "--rate")),
        (("normality", "--out", "a.state", "rtsp://user:secret@camera/stream"), (64, "credentials")),
    ],
)
def test_what_cannot_be_learned_is_one_clear_error(
    command: Command,
    street: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    fault: tuple[int, str],
) -> None:
    monkeypatch.chdir(street)
    code, _, said = command("learn", *arguments)
    assert code == fault[0] and fault[1] in said and "secret" not in said


@pytest.mark.parametrize("name", ["normality.state", "usual-1.avi"])
def test_analyze_refuses_what_is_no_state(analyze: Analyze, street: Path, tmp_path: Path, name: str) -> None:
    wrong = tmp_path / "wrong.state"
    wrong.write_bytes(b"CE-NORM\0" + bytes(400) if name.endswith(".state") else (street / name).read_bytes()[:5000])
    run = analyze(street / "cart.avi", "--analyzer", f"normality:state={wrong}")
    assert run.code == 70 and "learn normality" in run.said


def test_what_the_configuration_masks_is_not_learned(
    command: Command, street: Path, state: Path, analyze: Analyze, tmp_path: Path
) -> None:
    config = tmp_path / "masked.yaml"
    config.write_text(
        "version: 1\ncameras:\n  street:\n    source: unused\n"
        "    privacy_masks: [[[0.0, 0.0], [0.3, 0.0], [0.3, 1.0], [0.0, 1.0]]]\n"
    )
    masked = tmp_path / "masked.state"
    code, _, said = command(
        "learn", "normality", "--out", masked, "-c", config, street / "usual-1.avi", street / "usual-2.avi"
    )
    assert code == 0, said
    seen = analyze(street / "usual-1.avi", "-c", config, "--analyzer", f"normality:state={masked}", "--rate", "native")
    assert seen.code == 0 and [line for line in seen.lines if line["type"] == "event"] == []
    assert masked.read_bytes() != state.read_bytes()


def test_what_still_learns_says_so(analyze: Analyze, street: Path) -> None:
    seen = analyze(street / "cart.avi", "--analyzer", "normality")
    assert any("nothing is known of this camera" in warning for warning in seen.summary["warnings"]), seen.summary


def test_an_alarm_says_what_the_thing_looks_like(analyze: Analyze, street: Path, state: Path) -> None:
    spec = f"normality:state={state},alarm=0.3"
    seen = analyze(street / "cart.avi", "--analyzer", spec, "--rate", "native", "--observations")
    alarms = [line for line in seen.of("observation") if line["kind"] == "unusual"]
    assert alarms
    kinds = {"person", "group", "cyclist", "rider", "vehicle", "cart", "animal", "other"}
    for each in alarms:
        attributes = each["attributes"]
        assert attributes["looks"] in kinds and 0 < attributes["looks_sure"] <= 1
        remarked = attributes["looks_sure"] >= 0.5 and attributes["looks"] not in {"person", "group", "other"}
        assert attributes["why"].endswith(f" {attributes['looks']}") is remarked
