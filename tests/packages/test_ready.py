from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from camera_edge.packages.ready import main


def test_the_one_shot_child_compiles_what_it_is_told(eager: Path, tmp_path: Path) -> None:
    wasm = eager
    command = [
        sys.executable,
        "-m",
        "camera_edge.packages.ready",
        str(tmp_path / "cache"),
        str(tmp_path / "shelf"),
        str(wasm),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 64, "no folders"),
        (["cache", "shelf", "missing.wasm"], 70, "missing.wasm: cannot be read"),
        (["cache", "shelf", "unknown_module"], 70, "unknown_module"),
    ],
)
def test_the_one_shot_child_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    assert main(arguments) == code
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and (message in error or "the shipped analyzers are not there" in error)
