from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from camera_edge.hub.notify import ServiceNotifier


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(path)
        sock.settimeout(5)
        yield sock, path


def test_ready_alive_and_stopping_reach_systemd(systemd: tuple[socket.socket, str]) -> None:
    sock, path = systemd
    notifier = ServiceNotifier({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "30000000"})
    notifier.ready("2 cameras")
    notifier.alive()
    notifier.stopping()
    assert [sock.recv(100) for _ in range(3)] == [b"READY=1\nSTATUS=2 cameras", b"WATCHDOG=1", b"STOPPING=1"]
    assert notifier.watchdog_s == 30


def test_an_abstract_socket_is_reached_too() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0camera-edge-test-{os.getpid()}")
        sock.settimeout(5)
        ServiceNotifier({"NOTIFY_SOCKET": f"@camera-edge-test-{os.getpid()}"}).stopping()
        assert sock.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("watchdog", [{}, {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "x"}])
def test_a_watchdog_that_is_not_for_us_is_not_fed(systemd: tuple[socket.socket, str], watchdog: dict[str, str]) -> None:
    sock, path = systemd
    notifier = ServiceNotifier({"NOTIFY_SOCKET": path, **watchdog})
    notifier.alive()
    notifier.stopping()
    assert sock.recv(100) == b"STOPPING=1"


def test_without_systemd_nothing_is_sent_and_nothing_fails(tmp_path: Path) -> None:
    for environment in ({}, {"NOTIFY_SOCKET": str(tmp_path / "absent"), "WATCHDOG_USEC": "1000"}):
        notifier = ServiceNotifier(environment)
        notifier.ready("")
        notifier.alive()
        notifier.stopping()
