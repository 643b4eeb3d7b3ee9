from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ANALYZERS = sorted(manifest.parent.name for manifest in (REPOSITORY / "wasm_analyzers").glob("*/analyzer.toml"))


def copy_tree(target: Path) -> Path:
    """The parts of the tree that a wheel is built from, in another folder and without what was built before."""
    for name in ("camera_edge", "wasm_analyzers", "models"):
        shutil.copytree(REPOSITORY / name, target / name, ignore=shutil.ignore_patterns("shipped", "__pycache__"))
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(REPOSITORY / name, target / name)
    return target


def digests(shipped: Path) -> dict[str, str]:
    return {
        str(path.relative_to(shipped)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in shipped.rglob("*")
        if path.is_file()
    }


def test_two_builds_in_two_folders_give_the_same_bytes(
    build_script: ModuleType, shipped_folder: Path, tmp_path: Path
) -> None:
    root = tmp_path / "elsewhere" / "with a longer name"
    shutil.copytree(REPOSITORY / "wasm_analyzers", root / "wasm_analyzers")
    shutil.copytree(REPOSITORY / "models", root / "models")
    build_script.build(root, root / "shipped")
    assert digests(root / "shipped") == digests(shipped_folder)


def test_the_listed_hashes_are_those_of_the_modules(shipped_folder: Path) -> None:
    listed = json.loads((shipped_folder / "hashes.json").read_text())
    assert sorted(listed) == ANALYZERS
    for name, digest in listed.items():
        assert hashlib.sha256((shipped_folder / name / f"{name}.wasm").read_bytes()).hexdigest() == digest


def test_a_module_carries_no_name_of_a_folder_or_tool(shipped_folder: Path) -> None:
    for wasm in shipped_folder.glob("*/*.wasm"):
        data = wasm.read_bytes()
        for trace in (str(REPOSITORY).encode(), b"clang", b"zig", b"producers", b".debug"):
            assert trace not in data, f"{wasm.name} contains {trace!r}"


def test_a_second_build_drops_what_is_no_longer_there(build_script: ModuleType, tmp_path: Path) -> None:
    root = tmp_path / "tree"
    shutil.copytree(REPOSITORY / "wasm_analyzers", root / "wasm_analyzers")
    shutil.copytree(REPOSITORY / "models", root / "models")
    build_script.build(root, root / "shipped")
    shutil.rmtree(root / "wasm_analyzers" / "objects")
    assert list(build_script.build(root, root / "shipped")) == [name for name in ANALYZERS if name != "objects"]
    assert not (root / "shipped" / "objects").exists()
    assert [path.name for path in root.iterdir() if path.name.startswith(".shipped")] == []


def test_a_module_that_does_not_compile_stops_the_build_with_the_compilers_words(
    build_script: ModuleType, tmp_path: Path
) -> None:
    root = tmp_path / "tree"
    shutil.copytree(REPOSITORY / "wasm_analyzers", root / "wasm_analyzers")
    (root / "models").mkdir()
    (root / "wasm_analyzers" / "motion" / "broken.c").write_text("int broken(void) { return nothing; }\n")
    with pytest.raises(build_script.toolchain.BuildError, match=r"motion does not compile:(.|\n)*nothing"):
        build_script.build(root, root / "shipped")
    assert not (root / "shipped").exists()


@pytest.mark.parametrize("target", ["wheel:standard", "wheel:editable"])
def test_a_package_build_compiles_the_modules(target: str, shipped_folder: Path, tmp_path: Path) -> None:
    if target == "wheel:editable":
        pytest.importorskip("editables", reason="an editable install needs it")
    root = copy_tree(tmp_path)
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", "dist"]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    assert digests(root / "camera_edge" / "shipped") == digests(shipped_folder)
    if target == "wheel:standard":
        (wheel,) = (root / "dist").glob("*.whl")
        prefix = "camera_edge/shipped/"
        packed = {name.removeprefix(prefix) for name in zipfile.ZipFile(wheel).namelist() if name.startswith(prefix)}
        assert packed == set(digests(shipped_folder))
