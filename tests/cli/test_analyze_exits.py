"""Exit codes of `camera-edge analyze`: a fault gives one message with the next step, and leaves no half file."""

import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import pytest

Analyze = Callable[..., Any]
Make = Callable[..., Path]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root")


def check_said_once(said: str, *words: str) -> None:
    """One error with its next step, and these words in it."""
    assert said.count("error:") == 1, said
    assert said.count("next:") == 1, said
    for word in words:
        assert word in said


def check_no_leftovers(folder: Path) -> None:
    left = [path.name for path in folder.rglob("*") if path.is_file()]
    assert not [name for name in left if name.endswith(".part") or name.startswith(".")]
    # metadata stands for whole clips, and no clip stands without it
    assert {Path(name).stem for name in left} == {Path(name).stem for name in left if name.endswith(".json")}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["{walk}", "--frames"],
        ["{walk}", "--analyzer", "nobody"],
        ["{walk}", "--analyzer", "motion:learn_s"],
        ["{walk}", "--analyzer", "motion", "--analyzer", "motion"],
        ["{walk}", "--analyzer", "objects"],
        ["{walk}", "--analyzer", "motion:state={walk}.absent"],
        ["rtsp://me:secret@192.0.2.1/live"],
    ],
)
def test_a_wrong_command_line_is_64(
    command: Callable[..., tuple[int, str, str]], walk: Path, arguments: list[str]
) -> None:
    code, out, said = command("analyze", *(each.format(walk=walk) for each in arguments))
    assert (code, out) == (64, "")
    assert said
    assert "secret" not in said


def test_an_unknown_analyzer_is_answered_with_those_there_are(analyze: Analyze, walk: Path) -> None:
    check_said_once(analyze(walk, "--analyzer", "nobody").said, "nobody", "motion", "objects", ".wasm")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 1\ncameras:\n  a: {source: a.mp4, rat: 5}\n", [":3", "rat", "rate"]),
        ("version: 1\ncameras:\n  a: {source: a.mp4, rate: fast}\n", [":3", "rate"]),
        ("version: 1\ncameras:\n  a:\n    source: a.mp4\n    rules: {x: {zones: [moon]}}\n", [":3", "moon"]),
        ("version: 1\ncameras:\n  a: {source: a.mp4, analyzers: {nobody: {}}}\n", ["nobody", "motion"]),
        ("cameras: [\n", [":2"]),
    ],
)
def test_a_wrong_configuration_is_78(analyze: Analyze, walk: Path, tmp_path: Path, text: str, words: list[str]) -> None:
    config = tmp_path / "camera-edge.yaml"
    config.write_text(text)
    run = analyze(walk, "-c", config)
    assert (run.code, run.lines) == (78, ())
    check_said_once(run.said, *words)


def test_a_configuration_whose_redaction_needs_what_does_not_run_is_78(
    analyze: Analyze, walk: Path, tmp_path: Path
) -> None:
    config = tmp_path / "camera-edge.yaml"
    config.write_text(
        "version: 1\ncameras:\n  a:\n    source: a.mp4\n"
        "    analyzers: {motion: {}, objects: {params: {model: x}}}\n    redact: {with: [objects]}\n"
    )
    run = analyze(walk, "-c", config, "--analyzer", "motion")
    assert run.code == 78
    check_said_once(run.said, "objects", "--analyzer")


def test_a_missing_source_is_74_and_the_others_have_their_turn(analyze: Analyze, walk: Path, tmp_path: Path) -> None:
    run = analyze(tmp_path / "absent.mp4", walk)
    assert run.code == 74
    assert [line["type"] for line in run.lines] == ["event", "summary"]
    check_said_once(run.said, "absent.mp4")


