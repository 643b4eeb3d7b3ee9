"""What `camera-edge analyze` prints and writes: the contract that scripts rely on."""

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

Analyze = Callable[..., Any]
Make = Callable[..., Path]
Module = Callable[..., Path]

EVENT = [
    *("type", "source", "id", "camera", "kind", "analyzer", "rule", "score", "opened_s", "closed_s", "zones", "tracks"),
    *("why", "box", "clip", "snapshot"),
]
OBSERVATION = ["type", "source", "frame", "t_s", "analyzer", "kind", "score", "box", "track", "attributes"]
SCORE = ["type", "source", "frame", "t_s", "analyzer", "value"]
SUMMARY = [
    *("type", "source", "frames", "analysed", "seconds", "cpu_s", "events", "traps", "dropped", "egress_bytes"),
]
# a score for the frame before the one before, and nothing else
LAGGING = """
(import "camera_edge" "score_at" (func $score_at (param i32 f64) (result i32)))
(func (export "analyze") (param $slot i32) (result i32)
  (call $score_at (i32.const 2) (f64.convert_i64_u (i64.load (i32.add (local.get $slot) (i32.const 8))))))
"""
# a mask of 2 x 1: background and foreground
HALF = """
(import "camera_edge" "mask" (func $mask (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 2) (data (i32.const 64) "\\00\\ff")
(func (export "analyze") (param $slot i32) (result i32)
  (call $mask (i32.const 64) (i32.const 2) (i32.const 2) (i32.const 1)))
"""
CONFIG = """
version: 1
defaults: {clip: {before_s: 0.4, after_s: 2}}
cameras:
  front:
    source: rtsp://192.0.2.10/stream1
    privacy_masks: [[[0.0, 0.0], [0.2, 0.0], [0.2, 0.3], [0.0, 0.3]]]
    zones:
      path: [[0.0, 0.5], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]]
      sky: [[0.0, 0.0], [1.0, 0.0], [1.0, 0.2], [0.0, 0.2]]
    rules:
      on_the_path: {kinds: [motion], zones: [path], hold_s: 0.4, quiet_s: 1}
      in_the_sky: {zones: [sky]}
      a_person: {kinds: [person]}
"""


def test_every_line_has_exactly_the_fields_of_the_contract_in_their_order(
    analyze: Analyze, walk: Path, tmp_path: Path
) -> None:
    run = analyze(walk, "--out", tmp_path / "out", "--observations", "--scores")
    assert run.code == 0
    assert [list(line) for line in run.of("event")] == [EVENT]
    assert {tuple(line) for line in run.of("observation")} == {tuple(OBSERVATION)}
    assert {tuple(line) for line in run.of("score")} == {tuple(SCORE)}
    assert [list(line) for line in run.of("summary")] == [SUMMARY]
    assert {line["source"] for line in run.lines} == {str(walk)}
    assert run.lines[-1]["type"] == "summary"


def test_values_have_the_types_of_the_contract(analyze: Analyze, walk: Path, tmp_path: Path) -> None:
    run = analyze(walk, "--out", tmp_path / "out", "--observations", "--scores")
    event, seen, score, summary = (run.of(kind)[0] for kind in ("event", "observation", "score", "summary"))
    assert (event["camera"], event["kind"], event["analyzer"]) == ("walk", "motion", "motion")
    assert 4.8 < event["opened_s"] < 5.6 < 6.4 < event["closed_s"] <= 7.4
    assert event["zones"] == [] and all(isinstance(track, int) for track in event["tracks"])
    assert 0 < event["score"] <= 1 and int(event["id"], 16)
    assert event["why"].startswith("motion, score ")
    assert len(event["box"]) == 4 and all(0 <= number <= 1 for number in event["box"])
    assert seen["frame"] == round(seen["t_s"] * 25) and isinstance(seen["frame"], int)
    assert len(seen["box"]) == 4 and all(0 <= number <= 1 for number in seen["box"])
    assert isinstance(seen["track"], int) and isinstance(seen["attributes"], dict)
    assert isinstance(score["value"], float) and score["analyzer"] == "motion"
    assert (summary["frames"], summary["events"], summary["traps"], summary["dropped"]) == (275, 1, 0, 0)
    # each fifth, and the last, without which the frames before it would be hidden
    assert summary["analysed"] == 55 + 1
    assert summary["seconds"] > 0 and summary["cpu_s"] > 0


