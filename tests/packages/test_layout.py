from __future__ import annotations

import os
from pathlib import Path

import pytest

from camera_edge.errors import CameraEdgeError, ModuleError, UsageError
from camera_edge.packages import open_layout, read_package, write_layout
from camera_edge.packages.documents import describe
from camera_edge.packages.layout import (
    ARCHIVE_BYTES_MAX,
    FolderLayout,
    MemoryLayout,
    blob_path,
    read_blob,
    read_index,
)
from tests.packages.packed import signed, source

DATA = b"some bytes"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_layout(signed(source()), tmp_path / "package")
    return tmp_path / "package"


def test_folder_tar_and_memory_hold_the_same(tmp_path: Path) -> None:
    layout = signed(source())
    for path in (tmp_path / "a.tar", tmp_path / "folder"):
        write_layout(layout, path)
        assert read_index(open_layout(path)) == read_index(layout)


def test_a_blob_is_compared_with_size_and_digest() -> None:
    wanted = describe(DATA, "text/plain")
    path = blob_path(wanted.digest)
    assert read_blob(MemoryLayout({path: DATA}, "m"), wanted, 100) == DATA
    for other in (b"some Bytes", b"some byte", DATA + b"s", b""):
        with pytest.raises(ModuleError, match="other content than its digest says"):
            read_blob(MemoryLayout({path: other}, "m"), wanted, 100)


def test_what_is_too_long_or_missing_is_named() -> None:
    wanted = describe(DATA, "text/plain")
    with pytest.raises(ModuleError, match="longer than 9 bytes"):
        read_blob(MemoryLayout({}, "m"), wanted, 9)
    with pytest.raises(ModuleError, match=f"{wanted.digest.removeprefix('sha256:')} is missing"):
        read_blob(MemoryLayout({}, "m"), wanted, 10)


@pytest.mark.parametrize("digest", ["sha512:" + "a" * 64, "sha256:" + "A" * 64, "sha256:../../x", "a" * 64, ""])
def test_only_a_sha256_names_a_blob(digest: str) -> None:
    with pytest.raises(ValueError, match="cannot name a blob"):
        blob_path(digest)


@pytest.mark.parametrize("what", ["link", "pipe", "folder"])
def test_in_a_folder_only_plain_files_are_read(folder: Path, tmp_path: Path, what: str) -> None:
    index = folder / "index.json"
    index.rename(tmp_path / "index.json")
    if what == "link":
        index.symlink_to(tmp_path / "index.json")
    elif what == "pipe":
        os.mkfifo(index)
    else:
        index.mkdir()
    with pytest.raises(ModuleError, match=r"index\.json (is no plain file|cannot be read)"):
        read_index(open_layout(folder))


def test_a_file_in_a_folder_may_be_missing_or_too_long(folder: Path) -> None:
    with pytest.raises(ModuleError, match="longer than 5 bytes"):
        FolderLayout(folder).read("oci-layout", 5)
    (folder / "oci-layout").unlink()
    with pytest.raises(ModuleError, match="oci-layout is missing"):
        FolderLayout(folder).read("oci-layout", 100)


@pytest.mark.parametrize(
    ("mark", "index"),
    [
        (b'{"imageLayoutVersion":"2.0.0"}', None),
        (b"[]", None),
        (b"\xff", None),
        (None, b'{"schemaVersion":1,"manifests":[]}'),
        (None, b'{"schemaVersion":2,"manifests":[],"surprise":1}'),
        (None, b'{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"sha256:x","size":1}]}'),
        (None, b'{"schemaVersion":2,"manifests":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    ],
)
def test_documents_that_are_none_are_refused(mark: bytes | None, index: bytes | None) -> None:
    files = signed(source()).files
    layout = MemoryLayout({**files, "oci-layout": mark or files["oci-layout"], "index.json": index or b"{}"}, "m")
    with pytest.raises(ModuleError, match="is damaged"):
        read_index(layout)


def test_what_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        open_layout(tmp_path / "none.tar")


def test_a_tar_file_is_bounded(tmp_path: Path) -> None:
    with (tmp_path / "a.tar").open("wb") as file:
        file.truncate(ARCHIVE_BYTES_MAX + 1)
    with pytest.raises(CameraEdgeError, match="longer than"):
        open_layout(tmp_path / "a.tar")


@pytest.mark.parametrize("link", ["blobs", "blobs/sha256"])
def test_a_folder_of_blobs_that_is_a_link_is_not_followed(folder: Path, tmp_path: Path, link: str) -> None:
    read_package(open_layout(folder))
    (folder / link).rename(tmp_path / "elsewhere")
    (folder / link).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModuleError, match=r"blobs/sha256/[0-9a-f]+ cannot be read") as caught:
        read_package(open_layout(folder))
    assert caught.value.hint is not None and "links are not followed" in caught.value.hint


def test_a_pipe_in_the_place_of_a_package_is_refused_and_nobody_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tar")
    for path in (tmp_path / "a.tar", Path("/dev/zero")):
        with pytest.raises(UsageError, match="no plain file"):
            open_layout(path)


def test_a_digest_with_a_line_feed_names_no_blob() -> None:
    entry = b'{"mediaType":"a","digest":"sha256:' + b"a" * 64 + b'\\n","size":1}'
    files = {**signed(source()).files, "index.json": b'{"schemaVersion":2,"manifests":[' + entry + b"]}"}
    with pytest.raises(ModuleError, match="is damaged"):
        read_package(MemoryLayout(files, "m"))