def test_the_first_fault_decides_the_exit_code(analyze: Analyze, tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert analyze(empty, tmp_path / "absent.mp4").code == 65
    assert analyze(tmp_path / "absent.mp4", empty).code == 74


def test_a_camera_that_refuses_is_74(analyze: Analyze) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    run = analyze(f"rtsp://127.0.0.1:{port}/live")
    assert (run.code, run.lines) == (74, ())
    check_said_once(run.said, f"127.0.0.1:{port}")


@pytest.fixture
def dropping_camera(recording: Make, tmp_path: Path) -> Iterator[str]:
    """An HTTP camera that gives the pictures of a walk and then hangs up."""
    reader = cv2.VideoCapture(str(recording("given.mp4", fps=10, seconds=7.0)))
    images = []
    while (got := reader.read())[0]:
        images.append(cv2.imencode(".jpg", got[1])[1].tobytes())

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            for image in images:
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n"
                self.wfile.write(head.encode() + image + b"\r\n")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/live"
    server.shutdown()
    server.server_close()


def test_a_camera_that_drops_is_74_and_what_it_gave_is_not_lost(
    analyze: Analyze, dropping_camera: str, eager: Path, tmp_path: Path
) -> None:
    run = analyze(dropping_camera, "--analyzer", eager, "--out", tmp_path / "out")
    assert run.code == 74
    check_said_once(run.said, "127.0.0.1")
    assert run.summary["frames"] > 40
    events = run.of("event")
    assert events
    assert all((tmp_path / "out" / event["clip"]).is_file() for event in events)
    check_no_leftovers(tmp_path / "out")


def test_out_that_is_a_file_is_73_before_anything_is_read(analyze: Analyze, walk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.touch()
    run = analyze(walk, walk, "--out", out)
    assert (run.code, run.lines) == (73, ())
    check_said_once(run.said, str(out))


def test_masks_into_a_file_are_73_before_anything_is_read(analyze: Analyze, walk: Path, tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    masks.touch()
    run = analyze(walk, "--masks", masks)
    assert (run.code, run.lines) == (73, ())
    check_said_once(run.said, str(masks))


@needs_root
@pytest.mark.parametrize("option", ["--out", "--masks"])
def test_a_read_only_folder_is_73(analyze: Analyze, walk: Path, mounted: Callable[..., Path], option: str) -> None:
    folder = mounted("ro")
    # found before the source is: that one is not there
    run = analyze(walk.with_name("absent.mp4"), option, folder)
    assert (run.code, run.lines) == (73, ())
    check_said_once(run.said, str(folder), "Read-only file system")


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """A file system of its own: `mounted("ro")`, `mounted("size=128k")`."""
    made: list[Path] = []

    def mount(options: str) -> Path:
        folder = tmp_path / f"mounted{len(made)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.strip()}")
        made.append(folder)
        return folder

    yield mount
    for folder in made:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@needs_root
def test_a_full_folder_is_73_with_every_event_told_and_no_half_clip(
    analyze: Analyze, recording: Make, mounted: Callable[..., Path]
) -> None:
    folder = mounted("size=48k")
    run = analyze(recording("large.mp4", size=(640, 480)), "--out", folder)
    assert run.code == 73
    check_said_once(run.said, "No space left on device", "free some space")
    assert [(event["clip"], event["snapshot"]) for event in run.of("event")] == [(None, None)]
    assert (run.summary["events"], run.summary["egress_bytes"]) == (1, 0)
    check_no_leftovers(folder)


@needs_root
def test_masks_that_fill_the_disk_are_73_without_a_half_mask(
    analyze: Analyze, walk: Path, mounted: Callable[..., Path], tmp_path: Path
) -> None:
    folder = mounted("size=32k")
    run = analyze(walk, "--masks", folder, "--out", tmp_path / "out")
    assert run.code == 73
    check_said_once(run.said, "No space left on device")
    assert [path.name for path in folder.iterdir()]
    assert all(cv2.imread(str(path)) is not None for path in folder.iterdir())
    check_no_leftovers(tmp_path / "out")


def test_a_limit_on_the_size_of_files_is_73(recording: Make, cache: Path, tmp_path: Path) -> None:
    path = recording("large.mp4", size=(640, 480))
    done = subprocess.run(
        [sys.executable, "-m", "camera_edge", "analyze", path, "--json", "--out", tmp_path / "out"],
        capture_output=True,
        text=True,
        env=os.environ | {"XDG_CACHE_HOME": str(cache)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)),
    )
    assert done.returncode == 73, done.stderr
    check_said_once(done.stderr, "File too large")
    check_no_leftovers(tmp_path / "out")


def test_a_cache_that_cannot_be_written_costs_time_and_not_the_run(
    analyze: Analyze, walk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = analyze(walk)
    in_the_way = tmp_path / "cache"
    in_the_way.touch()
    run = analyze(walk, environment={"XDG_CACHE_HOME": str(in_the_way)})
    assert run.code == 0
    assert run.of("event") == known.of("event")
    assert "warning:" in run.said and "XDG_CACHE_HOME" in run.said


@needs_root
def test_a_full_cache_costs_time_and_not_the_run(analyze: Analyze, walk: Path, mounted: Callable[..., Path]) -> None:
    run = analyze(walk, environment={"XDG_CACHE_HOME": str(mounted("size=64k"))})
    assert run.code == 0
    assert "No space left on device" in run.said


def test_a_cache_that_others_can_write_is_refused(analyze: Analyze, walk: Path, tmp_path: Path) -> None:
    folder = tmp_path / "camera-edge" / "modules"
    environment = {"XDG_CACHE_HOME": str(tmp_path)}
    assert analyze(walk, environment=environment).code == 0
    folder.chmod(0o777)
    run = analyze(walk, environment=environment)
    assert (run.code, run.lines) == (70, ())
    check_said_once(run.said, str(folder), "delete the folder")
