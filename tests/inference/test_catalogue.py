from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from camera_edge.errors import ModelError
from camera_edge.inference.catalogue import Catalogue
from camera_edge.inference.conformance import probe
from camera_edge.inference.screen import screen


def test_every_entry_gives_a_contract(catalogue_file: Path) -> None:
    catalogue = Catalogue(catalogue_file)
    contracts = {entry.name: catalogue.contract(entry) for entry in catalogue}
    assert contracts["yolox_nano"].output.class_names[0] == "person"
    assert len(contracts["fastestdet"].output.class_names) == 80
    assert all(contract.licence for contract in contracts.values())
    assert all(entry.source.startswith("https://") for entry in catalogue if entry.file is None)


def test_every_known_file_fits_its_entry(catalogue_file: Path, weights: Path) -> None:
    catalogue = Catalogue(catalogue_file)
    fitting = set()
    for file in sorted(weights.glob("*/*.onnx")):
        data = file.read_bytes()
        if (entry := catalogue.by_sha256(hashlib.sha256(data).hexdigest())) is not None:
            assert probe(data, catalogue.contract(entry), where=entry.name)
            fitting.add(entry.name)
    assert fitting == {entry.name for entry in catalogue if entry.file is None}


def test_every_shipped_file_is_the_one_its_entry_describes(catalogue_file: Path) -> None:
    shipped = Catalogue(catalogue_file).shipped_models()
    assert [model.name for model in shipped] == ["blobs"]
    for model in shipped:
        data = model.read()
        assert len(data) == model.size_bytes
        assert probe(data, model.contract, where=model.name) == model.outputs
        screen(data, where=model.name)


def test_no_weights_lie_in_the_package_that_the_catalogue_does_not_know() -> None:
    shipped = Catalogue.shipped().shipped_models()
    assert sorted(shipped[0].path.parent.glob("*.onnx")) == [model.path for model in shipped]


@pytest.mark.parametrize("line", ['file = "../x.onnx"', 'file = "x.onnx"', 'file = "x.onnx"\nsize_bytes = 3'])
def test_a_shipped_file_without_its_facts_or_elsewhere_is_refused(tmp_path: Path, line: str) -> None:
    entry = 'catalogue = 1\n[classes]\n[[model]]\nname = "a"\nsummary = ""\nsource = ""\nlicence = ""\n'
    path = tmp_path / "catalogue.toml"
    path.write_text(f'{entry}sha256 = "{"a" * 64}"\n{line}\n')
    with pytest.raises(ModelError, match="damaged"):
        Catalogue(path)


def test_a_hash_that_nobody_listed_is_unknown(catalogue_file: Path) -> None:
    assert Catalogue(catalogue_file).by_sha256("0" * 64) is None


def test_a_missing_catalogue_says_how_to_build_the_package(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="pip install"):
        Catalogue(tmp_path / "catalogue.toml")


def test_a_damaged_catalogue_is_refused(tmp_path: Path, catalogue_file: Path) -> None:
    path = tmp_path / "catalogue.toml"
    path.write_text(catalogue_file.read_text().replace("summary", "sumary", 1))
    with pytest.raises(ModelError, match="sumary"):
        Catalogue(path)


def test_two_entries_with_one_hash_are_refused(tmp_path: Path) -> None:
    entry = '[[model]]\nname = "{}"\nsummary = ""\nsource = ""\nlicence = ""\nsha256 = "' + "a" * 64 + '"\n'
    path = tmp_path / "catalogue.toml"
    path.write_text("catalogue = 1\n[classes]\n" + entry.format("a") + entry.format("b"))
    with pytest.raises(ModelError, match="share"):
        Catalogue(path)
