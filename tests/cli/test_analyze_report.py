"""`camera-edge analyze --report`: one page of what was found, whatever became of the sources."""

import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from camera_edge.cli import main
from camera_edge.sandbox import shipped
from tests import onnx_bytes

Analyze = Callable[..., Any]
Make = Callable[..., Path]
Module = Callable[..., Path]

# a score that grows by one a frame, and after ten frames one for three frames before
SCORING = """
(import "camera_edge" "score" (func $score (param f64) (result i32)))
(import "camera_edge" "score_at" (func $score_at (param i32 f64) (result i32)))
(func (export "analyze") (param $slot i32) (result i32) (local $frame i64)
  (local.set $frame (i64.load (i32.add (local.get $slot) (i32.const 8))))
  (if (i64.gt_u (local.get $frame) (i64.const 50))
    (then (drop (call $score_at (i32.const 3) (f64.const 9)))))
  (call $score (f64.convert_i64_u (local.get $frame))))
"""


def pictures(page: str) -> list[bytes]:
    return [base64.b64decode(text) for text in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)]


@pytest.mark.parametrize("clips", [True, False])
def test_the_page_tells_every_event_with_its_redacted_picture(
    analyze: Analyze, walk: Path, tmp_path: Path, clips: bool
) -> None:
    page = tmp_path / "found.html"
    run = analyze(walk, "--report", page, *(["--out", tmp_path / "out"] if clips else []))
    assert run.code == 0 and str(page) in run.said.replace("\n", "")
    text = page.read_text()
    (event,) = run.of("event")
    for words in (event["id"], event["kind"], event["why"], str(walk), "motion", "1 event in 1 source"):
        assert words in text
    (picture,) = pictures(text)
    assert picture.startswith(b"\xff\xd8")
    if clips:
        # the picture is no wider than a report's are, so it is the very one
        assert picture == (tmp_path / "out" / event["snapshot"]).read_bytes()
        assert event["clip"] in text
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["found.html"]


def test_without_events_and_scores_there_is_a_page_too(analyze: Analyze, recording: Make, tmp_path: Path) -> None:
    quiet = recording("quiet.mp4", seconds=2, walks=(0, 0))
    assert analyze(quiet, "--report", tmp_path / "found.html").code == 0
    assert "no event in" in (tmp_path / "found.html").read_text()


def test_scores_are_plotted_those_given_afterwards_apart(
    analyze: Analyze, walk: Path, module: Module, tmp_path: Path
) -> None:
    page = tmp_path / "found.html"
    assert analyze(walk, "--analyzer", module("scoring", SCORING), "--report", page, "--rate", "native").code == 0
    text = page.read_text()
    assert "scoring, 499 scores" in text
    assert ">at the time<" in text and ">afterwards<" in text


def test_what_made_it_is_what_ran(analyze: Analyze, walk: Path, eager: Path, tmp_path: Path) -> None:
    page = tmp_path / "found.html"
    assert analyze(walk, "--analyzer", eager, "--report", page).code == 0
    text = page.read_text()
    assert hashlib.sha256(eager.read_bytes()).hexdigest() in text and shipped("motion").sha256 in text
    assert "motion (for redaction alone)" in text
    assert "decoder h264" in text and "wasmtime" in text


