"""What the hub keeps: events in the store, clips in their folder, within the quota.

Invariant: one thread of its own touches the disk, so a slow one holds up neither the preview nor the supervision;
news is told after the row is durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from camera_edge.clock import Clock
from camera_edge.errors import LinkError
from camera_edge.hub.intake import Intake
from camera_edge.hub.news import ClipNews, EventNews
from camera_edge.hub.storage import Storage
from camera_edge.link import ClipReady, EventChanged
from camera_edge.store import EventRow, Store

T = TypeVar("T")
OnNews = Callable[[EventNews | ClipNews], None]


class Records:
    """Calls from the event loop, work in one thread. Every call may raise StoreError or OutputError."""

    def __init__(
        self,
        store: Store,
        intake: Intake,
        storage: Storage,
        clock: Clock,
        on_news: Callable[[EventNews | ClipNews], None],
    ) -> None:
        self._store = store
        self._intake = intake
        self._storage = storage
        self._clock = clock
        self._on_news = on_news
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="records")

    async def close(self) -> None:
        """Waits for what is under way."""
        await asyncio.to_thread(self._thread.shutdown)

    def spool(self, camera: str) -> Path:
        return self._intake.spool(camera)

    async def reconcile(self) -> None:
        """Brings rows and files together after whatever happened while nobody looked; then keeps the quota.

        To be called before a worker runs: what is still open was left so by a hub that was killed.
        """
        await self._call(self._intake.reconcile)
        await self._call(lambda: self._store.interrupt_open(None, self._clock.utc_ns()))
        await self._call(self._storage.keep_quota)

    async def next_number(self, camera: str) -> int:
        return await self._call(lambda: self._store.next_number(camera))

    async def event_changed(self, camera: str, message: EventChanged) -> None:
        """Raises LinkError where a worker speaks of another's camera."""
        event = message.event
        if event.camera != camera:
            raise LinkError(f"the worker of {camera} sent an event of {event.camera}")
        await self._call(
            lambda: self._store.event_changed(
                event, opened_utc_ns=message.opened_utc_ns, closed_utc_ns=message.closed_utc_ns
            )
        )
        self._on_news(EventNews(message.phase, event, message.opened_utc_ns, message.closed_utc_ns))

    async def clip_ready(self, camera: str, message: ClipReady) -> None:
        row = await self._call(lambda: self._intake.take(camera, message.json_name))
        if row is not None:
            self._tell(row)
        await self._call(self._storage.keep_quota)

    async def take_in(self, camera: str) -> None:
        """Everything that is finished in a camera's spool, as after a crash."""
        for row in await self._call(lambda: self._intake.take_all(camera)):
            self._tell(row)

    async def worker_gone(self, camera: str) -> None:
        """Takes in what a worker left, and ends the events that it can no longer close."""
        await self.take_in(camera)
        await self._call(lambda: self._store.interrupt_open(camera, self._clock.utc_ns()))
        await self._call(self._storage.keep_quota)

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _tell(self, row: EventRow) -> None:
        clip = row.clip
        if clip is not None:
            self._on_news(
                ClipNews(
                    row.event,
                    clip=self._intake.path(clip.clip) if clip.clip else None,
                    snapshot=self._intake.path(clip.snapshot) if clip.snapshot else None,
                    metadata=self._intake.path(clip.metadata),
                )
            )
