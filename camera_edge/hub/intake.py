"""Takes finished clips from a worker's spool into the clips folder and the store.

Invariant: file durable first, row second. Files are moved with their metadata last, so that a crash at any point
leaves a set that is taken in again. What does not match its own metadata is put aside, never listed.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from camera_edge.clips import ClipMetadata, FileRecord
from camera_edge.clips.metadata import utc_ns
from camera_edge.clock import Clock
from camera_edge.durable import sync_folder
from camera_edge.errors import CameraEdgeError, LinkError, OutputError, StoreError
from camera_edge.store import ClipFile, ClipRow, ClipState, EventRow, EventState, Store

log = logging.getLogger(__name__)

MAX_METADATA_BYTES: Final = 4 * 1024 * 1024
MAX_REFUSED_FILES: Final = 60
_CHUNK_BYTES: Final = 1 << 20


class _UnfitError(CameraEdgeError):
    """A set of files that is not what it says."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A metadata file, as bytes and as what they say."""

    name: str
    data: bytes
    metadata: ClipMetadata

    @property
    def files(self) -> list[FileRecord]:
        return [file for file in (self.metadata.clip, self.metadata.snapshot) if file is not None]


class Intake:
    """Works on the folders `spool`, `clips` and `refused` of one state folder. Blocking; one thread at a time."""

    def __init__(self, state: Path, store: Store, clock: Clock) -> None:
        self._state = state
        self._store = store
        self._clock = clock

    def spool(self, camera: str) -> Path:
        """The folder that a camera's worker writes to."""
        return self._folder("spool", camera)

    def path(self, file: ClipFile) -> Path:
        return self._state / file.path

    def take(self, camera: str, json_name: str) -> EventRow | None:
        """Takes one finished clip; None where it was taken before, or is put aside.

        Raises LinkError where the name is no file name of a spool.
        """
        if Path(json_name).name != json_name or not json_name.endswith(".json"):
            raise LinkError(f"the worker of {camera} named {json_name!r} as a clip's metadata")
        spool = self.spool(camera)
        try:
            found = self._examine(spool, json_name)
            return None if found is None else self._move(spool, found)
        except _UnfitError as exc:
            self._refuse(spool, json_name, str(exc))
            return None
        except OSError as exc:
            raise OutputError(
                f"the clip cannot be stored: {exc.strerror}",
                where=str(self._state),
                hint="look at free space and permissions; the clip is taken in later",
            ) from exc

    def take_all(self, camera: str) -> list[EventRow]:
        """Takes every finished clip of a spool, as after a crash."""
        names = sorted(path.name for path in self.spool(camera).glob("*.json"))
        return [row for name in names if (row := self.take(camera, name)) is not None]

    def reconcile(self) -> None:
        """Brings files and rows together: after a crash, a restored folder, a lost store, a file somebody took."""
        spools = self._state / "spool"
        for folder in sorted(spools.iterdir()) if spools.is_dir() else ():
            self.take_all(folder.name)
        known: set[str] = set()
        for row in self._store.clips():
            clip = row.clip
            assert clip is not None
            if all(self.path(file).is_file() for file in clip.files):
                known.add(clip.metadata.path)
            else:
                log.warning("clip is missing event=%s", row.event.id)
                self._store.clip_gone(row.event.id, ClipState.MISSING)
        for path in sorted((self._state / "clips").glob("*/*/*.json")):
            if path.relative_to(self._state).as_posix() not in known:
                self._rebuild(path)

    def _examine(self, spool: Path, json_name: str) -> _Found | None:
        """The set that a metadata file stands for, whole and as it says; None where there is no such file (any more).

        After a crash half of a set may have been moved already.
        """
        try:
            found = _read(spool / json_name)
        except FileNotFoundError:
            return None
        if found.metadata.event.camera != spool.name:
            raise _UnfitError(f"it is of camera {found.metadata.event.camera}", where=json_name)
        target = self._target(found.metadata)
        for file in found.files:
            place = spool / file.name if (spool / file.name).exists() else target / file.name
            _verify(place, file)
        return found

    def _move(self, spool: Path, found: _Found) -> EventRow:
        target = self._target(found.metadata)
        for name in (*(file.name for file in found.files), found.name):
            if (spool / name).exists():
                (spool / name).rename(target / name)
        sync_folder(target)
        return self._put_row(target, found)

    def _rebuild(self, path: Path) -> None:
        """A row from the metadata beside a clip; or the files go, where the quota was at them."""
        try:
            found = _read(path)
            for file in found.files:
                _verify(path.parent / file.name, file)
        except (_UnfitError, OSError) as exc:
            log.error("clip is not listed path=%s reason=%s", path, exc)
            return
        row = self._store.event(found.metadata.event.id)
        if row is not None and row.clip is not None and row.clip.state is ClipState.DELETED:
            delete_files([self.path(file) for file in row.clip.files])
            return
        self._put_row(path.parent, found)
        log.info("row rebuilt event=%s", found.metadata.event.id)

    def _target(self, metadata: ClipMetadata) -> Path:
        opened = datetime.fromtimestamp(utc_ns(metadata.event.opened_utc) / 1e9, UTC)
        return self._folder("clips", metadata.event.camera, f"{opened:%Y-%m-%d}")

    def _put_row(self, folder: Path, found: _Found) -> EventRow:
        def stored(file: FileRecord) -> ClipFile:
            return ClipFile(self._relative(folder / file.name), file.sha256, file.bytes)

        metadata, event = found.metadata, found.metadata.event
        digest = hashlib.sha256(found.data).hexdigest()
        clip = ClipRow(
            event_id=event.id,
            metadata=ClipFile(self._relative(folder / found.name), digest, len(found.data)),
            clip=stored(metadata.clip),
            snapshot=stored(metadata.snapshot) if metadata.snapshot else None,
            stored_utc_ns=self._clock.utc_ns(),
        )
        row = EventRow(event.event(), EventState.CLOSED, utc_ns(event.opened_utc), utc_ns(event.closed_utc), clip)
        self._store.clip_stored(clip, row)
        return row

    def _refuse(self, spool: Path, json_name: str, reason: str) -> None:
        """Puts a set aside that is not what it says; the oldest of those go when there are too many."""
        log.error("clip refused name=%s reason=%s", json_name, reason)
        folder = self._folder("refused", spool.name)
        for path in spool.glob(f"{Path(json_name).stem}.*"):
            path.rename(folder / path.name)
        kept = sorted(folder.iterdir(), key=lambda path: path.lstat().st_mtime_ns, reverse=True)
        delete_files(kept[MAX_REFUSED_FILES:])

    def _folder(self, *parts: str) -> Path:
        """A folder below the state folder, made durably where it is missing."""
        folder = self._state
        for part in parts:
            parent, folder = folder, folder / part
            if not folder.is_dir():
                folder.mkdir(mode=0o700, exist_ok=True)
                sync_folder(parent)
        return folder

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._state).as_posix()