def test_the_models_that_ran_are_named(
    analyze: Analyze, walk: Path, module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    model = tmp_path / "tiny.onnx"
    model.write_bytes(onnx_bytes.identity((1, 3, 8, 8)))
    contract = tmp_path / "contract.toml"
    contract.write_text(
        'contract = 1\n[input]\nname = "picture"\nwidth = 8\nheight = 8\nchannels = "bgr"\nfit = "stretch"\n'
    )
    assert main(["model", "add", str(model), "--contract", str(contract)]) == 0
    silent = '(func (export "analyze") (param i32) (result i32) (i32.const 0))'
    asker = module("asker", silent, asks='"pixels", "onnx:*"')
    run = analyze(walk, "--analyzer", f"{asker}:model=tiny", "--report", tmp_path / "found.html")
    assert run.code == 0, run.said
    text = (tmp_path / "found.html").read_text()
    assert f"tiny {hashlib.sha256(model.read_bytes()).hexdigest()}" in text and "onnxruntime" in text
    assert "model=tiny" in text and "model.width" not in text


def test_a_source_that_fails_is_in_the_page_and_so_are_the_others(analyze: Analyze, walk: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    page = tmp_path / "found.html"
    run = analyze(tmp_path / "absent.mp4", walk, empty, "--report", page)
    assert run.code == 74
    text = page.read_text()
    assert "absent.mp4: there is no such file" in text and "empty.mp4: " in text
    assert text.count(">failed<") == 2
    assert len(pictures(text)) == 1


def test_a_module_that_does_not_start_ends_the_run_and_the_page_says_so(
    analyze: Analyze, walk: Path, module: Module, tmp_path: Path
) -> None:
    broken = module("broken", SCORING + '(func (export "open") (result i32) (unreachable))')
    run = analyze(walk, "--analyzer", broken, "--report", tmp_path / "found.html")
    assert run.code == 70
    assert "This run ended before its end" in (tmp_path / "found.html").read_text()


def test_names_that_hold_markup_are_text(analyze: Analyze, walk: Path, tmp_path: Path) -> None:
    folder = tmp_path / "<script>alert(1)<" / "script>"
    folder.mkdir(parents=True)
    evil = folder / '"><img src=x onerror=alert(1)>.mp4'
    evil.symlink_to(walk)
    assert analyze(evil, "--report", tmp_path / "found.html").code == 0
    text = (tmp_path / "found.html").read_text("utf-8")
    assert "<script" not in text and "<img src=x" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_a_name_that_is_not_utf_8_is_told_as_far_as_it_can_be(walk: Path, cache: Path, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(bytes(tmp_path / "caf") + b"\xe9.mp4"))
    odd.symlink_to(walk)
    done = subprocess.run(
        [sys.executable, "-m", "camera_edge", "analyze", odd, walk, "--json", "--report", tmp_path / "found.html"],
        capture_output=True,
        env=os.environ | {"XDG_CACHE_HOME": str(cache)},
    )
    assert done.returncode == 74 and b"not UTF-8" in done.stderr and done.stderr.count(b"next:") == 1
    assert {json.loads(line)["source"] for line in done.stdout.decode("utf-8").splitlines()} == {str(walk)}
    text = (tmp_path / "found.html").read_text("utf-8")
    assert "caf\ufffd.mp4: its name is not UTF-8" in text and "1 event in 2 sources" in text


@pytest.mark.parametrize("name", ["found", "clip.mp4", "found.html.gz"])
def test_a_name_that_is_no_pages_is_64_and_the_file_stays(
    analyze: Analyze, walk: Path, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_text("precious")
    run = analyze(walk, "--report", path)
    assert (run.code, run.lines) == (64, ())
    assert path.read_text() == "precious" and "found.html" in run.said


def test_a_page_that_cannot_be_written_is_73_before_anything_is_read(
    analyze: Analyze, walk: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.html").mkdir()
    for page in (tmp_path / "file" / "found.html", tmp_path / "folder.html"):
        run = analyze(walk, "--report", page)
        assert (run.code, run.lines) == (73, ())
        assert run.said.count("error:") == run.said.count("next:") == 1 and page.name in run.said


def test_a_page_is_whole_or_as_it_was_before(
    analyze: Analyze, walk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "pages" / "found.html"
    assert analyze(walk, "--report", page).code == 0
    before = page.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    run = analyze(walk, "--report", page)
    assert run.code == 73 and "No space left on device" in run.said
    assert page.read_bytes() == before
    assert [path.name for path in page.parent.iterdir()] == ["found.html"]


def test_a_link_stays_a_link(analyze: Analyze, walk: Path, tmp_path: Path) -> None:
    link = tmp_path / "newest.html"
    link.symlink_to(tmp_path / "real.html")
    assert analyze(walk, "--report", link).code == 0
    assert link.is_symlink() and "1 event" in (tmp_path / "real.html").read_text()


def test_a_run_that_is_stopped_leaves_a_page_that_says_so(recording: Make, cache: Path, tmp_path: Path) -> None:
    long = recording("long.mp4", seconds=60, walks=(0, 0), fps=10)
    page = tmp_path / "found.html"
    with subprocess.Popen(
        [sys.executable, "-m", "camera_edge", "analyze", *[long] * 50, "--json", "--scores", "--report", page],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"XDG_CACHE_HOME": str(cache)},
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        running.stdout.read()
    assert running.returncode != 0
    assert "This run ended before its end: it was stopped" in page.read_text()