def test_paths_are_relative_to_out_and_egress_counts_every_byte_there(
    analyze: Analyze, walk: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run = analyze(walk, "--out", out)
    event = run.of("event")[0]
    files = [path for path in out.rglob("*") if path.is_file()]
    assert {out / event["clip"], out / event["snapshot"]} < set(files)
    assert sorted(path.suffix for path in files) == [".jpg", ".json", ".mp4"]
    assert run.summary["egress_bytes"] == sum(path.stat().st_size for path in files)


def test_a_second_run_and_a_run_without_out_give_the_same_events(analyze: Analyze, walk: Path, tmp_path: Path) -> None:
    first = analyze(walk, "--out", tmp_path / "out", "--observations", "--scores")
    second = analyze(walk, "--out", tmp_path / "out", "--observations", "--scores")
    bare = analyze(walk, "--observations", "--scores")
    assert first.lines[:-1] == second.lines[:-1]
    unwritten = [line | {"clip": None, "snapshot": None} for line in first.of("event")]
    assert bare.of("event") == unwritten
    assert bare.of("observation") == first.of("observation")
    assert bare.summary["egress_bytes"] == 0


def test_an_event_that_is_still_on_at_the_end_is_closed_by_it(analyze: Analyze, recording: Make) -> None:
    event = analyze(recording("still.mp4", seconds=7.0, walks=(5.0, 9.0))).of("event")[0]
    assert 6.5 < event["closed_s"] <= 7.0


def test_only_what_was_asked_for_is_printed(analyze: Analyze, walk: Path) -> None:
    assert {line["type"] for line in analyze(walk).lines} == {"event", "summary"}
    assert {line["type"] for line in analyze(walk, "--scores").lines} == {"event", "score", "summary"}


def test_sources_start_fresh_and_bear_their_own_names(analyze: Analyze, walk: Path, recording: Make) -> None:
    other = recording("walk.mp4")
    alone = analyze(walk, "--observations")
    both = analyze(walk, other, "--observations")
    first = [line for line in both.lines if line["source"] == str(walk)]
    second = [line for line in both.lines if line["source"] == str(other)]
    assert [line["type"] for line in both.lines].count("summary") == 2
    assert first[:-1] == list(alone.lines[:-1])
    assert [line | {"source": str(walk)} for line in second if line["type"] == "observation"] == alone.of("observation")
    assert [line["camera"] for line in both.of("event")] == ["walk", "walk-2"]
    assert len({line["id"] for line in both.of("event")}) == 2


def test_frame_numbers_are_those_of_a_plain_reading_loop(
    analyze: Analyze, recording: Make, module: Module, tmp_path: Path
) -> None:
    """Every frame of a recording with B-frames has another brightness; the module gives that of its first pixel."""
    path = recording("walk.mp4", seconds=2.0, b_frames=3, flicker=True)
    brightness = module(
        "brightness",
        """(import "camera_edge" "score" (func $score (param f64) (result i32)))
        (func (export "analyze") (param $slot i32) (result i32)
          (call $score (f64.convert_i32_u (i32.load8_u (i32.add (local.get $slot)
            (i32.load offset=44 (local.get $slot)))))))""",
        more='[view]\nformat = "rgb24"\nmax_width = 320\n',
    )
    values = {line["frame"]: line["value"] for line in _scores(analyze, path, brightness)}
    reader = cv2.VideoCapture(str(path))
    expected: dict[int, int] = {}
    while (got := reader.read())[0]:
        expected[len(expected)] = int(got[1][0, 0, 2])
    assert len(values) == len(expected) == 50
    assert len(set(expected.values())) > 20
    # two converters of YUV may differ by a rounding
    assert all(abs(values[frame] - value) <= 2 for frame, value in expected.items())


def _scores(analyze: Analyze, path: Path, module: Path) -> list[dict[str, Any]]:
    run = analyze(path, "--analyzer", module, "--rate", "native", "--scores")
    assert run.code == 0
    scores: list[dict[str, Any]] = run.of("score")
    return scores


def test_a_score_for_an_earlier_frame_bears_that_frames_number(analyze: Analyze, walk: Path, module: Module) -> None:
    run = analyze(walk, "--analyzer", module("lagging", LAGGING), "--scores")
    scores = run.of("score_revision")
    assert run.of("score") == [], "what is said later is no score of the frame itself"
    assert {line["lag"] for line in scores} == {2}
    assert [list(line) for line in scores[:1]] == [[*SCORE, "lag"]]
    # the module gives the number of the frame it looks at, for the one two before; before the first there is none
    assert [line["frame"] for line in scores] == [*range(0, 270, 5)]
    assert [line["value"] for line in scores] == [*range(10, 271, 5), 274]
    assert all(line["t_s"] == line["frame"] / 25 for line in scores)


def test_native_rate_analyses_every_frame(analyze: Analyze, walk: Path) -> None:
    run = analyze(walk, "--rate", "native", "--scores")
    assert run.summary["analysed"] == run.summary["frames"] == 275
    frames = [line["frame"] for line in run.of("score")]
    assert frames == list(range(frames[0], 275))


def test_a_rate_in_frames_a_second_is_kept(analyze: Analyze, walk: Path) -> None:
    assert analyze(walk, "--rate", "2.5").summary["analysed"] == 28 + 1


@pytest.mark.parametrize("rate", ["0", "-1", "61", "nan", "fast"])
def test_a_rate_that_is_none_is_refused(analyze: Analyze, walk: Path, rate: str) -> None:
    run = analyze(walk, "--rate", rate)
    assert (run.code, run.lines) == (64, ())
    assert "native" in run.said


def test_masks_are_one_png_per_analysed_frame_as_the_analyzer_gave_it(
    analyze: Analyze, walk: Path, module: Module, tmp_path: Path
) -> None:
    masks = tmp_path / "masks"
    run = analyze(walk, "--analyzer", module("half", HALF), "--masks", masks)
    files = sorted(masks.iterdir())
    assert [path.name for path in files] == [f"{frame:06d}.png" for frame in [*range(0, 275, 5), 274]]
    assert len(files) == run.summary["analysed"]
    for path in files:
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert mask is not None
        assert np.array_equal(mask, [[0, 255]])


def test_masks_of_motion_have_the_size_of_its_view(analyze: Analyze, walk: Path, tmp_path: Path) -> None:
    analyze(walk, "--masks", tmp_path)
    mask = cv2.imread(str(tmp_path / "000150.png"), cv2.IMREAD_UNCHANGED)
    assert mask is not None
    assert mask.shape == (240, 320)
    assert 0 < np.count_nonzero(mask) < mask.size


def test_masks_of_motion_are_what_it_found_and_not_all_that_is_hidden(
    analyze: Analyze, walk: Path, tmp_path: Path
) -> None:
    run = analyze(walk, "--observations", "--masks", tmp_path)
    first = cv2.imread(str(tmp_path / "000000.png"), cv2.IMREAD_UNCHANGED)
    assert first is not None and not first.any(), "the scene is not known yet, and hidden whole"
    for seen in run.of("observation"):
        mask = cv2.imread(str(tmp_path / f"{seen['frame']:06d}.png"), cv2.IMREAD_UNCHANGED)
        assert mask is not None
        assert set(np.unique(mask)) == {0, 255}
        x, y, w, h = seen["box"]
        rows, columns = np.nonzero(mask)
        assert x * 320 - 1 <= columns.min() and columns.max() <= (x + w) * 320
        assert y * 240 - 1 <= rows.min() and rows.max() <= (y + h) * 240


def test_masks_of_several_sources_and_analyzers_do_not_meet(
    analyze: Analyze, walk: Path, recording: Make, module: Module, tmp_path: Path
) -> None:
    masks = tmp_path / "masks"
    short = recording("short.mp4", seconds=0.4)
    analyze(walk, short, "--analyzer", module("half", HALF), "--analyzer", "motion", "--masks", masks)
    assert {path.name for path in masks.iterdir()} == {"walk", "short"}
    assert [path.name for path in sorted((masks / "short").glob("*.png"))] == ["000000.png", "000005.png", "000009.png"]
    assert len(list((masks / "walk").glob("*.png"))) == len(list((masks / "walk" / "motion").glob("*.png"))) == 56


def test_a_configuration_brings_zones_rules_masks_and_clip_times(analyze: Analyze, walk: Path, tmp_path: Path) -> None:
    config = tmp_path / "camera-edge.yaml"
    config.write_text(CONFIG)
    run = analyze(walk, "-c", config, "--out", tmp_path / "out", "--observations", "--masks", tmp_path / "masks")
    assert run.code == 0
    event = run.of("event")[0]
    assert [(line["rule"], line["zones"]) for line in run.of("event")] == [("on_the_path", ["path"])]
    # the walker's feet stand on the path, his head does not reach the sky
    assert run.of("observation")
    metadata = json.loads((tmp_path / "out" / event["clip"]).with_suffix(".json").read_text())
    frames = metadata["frames"]["ranges"]
    assert frames == [{"first": round(event["opened_s"] * 25) - 10, "last": round(event["closed_s"] * 25) + 50}]
    assert metadata["redaction"]["static_masks"] == 1
    clip = cv2.VideoCapture(str(tmp_path / "out" / event["clip"]))
    shown, picture = clip.read()
    assert shown
    assert picture[:70, :62].max() < 12


def test_a_privacy_mask_is_black_before_an_analyzer_sees_it(
    analyze: Analyze, walk: Path, module: Module, tmp_path: Path
) -> None:
    config = tmp_path / "camera-edge.yaml"
    config.write_text(CONFIG)
    corner = module(
        "corner",
        """(import "camera_edge" "score" (func $score (param f64) (result i32)))
        (func (export "analyze") (param $slot i32) (result i32)
          (call $score (f64.convert_i32_u (i32.load8_u (i32.add (local.get $slot)
            (i32.load offset=44 (local.get $slot)))))))""",
    )
    masked = analyze(walk, "-c", config, "--analyzer", corner, "--scores")
    assert {line["value"] for line in masked.of("score")} == {16.0}
    assert all(line["value"] > 16 for line in analyze(walk, "--analyzer", corner, "--scores").of("score"))


def test_a_configuration_with_several_cameras_is_matched_by_name(analyze: Analyze, walk: Path, tmp_path: Path) -> None:
    config = tmp_path / "camera-edge.yaml"
    config.write_text(
        "version: 1\ncameras:\n  walk: {source: a.mp4, rules: {mine: {kinds: [motion]}}}\n  gate: {source: b.mp4}\n"
    )
    assert [line["rule"] for line in analyze(walk, "-c", config).of("event")] == ["mine"]
    strange = tmp_path / "strange.mp4"
    strange.write_bytes(walk.read_bytes())
    refused = analyze(strange, "-c", config)
    assert (refused.code, refused.lines) == (64, ())
    assert "walk, gate" in refused.said


def test_for_people_events_are_on_stdout_and_the_rest_on_stderr(
    command: Callable[..., tuple[int, str, str]], walk: Path
) -> None:
    code, out, said = command("analyze", walk)
    assert code == 0
    assert len(out.splitlines()) == 1 and "motion" in out
    assert "275 frames, 56 analysed, 1 events" in said


def test_observations_without_json_are_refused(command: Callable[..., tuple[int, str, str]], walk: Path) -> None:
    code, out, said = command("analyze", walk, "--observations")
    assert (code, out) == (64, "")
    assert "--json" in said


@pytest.mark.parametrize("asked", [["--observations"], []], ids=["much output", "little output"])
def test_a_reader_that_goes_away_ends_the_run_quietly(
    walk: Path, cache: Path, tmp_path: Path, asked: list[str]
) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(
        [*_program(), "analyze", walk, walk, "--json", *asked, "--out", out],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(cache),
    )
    assert process.stdout is not None and process.stderr is not None
    if asked:
        process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(30), said) == (0, b"")
    assert not list(out.rglob("*.part"))


