from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from camera_edge.sandbox.plainfile import read_below, read_plain


def test_a_plain_file_is_read_and_a_longer_one_is_known_by_its_length(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read_plain(tmp_path / "file", 5) == b"12345"
    assert read_plain(tmp_path / "file", 3) == b"1234"
    (tmp_path / "link").symlink_to("file")
    assert read_plain(tmp_path / "link", 5) == b"12345"


def test_what_is_no_plain_file_is_an_error_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="no plain file"):
            read_plain(path, 5)
    with pytest.raises(IsADirectoryError):
        read_plain(tmp_path, 5)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        with pytest.raises(OSError, match="No such device or address"):
            read_plain(tmp_path / "socket", 5)


def test_nothing_stays_open(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").touch()
    before = len(list(Path("/proc/self/fd").iterdir()))
    read_below(tmp_path, "a/file", 5)
    for path in ("a", "a/none", "none/file"):
        with pytest.raises(OSError):
            read_below(tmp_path, path, 5)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("link", ["a", "a/b", "a/b/file"])
def test_below_a_folder_no_link_is_followed(tmp_path: Path, link: str) -> None:
    (tmp_path / "top" / "a" / "b").mkdir(parents=True)
    (tmp_path / "top" / "a" / "b" / "file").write_bytes(b"text")
    assert read_below(tmp_path / "top", "a/b/file", 5) == b"text"
    (tmp_path / "top" / link).rename(tmp_path / "moved")
    (tmp_path / "top" / link).symlink_to(tmp_path / "moved")
    assert (tmp_path / "top" / "a" / "b" / "file").read_bytes() == b"text"
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        read_below(tmp_path / "top", "a/b/file", 5)


def test_the_folder_itself_may_be_named_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "file").write_bytes(b"text")
    (tmp_path / "link").symlink_to("top")
    assert read_below(tmp_path / "link", "file", 5) == b"text"
