from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from camera_edge.errors import ModelError, OutputError, UsageError
from camera_edge.inference.catalogue import Catalogue
from camera_edge.inference.contract import Contract, Output, PictureInput
from camera_edge.inference.model import Model, model_params
from camera_edge.inference.registry import Registry

OnnxWriter = Callable[..., bytes]
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def contract() -> Contract:
    picture = PictureInput(name="picture", width=8, height=4, channels="bgr", fit="stretch")
    return Contract(contract=1, input=picture, licence="MIT")


@pytest.fixture
def file(tmp_path: Path, onnx: OnnxWriter) -> Path:
    path = tmp_path / "Our Model v2.onnx"
    path.write_bytes(onnx((1, 3, 4, 8)))
    return path


@pytest.fixture
def registry(tmp_path: Path, catalogue_file: Path) -> Registry:
    return Registry(tmp_path / "state" / "models", Catalogue(catalogue_file))


def added_to(registry: Registry) -> list[Model]:
    return [model for model in registry.list() if not model.is_shipped]


def test_a_fresh_state_folder_has_the_shipped_models_alone(registry: Registry) -> None:
    assert [(model.name, model.is_shipped) for model in registry.list()] == [("blobs", True)]
    with pytest.raises(ModelError, match="there are: blobs"):
        registry.get("anything")


def test_a_shipped_model_is_got_whole_and_needs_no_state_folder(registry: Registry, tmp_path: Path) -> None:
    model = registry.get("blobs")
    assert model.read() == (REPOSITORY / "models" / "blobs.onnx").read_bytes()
    assert model.size_bytes == len(model.read()) <= 300_000
    assert model_params(model)["model.outputs"] == "-1x8,-1x32"
    assert not (tmp_path / "state").exists()


def test_a_shipped_model_that_was_changed_is_refused_with_the_next_step(tmp_path: Path, catalogue_file: Path) -> None:
    copy = tmp_path / "models"
    shutil.copytree(catalogue_file.parent, copy)
    data = bytearray((copy / "blobs.onnx").read_bytes())
    data[-1] ^= 1
    (copy / "blobs.onnx").write_bytes(data)
    with pytest.raises(ModelError, match="damaged") as caught:
        Registry(tmp_path / "state", Catalogue(copy / "catalogue.toml")).get("blobs")
    assert "install the package again" in str(caught.value.hint)


def test_the_name_of_a_shipped_model_is_taken_over_only_when_told(
    registry: Registry, file: Path, contract: Contract
) -> None:
    with pytest.raises(ModelError, match="--replace"):
        registry.add(file, "blobs", contract)
    own = registry.add(file, "blobs", contract, replace=True)
    assert registry.get("blobs") == own
    assert registry.list() == [own]


def test_an_added_model_is_listed_and_got_whole(registry: Registry, file: Path, contract: Contract) -> None:
    added = registry.add(file, "ours", contract)
    assert added_to(registry) == [added]
    assert registry.get("ours") == added
    assert added.read() == file.read_bytes()
    assert added.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert added.outputs[0].shape == (1, 3, 4, 8)
    assert added.contract.licence == "MIT"


def test_what_was_added_can_be_read_by_the_service_user(registry: Registry, file: Path, contract: Contract) -> None:
    model = registry.add(file, "ours", contract)
    assert [path.stat().st_mode & 0o777 for path in model.path.parent.iterdir()] == [0o644, 0o644]


def test_without_a_name_the_file_gives_it(registry: Registry, file: Path, contract: Contract) -> None:
    assert registry.add(file, contract=contract).name == "our_model_v2"


def test_a_known_file_gets_name_and_contract_from_the_catalogue(registry: Registry, weights: Path) -> None:
    model = registry.add(weights / "yolox_nano" / "yolox_nano.onnx")
    assert model.name == "yolox_nano"
    params = model_params(model)
    assert params["model.decoder"] == "yolox"
    assert params["model.fit"] == "letterbox"
    assert (params["model.width"], params["model.height"]) == (416.0, 416.0)
    assert params["model.strides"] == "8,16,32"
    assert params["model.outputs"] == "1x3549x85"
    assert str(params["model.classes"]).split("\n")[2] == "car"
    assert params["model.sure_score"] == 0.6


def test_what_is_said_of_a_model_is_said_under_the_parameter_that_names_it(
    registry: Registry, file: Path, contract: Contract
) -> None:
    params = model_params(registry.add(file, "ours", contract), "look_model")
    assert {name.partition(".")[0] for name in params} == {"look_model"}
    assert params["look_model.outputs"] == "1x3x4x8"


def test_a_stranger_without_a_contract_is_refused_with_the_next_step(registry: Registry, file: Path) -> None:
    with pytest.raises(ModelError) as caught:
        registry.add(file)
    assert caught.value.hint is not None
    assert "--contract" in caught.value.hint
    assert added_to(registry) == []


