from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from camera_edge.toolchain import (
    BuildError,
    Language,
    assemblyscript,
    build,
    build_native,
    install,
    missing,
    ziglang,
)
from tests.guests import REPOSITORY, SDK, need

EVERY = pytest.mark.parametrize("language", list(Language), ids=lambda language: language.value)


@EVERY
def test_the_same_source_gives_the_same_bytes_in_any_folder(
    language: Language, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(language)
    here, there = tmp_path / "here.wasm", tmp_path / "there.wasm"
    build(SDK / language.value / "example", here, SDK)
    elsewhere = tmp_path / "a folder with a longer name" / "module"
    shutil.copytree(SDK / language.value / "example", elsewhere)
    sdk = shutil.copytree(SDK, tmp_path / "another" / "sdk")
    monkeypatch.chdir(elsewhere)
    build(Path(), there, sdk)
    assert here.read_bytes() == there.read_bytes()
    for trace in (str(REPOSITORY), str(tmp_path), str(Path.home()), "camera-edge-build"):
        assert trace.encode() not in here.read_bytes()
        assert trace.encode("utf-16-le") not in here.read_bytes()


@EVERY
def test_a_build_writes_nothing_beside_the_sources(language: Language, tmp_path: Path) -> None:
    need(language)
    folder = tmp_path / "module"
    shutil.copytree(SDK / language.value / "example", folder)
    before = sorted(folder.rglob("*"))
    build(folder, tmp_path / "out" / "module.wasm", SDK)
    assert sorted(folder.rglob("*")) == before
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["module.wasm"]


@EVERY
def test_what_does_not_compile_is_told_in_the_compilers_words(language: Language, tmp_path: Path) -> None:
    need(language)
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / f"wrong{language.suffix}").write_text("nonsense nonsense;\n")
    wasm = tmp_path / "module.wasm"
    wasm.write_bytes(b"what was there before")
    with pytest.raises(BuildError, match=rf"module does not compile:(.|\n)*wrong\{language.suffix}") as refused:
        build(folder, wasm, SDK)
    assert refused.value.exit_code == 70 and refused.value.where == str(folder)
    assert "camera-edge-build" not in str(refused.value)
    assert wasm.read_bytes() == b"what was there before"


def test_a_folder_without_a_name_of_its_own_is_named_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need(Language.C)
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "wrong.c").write_text("nonsense nonsense;\n")
    monkeypatch.chdir(folder)
    with pytest.raises(BuildError, match="^[^\n]*module: module does not compile:\n") as refused:
        build(Path(), tmp_path / "module.wasm", SDK)
    assert refused.value.where == str(folder.resolve())


def test_a_module_of_several_files_and_folders_is_compiled(tmp_path: Path) -> None:
    need(Language.ZIG)
    folder = tmp_path / "module"
    (folder / "parts").mkdir(parents=True)
    text = (SDK / "zig" / "example" / "change.zig").read_text()
    (folder / "main.zig").write_text(
        text.replace("const cell_size = 8;", 'const cell_size = @import("parts/size.zig").size;')
    )
    (folder / "parts" / "size.zig").write_text("pub const size = 8;\n")
    # a link that leads back is not followed
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    build(folder, tmp_path / "module.wasm", SDK)
    assert (tmp_path / "module.wasm").read_bytes().startswith(b"\0asm")


def test_a_folder_without_an_sdk_is_named(tmp_path: Path) -> None:
    need(Language.C)
    with pytest.raises(BuildError, match="no SDK for c here"):
        build(SDK / "c" / "example", tmp_path / "a.wasm", tmp_path)


def test_a_target_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    need(Language.C)
    (tmp_path / "file").touch()
    with pytest.raises(BuildError, match="cannot be written"):
        build(SDK / "c" / "example", tmp_path / "file" / "a.wasm", SDK)


def test_a_native_build_has_the_host_side_and_answers(tmp_path: Path) -> None:
    need(Language.C)
    build_native(SDK / "c" / "example", tmp_path / "change.so", SDK)
    library = ctypes.CDLL(str(tmp_path / "change.so"))
    assert library.native_open() == 0
    assert library.native_observation_count() == 0


