"""Tells systemd how the hub is (sd_notify(3)): ready, alive, stopping.

Invariant: without systemd nothing is sent, and a message that cannot be sent never stops the hub.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping


class ServiceNotifier:
    """Datagrams to the socket that systemd names in the environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        watchdog_us = environment.get("WATCHDOG_USEC", "")
        for_us = environment.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        self._watchdog_s = int(watchdog_us) / 1e6 if watchdog_us.isdigit() and for_us else None

    @property
    def watchdog_s(self) -> float | None:
        """The time within which `alive` has to come again, or None where nobody waits for it."""
        return self._watchdog_s

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={status}")

    def alive(self) -> None:
        if self._watchdog_s is not None:
            self._send("WATCHDOG=1")

    def status(self, status: str) -> None:
        self._send(f"STATUS={status}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        # a leading @ stands for the abstract namespace
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(text.encode(), address)
