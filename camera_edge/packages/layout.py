"""OCI image layouts: where the files of a package are read from.

Invariant: a blob is handed out only where its size and SHA-256 are those of its descriptor; nothing is followed out of
the layout: no link, no address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from camera_edge.errors import ModuleError, UsageError
from camera_edge.packages.archive import read_archive
from camera_edge.packages.documents import (
    DOCUMENT_BYTES_MAX,
    SMALL_BYTES_MAX,
    Descriptor,
    Index,
    LayoutMark,
    digest_of,
    read_document,
)
from camera_edge.sandbox.plainfile import read_below, read_plain

MARK_NAME, INDEX_NAME = "oci-layout", "index.json"
ARCHIVE_BYTES_MAX = 64 << 20
_HEX = re.compile(r"[0-9a-f]{64}")


class Layout(Protocol):
    """Files by their paths below the top of a layout. `where` names it in messages."""

    @property
    def where(self) -> str: ...

    def read(self, path: str, longest: int) -> bytes:
        """Raises ModuleError where it is missing, no plain file or longer than `longest` bytes."""
        ...


class MemoryLayout:
    """A layout whose files are in memory: fetched, just made, or read from a tar file."""

    def __init__(self, files: Mapping[str, bytes], where: str) -> None:
        self.files = dict(files)
        self.where = where

    def read(self, path: str, longest: int) -> bytes:
        if path not in self.files:
            raise _missing(path, self.where)
        if len(self.files[path]) > longest:
            raise _too_long(path, longest, self.where)
        return self.files[path]


class FolderLayout:
    """A layout as a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.where = str(folder)

    def read(self, path: str, longest: int) -> bytes:
        try:
            data = read_below(self._folder, path, longest)
        except FileNotFoundError as error:
            raise _missing(path, self.where) from error
        except OSError as error:
            hint = "check permissions; links are not followed"
            raise ModuleError(f"{path} cannot be read: {error.strerror}", where=self.where, hint=hint) from error
        if len(data) > longest:
            raise _too_long(path, longest, self.where)
        return data


def open_layout(path: Path) -> Layout:
    """The layout at `path`, a folder or a tar file. Raises UsageError where there is none, ModuleError."""
    return FolderLayout(path) if path.is_dir() else read_tar(path)


def read_tar(path: Path) -> MemoryLayout:
    """The layout in a tar file. Raises UsageError where it cannot be read, ModuleError where it is refused."""
    try:
        data = read_plain(path, ARCHIVE_BYTES_MAX)
    except OSError as error:
        hint = "name a package: a .tar file or a folder made by `camera-edge analyzer pack`"
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), hint=hint) from error
    if len(data) > ARCHIVE_BYTES_MAX:
        raise _too_long("the tar file", ARCHIVE_BYTES_MAX, str(path))
    return MemoryLayout(read_archive(data, where=str(path)), str(path))


def read_index(layout: Layout) -> Index:
    """Raises ModuleError where this is no layout."""
    mark = layout.read(MARK_NAME, SMALL_BYTES_MAX)
    read_document(mark, LayoutMark, what=MARK_NAME, where=layout.where)
    return read_document(layout.read(INDEX_NAME, DOCUMENT_BYTES_MAX), Index, what=INDEX_NAME, where=layout.where)


def blob_path(digest: str) -> str:
    """Where a blob lies. ValueError where the digest is no SHA-256."""
    algorithm, _, value = digest.partition(":")
    if algorithm != "sha256" or not _HEX.fullmatch(value):
        raise ValueError(f"{digest!r} cannot name a blob")
    return f"blobs/sha256/{value}"


def read_blob(layout: Layout, wanted: Descriptor, longest: int) -> bytes:
    """Raises ModuleError where it is missing, too long or not what its descriptor says."""
    if wanted.size > longest:
        raise _too_long(f"blob {wanted.digest}", longest, layout.where)
    data = layout.read(blob_path(wanted.digest), longest)
    check_blob(data, wanted, where=layout.where)
    return data


def check_blob(data: bytes, wanted: Descriptor, *, where: str) -> None:
    """Raises ModuleError where these bytes are not those that the descriptor names."""
    if len(data) != wanted.size or digest_of(data) != wanted.digest:
        hint = "it was changed or cut off: get the package again from who made it"
        raise ModuleError(f"blob {wanted.digest} has other content than its digest says", where=where, hint=hint)


def _missing(path: str, where: str) -> ModuleError:
    hint = "name a package made by `camera-edge analyzer pack`, or copy it again: it may be cut off"
    return ModuleError(f"{path} is missing", where=where, hint=hint)


def _too_long(path: str, longest: int, where: str) -> ModuleError:
    return ModuleError(f"{path} is longer than {longest} bytes", where=where, hint="an analyzer has 32 MiB at most")
