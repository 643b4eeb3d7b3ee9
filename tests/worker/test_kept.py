"""What modules learned on a live camera, from one worker to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from camera_edge.worker.kept import KeptStates
from camera_edge.worker.plan import CameraPlan


@pytest.fixture
def learner(plan: Callable[..., CameraPlan]) -> CameraPlan:
    """A camera with one module that may keep 100 bytes."""
    base = plan("motion")
    (motion,) = base.analyzers
    return replace(base, analyzers=(replace(motion, capabilities=frozenset({"pixels", "state:100"})),))


def state_of(plan: CameraPlan) -> bytes:
    return plan.analyzers[0].state


def test_what_was_saved_is_there_for_the_next_worker(tmp_path: Path, learner: CameraPlan) -> None:
    KeptStates(tmp_path).save({"motion": b"learned"})
    restored = KeptStates(tmp_path).restore(learner)
    assert state_of(restored) == b"learned"
    assert restored.analyzers[0].params["camera.state"] == "kept"


def test_the_first_worker_starts_with_nothing(tmp_path: Path, learner: CameraPlan) -> None:
    assert state_of(KeptStates(tmp_path).restore(learner)) == b""


def test_a_module_that_may_keep_nothing_gets_nothing(tmp_path: Path, plan: Callable[..., CameraPlan]) -> None:
    KeptStates(tmp_path).save({"motion": b"learned"})
    restored = KeptStates(tmp_path).restore(plan("motion"))
    assert state_of(restored) == b"" and "camera.state" not in restored.analyzers[0].params


def test_a_state_beyond_what_is_granted_now_is_left_alone(tmp_path: Path, learner: CameraPlan) -> None:
    KeptStates(tmp_path).save({"motion": bytes(101)})
    assert state_of(KeptStates(tmp_path).restore(learner)) == b""


def test_a_file_is_for_its_owner_alone_and_written_only_when_it_changes(tmp_path: Path) -> None:
    kept = KeptStates(tmp_path)
    kept.save({"motion": b"learned", "idle": b""})
    (file,) = tmp_path.iterdir()
    assert file.name == "motion.state" and file.stat().st_mode & 0o777 == 0o600
    file.unlink()
    kept.save({"motion": b"learned"})
    assert list(tmp_path.iterdir()) == []
    kept.save({"motion": b"learned more"})
    assert file.read_bytes() == b"learned more"


def test_a_folder_that_cannot_be_written_costs_no_camera(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    KeptStates(tmp_path / "missing").save({"motion": b"learned"})
    assert "is not kept" in caplog.text