def delete_files(paths: list[Path]) -> None:
    """Deletes what is there of `paths`, and the day's folder when it is the last."""
    for path in paths:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in paths}:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _read(path: Path) -> _Found:
    """Raises _UnfitError where it is no metadata, FileNotFoundError where it is gone."""
    with _open_regular(path) as file:
        data = file.read(MAX_METADATA_BYTES + 1)
    if len(data) > MAX_METADATA_BYTES:
        raise _UnfitError(f"its metadata is larger than {MAX_METADATA_BYTES} bytes", where=str(path))
    try:
        metadata = ClipMetadata.from_bytes(data, where=str(path))
        # raises where a time is none
        utc_ns(metadata.event.opened_utc), utc_ns(metadata.event.closed_utc)
    except (StoreError, ValueError) as exc:
        raise _UnfitError(str(exc), where=str(path)) from exc
    return _Found(path.name, data, metadata)


def _verify(path: Path, expected: FileRecord) -> None:
    """Raises _UnfitError where the file is not the one that the metadata describes."""
    if Path(expected.name).name != expected.name:
        raise _UnfitError(f"{expected.name!r} is no file name", where=str(path.parent))
    digest = hashlib.sha256()
    size_bytes = 0
    try:
        with _open_regular(path) as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                size_bytes += len(chunk)
    except FileNotFoundError as exc:
        raise _UnfitError("it is missing", where=str(path)) from exc
    if (size_bytes, digest.hexdigest()) != (expected.bytes, expected.sha256):
        raise _UnfitError("it is not what its metadata says: size or SHA-256 differs", where=str(path))


def _open_regular(path: Path) -> BinaryIO:
    """Opens a file that is neither a link nor a device: a spool is written by a process that is not trusted."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as exc:
        if exc.errno != errno.ELOOP:
            raise
        raise _UnfitError("it is a link", where=str(path)) from exc
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise _UnfitError("it is no regular file", where=str(path))
    return os.fdopen(fd, "rb")
