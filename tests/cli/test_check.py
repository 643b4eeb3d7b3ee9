"""`camera-edge check`, and what any command does with an output that takes nothing more."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
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


def installed(folder: Path, wasm: Path) -> Path:
    """Installs a module into the state folder `folder`, signed by a key that is trusted there."""
    state = ["--state", str(folder)]
    package = str(folder / "eager.tar")
    for words in (
        ["keygen", "me", "--out", str(folder)],
        ["pack", str(wasm), "--out", package],
        ["sign", package, "--key", str(folder / "me.key")],
        ["trust", "add", str(folder / "me.pub"), "--name", "me", *state],
        ["install", package, *state],
    ):
        assert main(["analyzer", *words]) == 0
    return folder / "analyzers" / "modules" / "eager" / "1" / "eager.wasm"


def test_a_damaged_module_is_an_error_and_holds_up_only_its_camera_when_the_appliance_starts(
    tmp_path: Path, eager: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, "    analyzers: {motion: {}, eager: {}}\n  gate: {source: 'synthetic:?seed=2'}\n")
    wasm = installed(tmp_path, eager)
    assert main(["check", "-c", path]) == 0
    wasm.write_bytes(wasm.read_bytes() + b"\0")
    capfd.readouterr()
    assert main(["check", "-c", path]) == 78
    said = capfd.readouterr().err
    assert "eager" in said and "damaged" in said and "next:" in said
    assert main(["check", "-c", path, "--json", "--before-start"]) == 0
    told = capfd.readouterr()
    assert json.loads(told.out)["cameras"] == ["gate"]
    assert "cameras.yard does not run" in told.err


def test_a_grant_that_an_import_lacks_is_a_fault_of_the_configuration(
    tmp_path: Path, module: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    stores = """(import "camera_edge" "state_put" (func (param i32 i32 i32) (result i32)))
    (func (export "analyze") (param i32) (result i32) (i32.const 0))"""
    installed(tmp_path, module("eager", stores, asks='"pixels", "state:64"'))
    assert main(["check", "-c", config(tmp_path, "    analyzers: {motion: {}, eager: {}}\n")]) == 78
    said = capfd.readouterr().err
    assert "imports camera_edge.state_put, which needs state:<bytes>" in said
    assert main(["check", "-c", config(tmp_path, "    analyzers: {motion: {}, eager: {grant: ['state:64']}}\n")]) == 0


def test_a_newer_version_that_may_not_run_is_told(
    tmp_path: Path, module: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    analyze = '(func (export "analyze") (param i32) (result i32) (i32.const 0))'
    installed(tmp_path, module("eager", analyze))
    newer = module("eager", analyze + '(global (export "new") i32 (i32.const 0))', version="2")
    package = str(tmp_path / "newer.tar")
    assert main(["analyzer", "pack", str(newer), "--out", package]) == 0
    assert main(["analyzer", "sign", package, "--key", str(tmp_path / "me.key")]) == 0
    assert main(["analyzer", "install", package, "--state", str(tmp_path)]) == 0
    digest = hashlib.sha256(newer.read_bytes()).hexdigest()
    assert main(["analyzer", "revoke", digest, "--state", str(tmp_path)]) == 0
    capfd.readouterr()
    assert main(["check", "-c", config(tmp_path, "    analyzers: {motion: {}, eager: {}}\n")]) == 0
    assert "eager 2 is not run: its digest was revoked; 1 runs" in capfd.readouterr().err