def test_only_c_has_a_native_build(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"zig has no native build \(only C has\)"):
        build_native(SDK / "zig" / "example", tmp_path / "change.so", SDK)


def test_a_missing_toolchain_is_told_with_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSTC", str(tmp_path / "rustc"))
    assert "apt-get install rustc" in str(missing(Language.RUST))
    with pytest.raises(BuildError, match="apt-get install rustc"):
        build(SDK / "rust" / "example", tmp_path / "a.wasm", SDK)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install nodejs npm" in str(missing(Language.ASSEMBLYSCRIPT, SDK))
    with pytest.raises(BuildError, match="apt-get install nodejs npm"):
        build(SDK / "assemblyscript" / "example", tmp_path / "a.wasm", SDK)
    assert not (tmp_path / "a.wasm").exists()


def alone(script: str) -> str:
    """What a script says in a Python that has nothing installed."""
    script = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); from camera_edge import toolchain; {script}"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], check=True, capture_output=True, text=True)
    return done.stdout


def test_without_ziglang_neither_c_nor_zig_is_compiled() -> None:
    said = alone("print(*(toolchain.missing(language) for language in toolchain.Language), sep='\\n')").splitlines()
    pins = "the Python package ziglang is not installed: pip install ziglang==0.17.1"
    assert said[:2] == [pins, pins] and len(said) == 4


def test_an_assemblyscript_compiler_that_is_not_installed_is_told_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = tmp_path / "bin" / "node"
    node.parent.mkdir()
    node.write_text("#!/bin/sh\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(node.parent))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    reason = missing(Language.ASSEMBLYSCRIPT, SDK)
    assert reason == "the AssemblyScript compiler 0.27.9 is not installed: camera-edge analyzer build --install"
    with pytest.raises(BuildError, match="compiler 0.27.9 is not installed") as caught:
        build(SDK / "assemblyscript" / "example", tmp_path / "a.wasm", SDK)
    assert caught.value.hint == "camera-edge analyzer build --install"
    with pytest.raises(BuildError, match="it needs npm"):
        install(Language.ASSEMBLYSCRIPT, SDK)


def test_a_compiler_that_came_with_a_module_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tmp_path / "bin" / "node"
    node.parent.mkdir()
    node.write_text(f"#!/bin/sh\ntouch {tmp_path}/it-ran\nexit 1\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{node.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    sdk = shutil.copytree(SDK, tmp_path / "sdk", ignore=shutil.ignore_patterns("node_modules"))
    folder = shutil.copytree(SDK / "assemblyscript" / "example", tmp_path / "module")
    planted = folder / "node_modules" / "assemblyscript" / "bin" / "asc.js"
    planted.parent.mkdir(parents=True)
    planted.touch()
    with pytest.raises(BuildError, match="is not installed"):
        build(folder, tmp_path / "a.wasm", sdk)
    assert not (tmp_path / "it-ran").exists()


def test_an_install_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text("#!/bin/sh\necho 'no way to the registry' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(BuildError, match=r"npm ci failed:\nno way to the registry"):
        install(Language.ASSEMBLYSCRIPT, SDK)
    assert list((tmp_path / "cache" / "camera-edge").iterdir()) == []


def test_the_room_needs_nothing_but_python() -> None:
    """The package's own build imports it before anything is installed."""
    names = alone("print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)").split()
    assert sorted(names) == ["__main__", "camera_edge"]


def test_versions_are_pinned_once_and_the_lock_names_no_registry() -> None:
    package = json.loads((SDK / "assemblyscript" / "package.json").read_text())
    assert package["devDependencies"] == {"assemblyscript": assemblyscript.VERSION}
    lock = json.loads((SDK / "assemblyscript" / "package-lock.json").read_text())["packages"]
    assert lock["node_modules/assemblyscript"]["version"] == assemblyscript.VERSION
    assert all("resolved" not in entry and ("integrity" in entry or name == "") for name, entry in lock.items())
    assert f'"ziglang=={ziglang.VERSION}"' in (REPOSITORY / "pyproject.toml").read_text()
