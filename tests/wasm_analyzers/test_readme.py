"""The commands of `wasm_analyzers/README.md`, run one after the other in an empty folder, say what is written there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from camera_edge.toolchain import Language, missing

README = Path(__file__).resolve().parents[2] / "wasm_analyzers" / "README.md"
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "…"
MARK = "--- end of block"


@dataclass(frozen=True, slots=True)
class Step:
    """Commands, and lines that they print, in any order; `…` stands for anything."""

    commands: str
    expected: tuple[str, ...]


def steps(text: str) -> list[Step]:
    found: list[Step] = []
    for kind, body in BLOCK.findall(text):
        if kind == "sh":
            found.append(Step(body, ()))
        else:
            assert found, "output stands before any command"
            found[-1] = Step(found[-1].commands, tuple(body.splitlines()))
    return found


def pattern(line: str) -> re.Pattern[str]:
    words = (re.escape(word) for part in line.split(ANYTHING) for word in [part.strip()])
    return re.compile(".*".join(words).replace(r"\ \ ", r"\s+").replace(r"\ ", r"\s+"))


@pytest.fixture(scope="module")
def tutorial() -> list[Step]:
    return steps(README.read_text(encoding="utf-8"))


def test_each_block_of_commands_does_what_is_written_below_it(tutorial: list[Step], tmp_path: Path) -> None:
    if (reason := missing(Language.C)) is not None:
        pytest.skip(reason)
    folder, home = tmp_path / "work", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    script = "".join(f"{step.commands}\necho '{MARK}'\n" for step in tutorial)
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
    }
    done = subprocess.run(
        ["sh", "-eu"],
        input=script,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    said = done.stdout.split(f"{MARK}\n")
    assert len(said) == len(tutorial) + 1
    for step, output in zip(tutorial, said, strict=False):
        for line in step.expected:
            assert pattern(line).search(output), f"{line!r} is not in the output of\n{step.commands}\n{output}"


def test_the_tutorial_covers_the_way_of_a_module(tutorial: list[Step]) -> None:
    commands = "\n".join(step.commands for step in tutorial)
    for word in ("new", "build", "test", "replay", "bench", "keygen", "pack", "sign", "trust", "verify", "install"):
        assert f"camera-edge analyzer {word} " in commands.replace("\n", " ")


def test_a_line_that_was_not_printed_is_noticed() -> None:
    assert pattern("ok  yard  … lines").search("ok yard 23 lines\n")
    assert not pattern("ok  yard  … lines").search("differs  yard  line 5: scores[0].value\n")
