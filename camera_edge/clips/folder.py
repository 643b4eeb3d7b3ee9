"""Makes the files of a clip durable: all of them or none.

Invariant: metadata stands for a whole clip: it appears last, when what it describes is safe on the disk.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from camera_edge.clips.metadata import ClipMetadata
from camera_edge.durable import sync_folder
from camera_edge.errors import OutputError

_ID = re.compile(r"[0-9a-f]{8,64}")
_TEMPORARY = re.compile(r"\.[0-9a-f]{8,64}\.(mp4|jpg|json)\.part")
_MEDIA = re.compile(r"([0-9a-f]{8,64})\.(mp4|jpg)")
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_ALLOWED = (errno.EROFS, errno.EACCES, errno.EPERM)
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file whose content is on the disk: its final name, hash and size."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class SealedFiles:
    clip: SealedFile
    snapshot: SealedFile | None


class ClipFolder:
    """The folder that takes finished clips: `ID.mp4`, `ID.jpg` and `ID.json` side by side.

    One writer at a time. `open()` makes the folder and sweeps what a crash left behind: temporary files, and media
    without metadata. Who moves clips out of the folder moves the metadata last. OutputError where it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self) -> list[str]:
        """Make the folder ready; returns the names of the files that were swept."""
        with _output_errors(self._folder, "the folder for clips cannot be used"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            names = sorted(entry.name for entry in self._folder.iterdir())
            left = [name for name in names if self._is_left_over(name)]
            for name in left:
                (self._folder / name).unlink(missing_ok=True)
            if left:
                sync_folder(self._folder)
        return left

    def draft(self, event_id: str) -> ClipDraft:
        """The files of a new clip. ValueError if the id is not 8 to 64 hex digits."""
        if not _ID.fullmatch(event_id):
            raise ValueError(f"{event_id!r} cannot name a file")
        return ClipDraft(self._folder, event_id)

    def _is_left_over(self, name: str) -> bool:
        if _TEMPORARY.fullmatch(name):
            return True
        media = _MEDIA.fullmatch(name)
        return media is not None and not (self._folder / f"{media[1]}.json").exists()


class ClipDraft:
    """A clip in the making: write the video to `clip_path`, then `seal()`, then `publish()`.

    As a context manager it abandons what was not published.
    """

    def __init__(self, folder: Path, event_id: str) -> None:
        self._folder = folder
        self._id = event_id
        self._final: list[str] = []
        self._published = False

    def __enter__(self) -> ClipDraft:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()

    @property
    def clip_path(self) -> Path:
        """Where the encoder writes the video (the name does not end in `.mp4` yet)."""
        return self._temporary("mp4")

    def seal(self, snapshot: bytes | None) -> SealedFiles:
        """Bring video and snapshot (a JPEG) onto the disk, and say what the metadata must say of them."""
        with self._whole_or_nothing():
            clip = self._seal("mp4")
            if snapshot is None:
                return SealedFiles(clip, None)
            self._temporary("jpg").write_bytes(snapshot)
            return SealedFiles(clip, self._seal("jpg"))

    def publish(self, metadata: ClipMetadata) -> Path:
        """Give the files their names, the metadata last, and return the path of the metadata."""
        with self._whole_or_nothing():
            self._rename("mp4")
            if metadata.snapshot is not None:
                self._rename("jpg")
            sync_folder(self._folder)
            self._temporary("json").write_bytes(metadata.to_bytes())
            self._seal("json")
            self._rename("json")
            sync_folder(self._folder)
        self._published = True
        return self._folder / f"{self._id}.json"

    def abandon(self) -> None:
        """Delete all that was written, unless it was published. Harmless at any time."""
        if self._published:
            return
        # metadata first: it must never stand alone
        for name in ("json", "mp4", "jpg"):
            for path in (self._temporary(name), *(self._folder / f for f in self._final if f.endswith(name))):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
        self._final.clear()

    def _temporary(self, suffix: str) -> Path:
        return self._folder / f".{self._id}.{suffix}.part"

    def _seal(self, suffix: str) -> SealedFile:
        digest = hashlib.sha256()
        size_bytes = 0
        with self._temporary(suffix).open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                size_bytes += len(chunk)
            os.fsync(file.fileno())
        return SealedFile(f"{self._id}.{suffix}", digest.hexdigest(), size_bytes)

    def _rename(self, suffix: str) -> None:
        name = f"{self._id}.{suffix}"
        self._temporary(suffix).replace(self._folder / name)
        self._final.append(name)

    @contextmanager
    def _whole_or_nothing(self) -> Iterator[None]:
        try:
            with _output_errors(self._folder, f"clip {self._id} cannot be written"):
                yield
        except OutputError:
            self.abandon()
            raise


@contextmanager
def _output_errors(folder: Path, message: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise OutputError(f"{message}: {exc.strerror}", where=str(folder), hint=_hint(exc.errno)) from exc


def _hint(number: int | None) -> str:
    if number in _NO_SPACE:
        return "free some space there, or lower the storage quota"
    if number in _NOT_ALLOWED:
        return "choose a folder that camera-edge may write to"
    return "make sure that the folder exists and can be written"
