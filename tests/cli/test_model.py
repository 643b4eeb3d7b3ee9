from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from camera_edge.cli.model import app
from camera_edge.errors import ModelError, UsageError

TINY = Path(__file__).resolve().parents[3] / "shared" / "data" / "models" / "onnx_tiny"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def tiny() -> Path:
    """The folder of two tiny models: `mnist` is in the catalogue, `sum_and_difference` is not."""
    if not TINY.is_dir():
        pytest.skip("no evaluation data: shared/data/models/onnx_tiny")
    return TINY


def command(*arguments: object) -> None:
    get_command(app).main([str(argument) for argument in arguments], standalone_mode=False)


def test_add_list_and_show_speak_json_on_stdout(tiny: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command("add", tiny / "mnist.onnx", "--state", state, "--json")
    added = json.loads(capsys.readouterr().out)
    assert added["name"] == "mnist"
    assert added["size_bytes"] == (tiny / "mnist.onnx").stat().st_size
    assert added["input"]["channels"] == "gray"
    assert added["outputs"] == [{"name": "Plus214_Output_0", "shape": [1, 10]}]
    command("list", "--state", state, "--json")
    listed = json.loads(capsys.readouterr().out)
    assert [model for model in listed if not model["shipped"]] == [added]
    command("show", "mnist", "--state", state, "--json")
    assert json.loads(capsys.readouterr().out) == added


def test_people_get_a_table_and_the_next_step(tiny: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command("add", tiny / "mnist.onnx", "--name", "digits", "--state", state)
    told = capsys.readouterr()
    assert told.out == ""
    assert "grant: [onnx:digits]" in told.err
    command("list", "--state", state)
    assert "digits" in capsys.readouterr().out
    command("show", "digits", "--state", state)
    assert "5c688690f8bacf66" in capsys.readouterr().out


def test_a_stranger_needs_a_contract(tiny: Path, state: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="--contract"):
        command("add", tiny / "sum_and_difference.onnx", "--state", state)
    contract = tmp_path / "sums.toml"
    contract.write_text('contract = 1\nlicence = "MIT"\n')
    command("add", tiny / "sum_and_difference.onnx", "--contract", contract, "--state", state)
    assert (state / "models" / "sum_and_difference.json").is_file()


def test_a_contract_with_an_unknown_key_is_refused_with_its_file(tiny: Path, state: Path, tmp_path: Path) -> None:
    contract = tmp_path / "sums.toml"
    contract.write_text("contract = 1\nlicense = 'MIT'\n")
    with pytest.raises(ModelError, match=r"sums\.toml.*license"):
        command("add", tiny / "sum_and_difference.onnx", "--contract", contract, "--state", state)


def test_a_contract_that_is_not_there_is_a_usage_error(state: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml"):
        command("add", tmp_path / "x.onnx", "--contract", tmp_path / "none.toml", "--state", state)


def test_an_unknown_model_is_an_error_that_names_those_there_are(state: Path) -> None:
    with pytest.raises(ModelError, match="there are: blobs"):
        command("show", "nothing", "--state", state)


def test_before_any_was_added_the_shipped_model_is_listed(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command("list", "--state", state, "--json")
    (blobs,) = json.loads(capsys.readouterr().out)
    assert (blobs["name"], blobs["shipped"], blobs["licence"]) == ("blobs", True, "Apache-2.0")
    command("list", "--state", state)
    told = capsys.readouterr()
    assert "blobs" in told.out
    assert "shipped" in told.out
    assert "--known" in told.err
    command("show", "blobs", "--state", state)
    assert "shipped" in capsys.readouterr().out
    assert not state.exists()


def test_known_models_are_those_of_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    command("list", "--known", "--json")
    known = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert known["yolox_nano"]["licence"] == "Apache-2.0"
    command("list", "--known")
    assert "fastestdet" in capsys.readouterr().out


def test_the_tree_of_commands_loads_no_heavy_library() -> None:
    code = "import sys, camera_edge.cli.model; print({'numpy', 'cv2', 'onnxruntime', 'rich.table'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
