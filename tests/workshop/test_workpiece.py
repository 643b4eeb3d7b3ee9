"""A module is found by its folder, its file or its name, and what is missing is said with the next step."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from camera_edge.errors import ModuleError
from camera_edge.packages import (
    MemoryLayout,
    TrustStore,
    install,
    make_key_pair,
    pack,
    read_package,
    sign,
    verify,
    write_layout,
)
from camera_edge.packages.keys import PrivateKey
from camera_edge.sandbox import Shelf, load_module
from camera_edge.toolchain import Language
from camera_edge.workshop.workpiece import find


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "state" / "analyzers")


def signed(shelf: Shelf, wasm: Path) -> MemoryLayout:
    """A package of a module, signed by a key that is trusted as `me`."""
    module = load_module(wasm)
    toml = wasm.with_name("analyzer.toml").read_bytes()
    pair = make_key_pair(None)
    key = PrivateKey.read(pair.private, "me", passphrase=None, where="a test")
    TrustStore(shelf).add(pair.public, "me", where="a test")
    package = read_package(pack(module.manifest, toml, module.wasm, created_s=0))
    return sign(package, key, reference="eager")


def put(shelf: Shelf, wasm: Path) -> None:
    """Installs a module, signed by a key that is trusted as `me`."""
    verified = verify(signed(shelf, wasm), TrustStore(shelf).read())
    install(verified, shelf, installed_utc="2026-01-05T08:00:00Z")


def test_the_current_folder_is_meant_where_nothing_is_named(
    eager: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(eager.parent)
    piece = find(None, shelf)
    assert (piece.module.manifest.name, piece.module.origin, piece.sources) == ("eager", "path", Path())


def test_a_folder_and_a_file_are_the_same_module(eager: Path, shelf: Shelf) -> None:
    assert find(str(eager), shelf).module == find(str(eager.parent), shelf).module


@pytest.mark.parametrize("form", ["eager.tar", "folder"])
def test_a_package_is_looked_into_with_its_signer(eager: Path, shelf: Shelf, tmp_path: Path, form: str) -> None:
    write_layout(signed(shelf, eager), tmp_path / form)
    piece = find(str(tmp_path / form), shelf)
    assert (piece.module.wasm, piece.module.origin, piece.module.signer) == (eager.read_bytes(), "package", "me")
    TrustStore(shelf).remove("me")
    assert find(str(tmp_path / form), shelf).module.signer is None


def test_a_shipped_module_has_a_name_and_sources(shelf: Shelf) -> None:
    piece = find("motion", shelf)
    assert (piece.module.origin, piece.language) == ("shipped", Language.C)
    assert not piece.is_stale


def test_an_installed_module_has_a_signer(eager: Path, shelf: Shelf) -> None:
    put(shelf, eager)
    piece = find("eager", shelf)
    assert (piece.module.origin, piece.module.signer, piece.language) == ("installed", "me", None)


def test_one_whose_key_is_not_trusted_any_more_says_so(eager: Path, shelf: Shelf) -> None:
    put(shelf, eager)
    TrustStore(shelf).remove("me")
    with pytest.raises(ModuleError, match="not trusted any more"):
        find("eager", shelf)


def test_a_folder_goes_before_a_name(eager: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    eager.parent.rename(eager.parent.with_name("motion"))
    monkeypatch.chdir(eager.parent.parent)
    assert find("motion", shelf).module.manifest.name == "eager"


def test_a_source_that_is_newer_than_the_module_is_noticed(eager: Path, shelf: Shelf) -> None:
    source = eager.with_suffix(".c")
    source.write_text("int x;")
    os.utime(source, (1, 1))
    assert not find(str(eager.parent), shelf).is_stale
    os.utime(eager, (0, 0))
    assert find(str(eager.parent), shelf).is_stale


def test_a_module_that_is_not_built_says_how(eager: Path, shelf: Shelf) -> None:
    eager.unlink()
    with pytest.raises(ModuleError, match="not built") as caught:
        find(str(eager.parent), shelf)
    assert caught.value.hint == f"camera-edge analyzer build {eager.parent}"


def test_a_name_is_never_taken_for_a_path_into_other_folders(eager: Path, shelf: Shelf, tmp_path: Path) -> None:
    put(shelf, eager)
    with pytest.raises(ModuleError, match="no module"):
        find("../modules/eager", shelf)


def test_an_unknown_name_and_an_empty_folder_are_errors(tmp_path: Path, shelf: Shelf) -> None:
    with pytest.raises(ModuleError, match="no module 'nothing'") as caught:
        find("nothing", shelf)
    assert caught.value.hint is not None and "motion" in caught.value.hint
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModuleError, match="no module here"):
        find(str(tmp_path / "empty"), shelf)
