"""`camera-edge check`, and what any command does with an output that takes nothing more."""

import subprocess
import sys
from pathlib import Path

import pytest

from camera_edge.cli import main


def config(folder: Path, rest: str = "") -> str:
    path = folder / "camera-edge.yaml"
    path.write_text(f"version: 1\nstate: {folder}\ncameras:\n  yard:\n    source: 'synthetic:?seed=1'\n{rest}")
    return str(path)


def test_a_configuration_that_would_run_is_ok(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-c", config(tmp_path), "--json"]) == 0
    assert capfd.readouterr().out == '{"ok":true,"cameras":["yard"],"warnings":[]}\n'


@pytest.mark.parametrize(
    ("analyzers", "words"),
    [
        ("{nosuch: {}}", "nosuch"),
        ("{motion: {params: {bogus: 1}}}", "bogus"),
        ("{objects: {}}", "objects"),
        ("{objects: {grant: ['onnx:x'], params: {model: x}}}", "'x'"),
    ],
)
def test_what_could_not_run_is_a_fault_of_the_configuration(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], analyzers: str, words: str
) -> None:
    assert main(["check", "-c", config(tmp_path, f"    analyzers: {analyzers}\n")]) == 78
    said = capfd.readouterr().err
    assert words in said and "camera-edge.yaml" in said and "next:" in said


def test_a_rule_that_can_never_fire_is_warned_of(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-c", config(tmp_path, "    rules: {r: {kinds: [persn]}}\n")]) == 0
    assert "persn" in capfd.readouterr().err


def test_a_full_output_is_one_error_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "camera_edge", "check", "-c", config(tmp_path), "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 73
    assert "standard output" in done.stderr and "Traceback" not in done.stderr
