from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from camera_edge.errors import OutputError, StateLockedError
from camera_edge.store import StateLock

HOLDER = """
import sys
from pathlib import Path
from camera_edge.store import StateLock
StateLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_holder_is_refused_with_the_process_and_the_next_step(tmp_path: Path) -> None:
    with StateLock(tmp_path), pytest.raises(StateLockedError, match="stop it") as caught:
        StateLock(tmp_path).acquire()
    assert str(os.getpid()) in caught.value.message


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with StateLock(tmp_path):
            assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_the_lock_goes_with_a_holder_that_dies(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(StateLockedError, match=f"process {process.pid}"):
            StateLock(tmp_path).acquire()
        process.kill()
        process.wait(10)
        with StateLock(tmp_path):
            pass


def test_the_state_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with StateLock(tmp_path / "deep" / "state"):
        assert (tmp_path / "deep" / "state").stat().st_mode & 0o777 == 0o700


def test_a_state_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="another `state:`"):
        StateLock(tmp_path / "file" / "state").acquire()
