from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from camera_edge.errors import OutputError
from camera_edge.hub.program import empty_home, environment, log_lines, without_credentials

SOURCE = "rtsp://admin:s3cr%40t@192.0.2.1/stream"


@pytest.mark.parametrize(
    "line",
    [
        "cannot open rtsp://admin:s3cr%40t@192.0.2.1/stream",
        "password s3cr%40t was refused",
        "password s3cr@t was refused",
        "user admin was refused",
    ],
)
def test_no_form_of_a_source_s_credentials_is_logged(line: str) -> None:
    text = without_credentials(line.encode(), SOURCE)
    assert "***" in text
    assert not [secret for secret in ("admin", "s3cr", "%40t") if secret in text]


def test_credentials_of_unknown_addresses_are_hidden_too() -> None:
    assert without_credentials(b"at http://a:b@192.0.2.9/x now", "") == "at http://***@192.0.2.9/x now"


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert without_credentials(b"red \x1b[31m bell \x07\n", "") == "red ?[31m bell ?"


async def read(text: bytes, *, limit: int = 2**16) -> asyncio.StreamReader:
    stream = asyncio.StreamReader(limit=limit)
    stream.feed_data(text)
    stream.feed_eof()
    return stream


async def test_lines_are_logged_and_long_ones_cut(caplog: pytest.LogCaptureFixture) -> None:
    text = b"first\n\n" + b"x" * 5000 + b"\nlast without end"
    assert await log_lines(await read(text), name="front") == 0
    texts = [record.getMessage().partition("text=")[2] for record in caplog.records]
    assert texts == ["first", "", "x" * 2000, "last without end"]


async def test_a_line_without_end_does_not_fill_the_memory(caplog: pytest.LogCaptureFixture) -> None:
    await log_lines(await read(b"y" * 100_000, limit=1024), name="front")
    assert all(len(record.getMessage()) < 2100 for record in caplog.records)


async def test_a_child_that_prints_too_much_is_cut_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    left_out = await log_lines(await read(b"line\n" * 1000), name="front")
    # the clock may pass a second or two while the lines are read
    assert left_out >= 1000 - 3 * 20
    assert f"left_out={left_out}" in caplog.text


def test_a_child_s_environment_holds_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONT_PASSWORD", "secret")
    monkeypatch.setenv("LD_PRELOAD", "evil.so")
    assert set(environment(tmp_path)) == {
        "PATH",
        "LANG",
        "TZ",
        "HOME",
        "ORT_DISABLE_TELEMETRY",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MALLOC_ARENA_MAX",
        "PYTHONUNBUFFERED",
    }


def test_the_home_of_children_is_empty_and_not_writable(tmp_path: Path) -> None:
    home = empty_home(tmp_path)
    assert empty_home(tmp_path) == home
    assert home.stat().st_mode & 0o777 == 0o500
    assert list(home.iterdir()) == []


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="permissions"):
        empty_home(tmp_path / "absent")


def test_logging_of_children_is_a_warning_so_that_it_is_seen(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        await log_lines(await read(b"trouble\n"), name="front")

    asyncio.run(run())
    assert [(record.levelno, record.name) for record in caplog.records] == [
        (logging.WARNING, "camera_edge.hub.program")
    ]
