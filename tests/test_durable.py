from __future__ import annotations

import os
from pathlib import Path

import pytest

from camera_edge.durable import make_folder, write_durably, write_new


@pytest.fixture(autouse=True)
def _strict_umask() -> object:
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_what_a_service_is_to_read_is_readable_whatever_the_umask(tmp_path: Path) -> None:
    make_folder(tmp_path / "shelf")
    write_durably(tmp_path / "shelf" / "record", b"whole")
    write_new(tmp_path / "shelf" / "module", b"whole")
    assert (tmp_path / "shelf").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "shelf" / "module").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "shelf" / "record").stat().st_mode & 0o777 == 0o644


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir(mode=0o700)
    make_folder(tmp_path / "shelf")
    assert (tmp_path / "shelf").stat().st_mode & 0o777 == 0o700


def test_a_write_that_fails_leaves_the_old_content_and_nothing_aside(tmp_path: Path) -> None:
    write_durably(tmp_path / "record", b"old")
    with pytest.raises(TypeError):
        write_durably(tmp_path / "record", "no bytes")  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["record"]
    assert (tmp_path / "record").read_bytes() == b"old"


def test_a_new_file_never_takes_the_place_of_another(tmp_path: Path) -> None:
    write_new(tmp_path / "key", b"first", mode=0o600)
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "key", b"second", mode=0o600)
    assert (tmp_path / "key").read_bytes() == b"first"
