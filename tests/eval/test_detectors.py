from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from camera_edge.errors import ModelError
from camera_edge.eval.detectors import with_detector
from camera_edge.worker.plan import Supply
from tests.eval.drawn import CONTRACT, detector

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "models" / "tiny" / "tiny.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(detector())
    return path


def test_an_added_model_is_used_where_it_is(tmp_path: Path, tiny: Path) -> None:
    supply = Supply.of(tmp_path / "state")
    supply.models.add(tiny, "tiny", CONTRACT)
    with with_detector("tiny", tmp_path, supply) as given:
        assert given is supply


def test_a_stranger_beside_the_data_is_refused(tmp_path: Path, tiny: Path) -> None:
    digest = hashlib.sha256(tiny.read_bytes()).hexdigest()
    video = tmp_path / "data" / "video" / "one"
    video.mkdir(parents=True)
    with pytest.raises(ModelError, match=digest), with_detector("tiny", video, Supply.of(tmp_path / "state")):
        pass


def test_no_model_anywhere_is_an_error_with_the_next_step(tmp_path: Path) -> None:
    with (
        pytest.raises(ModelError, match="tiny") as caught,
        with_detector("tiny", tmp_path, Supply.of(tmp_path / "state")),
    ):
        pass
    assert "model add" in (caught.value.hint or "")


@pytest.mark.skipif(not DATA.is_dir(), reason="no evaluation data: shared/data")
def test_a_known_model_beside_the_data_is_used_and_the_state_stays_as_it_was(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with with_detector("fastestdet", DATA / "video" / "mot15", Supply.of(state)) as given:
        assert given.models.get("fastestdet").contract.output.decoder == "fastestdet"
    assert not state.exists()