@pytest.mark.parametrize(
    ("shape", "name", "kind", "complaint"),
    [
        ((1, 3, 8, 8), "picture", 1, "1x3x8x8, the contract says 1x3x4x8"),
        ((1, 4, 8, 3), "picture", 1, "the contract says 1x3x4x8"),
        ((3, 4, 8), "picture", 1, "3x4x8"),
        ((1, 3, 4, 8), "image", 1, "image"),
        ((1, 3, 4, 8), "picture", 2, "uint8"),
    ],
)
def test_a_model_unlike_its_contract_is_refused(  # noqa: PLR0913  the cases of one table
    registry: Registry,
    tmp_path: Path,
    onnx: OnnxWriter,
    contract: Contract,
    shape: tuple[int, ...],
    name: str,
    kind: int,
    complaint: str,
) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(onnx(shape, name=name, kind=kind))
    with pytest.raises(ModelError, match=complaint):
        registry.add(path, "other", contract)
    assert added_to(registry) == []


def test_outputs_unlike_the_decoder_are_refused(registry: Registry, file: Path, contract: Contract) -> None:
    output = Output(decoder="yolox", strides=(4,), classes=("cat",))
    wrong = Contract(contract=1, input=contract.input, output=output)
    with pytest.raises(ModelError, match="outputs are 1x3x4x8, decoder 'yolox' reads 1x2x6"):
        registry.add(file, "ours", wrong)


def test_free_dimensions_take_the_size_of_the_contract(
    registry: Registry, tmp_path: Path, onnx: OnnxWriter, contract: Contract
) -> None:
    path = tmp_path / "free.onnx"
    path.write_bytes(onnx(("batch", 3, "rows", "columns")))
    assert registry.add(path, "free", contract).outputs[0].shape == (1, 3, 4, 8)


def test_a_model_without_a_picture_input_keeps_free_dimensions(
    registry: Registry, tmp_path: Path, onnx: OnnxWriter
) -> None:
    path = tmp_path / "tensors.onnx"
    path.write_bytes(onnx((1, "n"), kind=7))
    model = registry.add(path, "tensors", Contract(contract=1))
    assert model.outputs[0].shape == (1, -1)
    assert "model.width" not in model_params(model)


@pytest.mark.parametrize("name", ["", ".", "../x", "a/b", "UPPER", "x" * 65, "-x", "a\n"])
def test_a_bad_name_is_refused(registry: Registry, file: Path, contract: Contract, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name"):
        registry.add(file, name, contract)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "", "x" * 9999])
def test_asking_for_an_impossible_name_is_an_unknown_model(registry: Registry, name: str) -> None:
    with pytest.raises(ModelError, match="no model"):
        registry.get(name)


def test_a_damaged_file_is_refused_and_adding_it_again_repairs_it(
    registry: Registry, file: Path, contract: Contract
) -> None:
    model = registry.add(file, "ours", contract)
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    model.path.write_bytes(data)
    with pytest.raises(ModelError, match="damaged"):
        registry.get("ours")
    registry.add(file, "ours", contract)
    assert registry.get("ours") == model


def test_a_missing_file_is_refused(registry: Registry, file: Path, contract: Contract) -> None:
    registry.add(file, "ours", contract).path.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        registry.get("ours")


def test_a_damaged_record_is_refused(registry: Registry, file: Path, contract: Contract) -> None:
    record = registry.add(file, "ours", contract).path.parent / "ours.json"
    record.write_text(record.read_text()[:-20])
    with pytest.raises(ModelError, match=r"ours\.json.*damaged"):
        registry.list()


def test_a_record_cannot_point_out_of_the_folder(registry: Registry, file: Path, contract: Contract) -> None:
    model = registry.add(file, "ours", contract)
    record = model.path.parent / "ours.json"
    record.write_text(record.read_text().replace(model.sha256, "../../elsewhere"))
    with pytest.raises(ModelError, match="damaged"):
        registry.get("ours")


def test_another_model_does_not_take_a_name_unless_told(
    registry: Registry, file: Path, contract: Contract, onnx: OnnxWriter
) -> None:
    first = registry.add(file, "ours", contract)
    file.write_bytes(onnx(("n", 3, 4, 8)))
    with pytest.raises(ModelError, match="--replace"):
        registry.add(file, "ours", contract)
    assert registry.get("ours") == first
    second = registry.add(file, "ours", contract, replace=True)
    assert registry.get("ours") == second
    assert not first.path.exists()


def test_replacing_keeps_bytes_that_another_name_still_uses(
    registry: Registry, file: Path, contract: Contract, onnx: OnnxWriter
) -> None:
    first = registry.add(file, "ours", contract)
    registry.add(file, "again", contract)
    file.write_bytes(onnx(("n", 3, 4, 8)))
    registry.add(file, "ours", contract, replace=True)
    assert registry.get("again").sha256 == first.sha256


def test_a_file_that_is_not_there_is_a_usage_error(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.onnx"):
        registry.add(tmp_path / "missing.onnx")
    with pytest.raises(UsageError):
        registry.add(tmp_path)


def test_a_folder_that_cannot_be_made_is_an_output_error(
    tmp_path: Path, catalogue_file: Path, file: Path, contract: Contract
) -> None:
    (tmp_path / "blocked").write_text("a file")
    registry = Registry(tmp_path / "blocked" / "models", Catalogue(catalogue_file))
    with pytest.raises(OutputError):
        registry.add(file, "ours", contract)


def test_a_disk_that_fails_leaves_nothing_half_written(
    registry: Registry, file: Path, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="No space left"):
        registry.add(file, "ours", contract)
    assert added_to(registry) == []
    assert list((file.parent / "state" / "models").iterdir()) == []
