from __future__ import annotations

import errno
import hashlib
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest

from camera_edge.clips import ClipFolder, ClipMetadata
from camera_edge.encode import ClipEncoder
from camera_edge.errors import OutputError
from camera_edge.picture import Picture

ID = "0123456789abcdef"
CLIP = b"the clip"
SNAPSHOT = b"the snapshot"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def ready(spool: Path) -> ClipFolder:
    folder = ClipFolder(spool)
    folder.open()
    return folder


@contextmanager
def files_limited_to(size_bytes: int) -> Iterator[None]:
    """Writing beyond this size fails as on a full disk (EFBIG, since Python ignores SIGXFSZ)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_published_clip_lies_there_as_three_files(tmp_path: Path, metadata: ClipMetadata) -> None:
    with ready(tmp_path / "spool").draft(ID) as draft:
        draft.clip_path.write_bytes(CLIP)
        sealed = draft.seal(SNAPSHOT)
        assert names(tmp_path / "spool") == [f".{ID}.jpg.part", f".{ID}.mp4.part"]
        path = draft.publish(metadata)
    assert names(tmp_path / "spool") == [f"{ID}.jpg", f"{ID}.json", f"{ID}.mp4"]
    assert (tmp_path / "spool" / f"{ID}.mp4").read_bytes() == CLIP
    assert (tmp_path / "spool" / f"{ID}.jpg").read_bytes() == SNAPSHOT
    assert ClipMetadata.from_file(path) == metadata
    assert (sealed.clip.name, sealed.clip.bytes) == (f"{ID}.mp4", len(CLIP))
    assert sealed.clip.sha256 == hashlib.sha256(CLIP).hexdigest()
    assert sealed.snapshot is not None
    assert sealed.snapshot.sha256 == hashlib.sha256(SNAPSHOT).hexdigest()


def test_an_encoder_writes_into_a_draft_and_the_result_plays(tmp_path: Path, metadata: ClipMetadata) -> None:
    y, u = np.full((48, 64), 90, np.uint8), np.full((24, 32), 128, np.uint8)
    with ready(tmp_path).draft(ID) as draft:
        with ClipEncoder(draft.clip_path, 64, 48) as encoder:
            for number in range(5):
                encoder.write(Picture(y, u, u, y.copy), number * 40_000)
        assert draft.seal(None).clip.bytes == encoder.close().bytes
        draft.publish(msgspec.structs.replace(metadata, snapshot=None))
    with av.open(str(tmp_path / f"{ID}.mp4")) as container:
        assert len(list(container.decode(video=0))) == 5


def test_a_clip_without_a_snapshot_is_whole(tmp_path: Path, metadata: ClipMetadata) -> None:
    with ready(tmp_path).draft(ID) as draft:
        draft.clip_path.write_bytes(CLIP)
        assert draft.seal(None).snapshot is None
        draft.publish(msgspec.structs.replace(metadata, snapshot=None))
    assert names(tmp_path) == [f"{ID}.json", f"{ID}.mp4"]


def test_the_disk_has_the_data_before_the_name_and_the_metadata_last(
    tmp_path: Path, metadata: ClipMetadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    sync, rename = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        steps.append(f"sync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        sync(descriptor)

    def replace(path: Path, target: Path) -> Path:
        steps.append(f"name {target.name}")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    with ready(tmp_path / "spool").draft(ID) as draft:
        draft.clip_path.write_bytes(CLIP)
        draft.seal(SNAPSHOT)
        draft.publish(metadata)
    assert steps == [
        f"sync .{ID}.mp4.part",
        f"sync .{ID}.jpg.part",
        f"name {ID}.mp4",
        f"name {ID}.jpg",
        "sync spool",
        f"sync .{ID}.json.part",
        f"name {ID}.json",
        "sync spool",
    ]


def test_what_is_abandoned_leaves_nothing(tmp_path: Path) -> None:
    folder = ready(tmp_path)
    with pytest.raises(KeyError), folder.draft(ID) as draft:
        draft.clip_path.write_bytes(CLIP)
        draft.seal(SNAPSHOT)
        raise KeyError
    assert names(tmp_path) == []
    draft.abandon()


def test_abandoning_after_publishing_deletes_nothing(tmp_path: Path, metadata: ClipMetadata) -> None:
    draft = ready(tmp_path).draft(ID)
    draft.clip_path.write_bytes(CLIP)
    draft.seal(SNAPSHOT)
    draft.publish(metadata)
    draft.abandon()
    assert len(names(tmp_path)) == 3


def test_opening_sweeps_what_a_crash_left_and_keeps_whole_clips_and_strangers(tmp_path: Path) -> None:
    whole = ["aaaaaaaaaaaaaaaa.mp4", "aaaaaaaaaaaaaaaa.jpg", "aaaaaaaaaaaaaaaa.json"]
    strangers = ["notes.txt", "holiday.mp4", ".hidden"]
    left = [f".{ID}.mp4.part", f".{ID}.json.part", "bbbbbbbbbbbbbbbb.jpg", "bbbbbbbbbbbbbbbb.mp4"]
    for name in (*whole, *strangers, *left):
        (tmp_path / name).write_bytes(b"x")
    assert ClipFolder(tmp_path).open() == sorted(left)
    assert names(tmp_path) == sorted((*whole, *strangers))
    assert ClipFolder(tmp_path).open() == []


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, metadata: ClipMetadata) -> None:
    draft = ready(tmp_path).draft(ID)
    draft.clip_path.write_bytes(CLIP)
    draft.seal(SNAPSHOT)
    with files_limited_to(200), pytest.raises(OutputError, match="too large") as refused:
        draft.publish(metadata)
    assert refused.value.exit_code == 73
    assert "free some space" in (refused.value.hint or "")
    assert names(tmp_path) == []


def test_a_snapshot_that_does_not_fit_gives_the_clip_up(tmp_path: Path) -> None:
    draft = ready(tmp_path).draft(ID)
    draft.clip_path.write_bytes(CLIP)
    with files_limited_to(4), pytest.raises(OutputError):
        draft.seal(SNAPSHOT)
    assert names(tmp_path) == []


def test_a_clip_that_was_never_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file"):
        ready(tmp_path).draft(ID).seal(SNAPSHOT)


def test_a_folder_that_cannot_be_made_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError) as refused:
        ClipFolder(tmp_path / "file" / "spool").open()
    assert refused.value.where == str(tmp_path / "file" / "spool")
    assert refused.value.hint


def test_a_read_only_folder_is_an_error_that_says_where_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, data: bytes) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    draft = ready(tmp_path).draft(ID)
    draft.clip_path.write_bytes(CLIP)
    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(OutputError, match="Read-only file system") as refused:
        draft.seal(SNAPSHOT)
    assert "may write" in (refused.value.hint or "")
    assert names(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        ClipFolder(tmp_path / "spool").open()


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "ABCDEF0123456789", "0123", "a" * 65, "01234567.mp4"])
def test_an_id_that_is_no_hash_cannot_name_a_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a file"):
        ClipFolder(tmp_path).draft(name)
