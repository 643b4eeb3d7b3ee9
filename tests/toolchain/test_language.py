from __future__ import annotations

from pathlib import Path

import pytest

from camera_edge.toolchain import BuildError, Language, language_of
from camera_edge.toolchain.language import entry_of


@pytest.mark.parametrize(
    ("file", "language"),
    [
        ("a.c", Language.C),
        ("a.zig", Language.ZIG),
        ("a.rs", Language.RUST),
        ("a.ts", Language.ASSEMBLYSCRIPT),
    ],
)
def test_the_sources_tell_the_language(tmp_path: Path, file: str, language: Language) -> None:
    for name in (file, "analyzer.toml", "README.md", "clip.mp4"):
        (tmp_path / name).touch()
    assert language_of(tmp_path) is language


def test_a_folder_without_sources_is_refused_with_what_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "analyzer.toml").touch()
    with pytest.raises(BuildError, match=r"no source here \(it ends in one of \.c, \.zig, \.rs, \.ts\)"):
        language_of(tmp_path)
    with pytest.raises(BuildError, match="no source here"):
        language_of(tmp_path / "absent")


def test_a_folder_in_two_languages_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.c").touch()
    (tmp_path / "b.rs").touch()
    with pytest.raises(BuildError, match="sources in c and rust"):
        language_of(tmp_path)


def test_the_module_starts_from_main_or_from_the_only_file(tmp_path: Path) -> None:
    (tmp_path / "cells.zig").touch()
    assert entry_of(tmp_path, Language.ZIG) == "cells.zig"
    (tmp_path / "boxes.zig").touch()
    with pytest.raises(BuildError, match=r"boxes\.zig, cells\.zig \(call it main\.zig\)"):
        entry_of(tmp_path, Language.ZIG)
    (tmp_path / "main.zig").touch()
    assert entry_of(tmp_path, Language.ZIG) == "main.zig"
