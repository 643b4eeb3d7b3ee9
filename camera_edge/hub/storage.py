"""Keeps the clips within their quota and the disk's headroom free.

Invariant: a row is marked before its files go, so no row ever names a file that this took.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from camera_edge.clips import StoredClip, what_to_delete
from camera_edge.config import StorageConfig
from camera_edge.errors import OutputError
from camera_edge.hub.intake import delete_files
from camera_edge.store import ClipState, EventRow, Store

log = logging.getLogger(__name__)


class Storage:
    """Deletes the oldest clips. Blocking; one thread at a time."""

    def __init__(self, state: Path, store: Store, config: StorageConfig) -> None:
        self._state = state
        self._store = store
        self._config = config

    def keep_quota(self) -> list[str]:
        """Returns the ids of the events whose clips were deleted. Raises OutputError where one cannot be."""
        used_bytes = self._store.stored_bytes()
        free_bytes = shutil.disk_usage(self._state).free
        if used_bytes <= self._config.quota and free_bytes >= self._config.headroom:
            return []
        rows = {row.event.id: row for row in self._store.clips()}
        plan = what_to_delete(
            [_stored_clip(row) for row in rows.values()],
            quota_bytes=self._config.quota,
            free_bytes=free_bytes,
            headroom_bytes=self._config.headroom,
        )
        for clip in plan:
            self._delete(rows[clip.id])
        if free_bytes + sum(clip.bytes for clip in plan) < self._config.headroom:
            log.warning(
                "disk is full of other things free_bytes=%d headroom_bytes=%d", free_bytes, self._config.headroom
            )
        return [clip.id for clip in plan]

    def _delete(self, row: EventRow) -> None:
        assert row.clip is not None
        self._store.clip_gone(row.event.id, ClipState.DELETED)
        try:
            delete_files([self._state / file.path for file in row.clip.files])
        except OSError as exc:
            raise OutputError(
                f"an old clip cannot be deleted: {exc.strerror}", where=str(self._state), hint="mend its permissions"
            ) from exc
        log.info("clip deleted by quota event=%s bytes=%d", row.event.id, row.clip.size_bytes)


def _stored_clip(row: EventRow) -> StoredClip:
    assert row.clip is not None
    closed_utc_ns = row.opened_utc_ns if row.closed_utc_ns is None else row.closed_utc_ns
    return StoredClip(row.event.id, row.clip.size_bytes, closed_utc_ns)
