"""A module is found by its folder, its file or its name, and what is missing is said with the next step."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from camera_edge.errors import ModuleError, UsageError
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
from camera_edge.workshop.workpiece import changed_since_build, find, refuse_stale


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
    assert piece.changed_since is None


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


@pytest.fixture
def built(eager: Path) -> Path:
    """A module that was built from C after everything beside it was written, with headers and a golden test."""
    for name in ("eager.c", "eager.h", "parts/size.h", "README.md", "golden/yard.toml"):
        path = eager.parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("/* */")
    for path in eager.parent.rglob("*"):
        os.utime(path, (1, 1))
    os.utime(eager, (2, 2))
    return eager


@pytest.mark.parametrize("name", ["eager.c", "eager.h", "parts/size.h", "analyzer.toml"])
def test_what_the_build_reads_and_is_newer_than_the_module_is_noticed(built: Path, shelf: Shelf, name: str) -> None:
    changed = built.parent / name
    assert find(str(built.parent), shelf).changed_since is None
    refuse_stale(built)
    os.utime(changed, (3, 3))
    assert find(str(built.parent), shelf).changed_since == find(str(built), shelf).changed_since == changed
    with pytest.raises(ModuleError, match=f"{changed.name} is newer than the module") as caught:
        refuse_stale(built)
    assert caught.value.hint == f"camera-edge analyzer build {built.parent}"


@pytest.mark.parametrize("name", ["README.md", "golden/yard.toml"])
def test_what_no_build_reads_may_be_newer(built: Path, name: str) -> None:
    os.utime(built.parent / name, (3, 3))
    assert changed_since_build(built) is None


def test_without_a_source_there_is_nothing_to_build_again(eager: Path) -> None:
    os.utime(eager, (0, 0))
    assert changed_since_build(eager) is None


def test_only_a_folder_that_is_named_gives_its_sources(built: Path, shelf: Shelf) -> None:
    assert find(str(built.parent), shelf).sources == built.parent
    assert find(str(built), shelf).sources is None


def test_a_package_is_known_by_both_of_its_digests(eager: Path, shelf: Shelf, tmp_path: Path) -> None:
    layout = signed(shelf, eager)
    write_layout(layout, tmp_path / "eager.tar")
    package, sha256 = read_package(layout).digest.removeprefix("sha256:"), load_module(eager).sha256
    assert find(str(tmp_path / "eager.tar"), shelf).digests == (package, sha256)
    assert find(str(eager), shelf).digests == (sha256,)


def test_an_address_of_a_registry_is_refused_with_the_command_that_fetches_it(shelf: Shelf) -> None:
    with pytest.raises(UsageError, match="registry") as caught:
        find("oci://registry.example/a/b:1.tar", shelf)
    assert caught.value.hint is not None
    assert "camera-edge analyzer pull oci://registry.example/a/b:1.tar --out FILE.tar" in caught.value.hint


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
