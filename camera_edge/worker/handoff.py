"""Passes work from one thread to the next without ever making the first one wait.

Invariant: bounded; who loses is said at each place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class Handoff(Generic[T]):
    """A queue of at most `capacity` items between two threads.

    `oldest_loses` False: where it is full `put` refuses the new item, and its giver counts and frees it. True: the
    oldest is pushed out and given to `lost`.
    """

    def __init__(self, capacity: int, lost: Callable[[T], None] | None = None) -> None:
        self._capacity = capacity
        self._lost = lost
        self._items: deque[T] = deque()
        self._changed = Condition()
        self._closed = False

    def put(self, item: T) -> bool:
        """False where the item was refused: the queue is full or closed."""
        with self._changed:
            if self._closed:
                return False
            pushed_out: T | None = None
            if len(self._items) >= self._capacity:
                if self._lost is None:
                    return False
                pushed_out = self._items.popleft()
            self._items.append(item)
            self._changed.notify()
        if pushed_out is not None and self._lost is not None:
            self._lost(pushed_out)
        return True

    def take(self, timeout_s: float) -> T | None:
        """The next item; None after `timeout_s` without one, or where it is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._items) or self._closed, timeout_s)
            return self._items.popleft() if self._items else None

    @property
    def drained(self) -> bool:
        """Closed and empty: nothing comes any more."""
        with self._changed:
            return self._closed and not self._items

    def close(self) -> None:
        """Nothing more goes in; what is in still comes out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