def test_progress_is_shown_on_a_terminal_only_and_never_on_stdout(walk: Path, cache: Path) -> None:
    """stderr is a terminal and stdout a pipe: each gets its own."""
    leader, follower = pty.openpty()
    shown: list[bytes] = []
    reading = threading.Thread(target=_drain, args=(leader, shown))
    reading.start()
    done = subprocess.run(
        [*_program(), "analyze", walk, "--json"],
        stdout=subprocess.PIPE,
        stderr=follower,
        env=_environment(cache) | {"TERM": "xterm"},
        timeout=60,
    )
    os.close(follower)
    reading.join()
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["type"] for line in lines] == ["event", "summary"]
    assert b"frames analysed" in b"".join(shown)
    assert b'"type"' not in b"".join(shown)


def test_without_a_terminal_nothing_is_said(analyze: Analyze, walk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert analyze(walk).said == ""


def _program() -> list[str]:
    return [sys.executable, "-m", "camera_edge"]


def _environment(cache: Path) -> dict[str, str]:
    # output is buffered as it is by default
    return os.environ | {"XDG_CACHE_HOME": str(cache), "PYTHONUNBUFFERED": ""}


def _drain(leader: int, shown: list[bytes]) -> None:
    try:
        while data := os.read(leader, 4096):
            shown.append(data)
    except OSError:
        # a terminal whose other side is closed reads as an error
        pass
    finally:
        os.close(leader)
