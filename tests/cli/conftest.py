"""Runs of `camera-edge analyze` in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from camera_edge.cli import main


@dataclass(frozen=True, slots=True)
class Run:
    """What a command gave: its exit code, its stdout as JSON Lines, its stderr."""

    code: int
    lines: tuple[dict[str, Any], ...]
    said: str

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["type"] == kind]

    @property
    def summary(self) -> dict[str, Any]:
        assert self.lines, self.said
        assert self.lines[-1]["type"] == "summary"
        return self.lines[-1]


@pytest.fixture
def command(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command in this process: its exit code, stdout and stderr."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(each) for each in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err

    return run


@pytest.fixture
def analyze(command: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """`camera-edge analyze --json ...`, in the environment given."""

    def run(*arguments: str | Path, environment: dict[str, str] | None = None) -> Run:
        for name, value in (environment or {}).items():
            monkeypatch.setenv(name, value)
        code, out, said = command("analyze", *arguments, "--json")
        return Run(code, tuple(json.loads(line) for line in out.splitlines()), said)

    return run
