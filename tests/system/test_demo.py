"""`camera-edge demo` as a person runs it: to its own end, with everything in the folder that was asked for."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from camera_edge.clips import ClipMetadata

# somebody comes to the gate in second 7 and leaves in second 16
SECONDS = 13
COMMAND = (sys.executable, "-B", "-m", "camera_edge")


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that has ended. told_early: the first line on stdout, read while it still ran."""

    code: int
    told_early: str
    told: str
    talk: str
    out: Path
    home: Path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, analyzers: Path) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    out, home = folder / "out", folder / "home"
    home.mkdir()
    with (folder / "talk").open("wb") as talk:
        process = subprocess.Popen(
            [
                sys.executable,
                "-B",
                "-m",
                "camera_edge",
                "demo",
                "--for",
                str(SECONDS),
                "--out",
                str(out),
                "--port",
                "0",
            ],
            stdout=subprocess.PIPE,
            stderr=talk,
            text=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"},
            cwd=Path(__file__).parents[2],
        )
        try:
            assert process.stdout is not None
            early = process.stdout.readline()
            still_ran = process.poll() is None
            rest, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    said = (folder / "talk").read_text()
    if (
        "analyzers are not built" in said
        or not (Path(__file__).parents[2] / "camera_edge/shipped/hashes.json").exists()
    ):
        pytest.skip("the analyzers are not built (scripts/setup)")
    return Demo(process.returncode, early if still_ran else "", early + rest, said, out, home)


def test_it_ends_by_itself_and_well(demo: Demo) -> None:
    assert demo.code == 0, demo.talk
    assert "Traceback" not in demo.talk
    assert re.search(r"^\d+ events, \d+ clips in ", demo.talk, re.MULTILINE)


def test_an_event_is_printed_when_it_opens_and_when_it_closes_with_the_path_of_its_clip(demo: Demo) -> None:
    why = r"motion in gate for [\d.]+ s, score \d\.\d\d"
    opened = re.fullmatch(rf"\s*opened  yard  motion in gate  (\w+)  \S+Z  {why}\s*", demo.told_early)
    assert opened, demo.told
    closed = re.search(rf"closed  yard  motion in gate  {opened[1]}  after \d+\.\d s, best score \d\.\d\d", demo.told)
    clip = re.search(rf"clip  yard  motion in gate  {opened[1]}  (/\S+\.mp4)", demo.told)
    assert closed and clip, demo.told
    assert Path(clip[1]).is_relative_to(demo.out) and Path(clip[1]).is_file()


def test_the_address_of_the_page_carries_the_token(demo: Demo) -> None:
    assert re.search(r"^page and live preview: http://127\.0\.0\.1:\d+/\?token=[\w-]{40,}$", demo.talk, re.MULTILINE)


def test_every_file_is_as_its_row_says_and_every_clip_plays(demo: Demo) -> None:
    with sqlite3.connect(f"file:{demo.out / 'camera-edge.db'}?mode=ro", uri=True) as store:
        rows = store.execute("SELECT part, path, sha256, size_bytes FROM clip_files").fetchall()
        states = store.execute("SELECT DISTINCT state FROM events").fetchall()
    store.close()
    assert states == [("closed",)]
    assert {part for part, *_ in rows} == {"clip", "snapshot", "metadata"}
    for _, path, digest, size_bytes in rows:
        data = (demo.out / path).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (digest, size_bytes)
    kept = {path.relative_to(demo.out).as_posix() for path in (demo.out / "clips").rglob("*") if path.is_file()}
    assert kept == {path for _, path, *_ in rows}
    for path in (demo.out / "clips").rglob("*.mp4"):
        metadata = ClipMetadata.from_file(path.with_suffix(".json"))
        with av.open(str(path), "r") as video:
            assert len(list(video.decode(video=0))) == metadata.frames.count > 0


def test_nothing_is_left_half_done_or_elsewhere(demo: Demo) -> None:
    assert [path for path in (demo.out / "spool").rglob("*") if path.is_file()] == []
    assert list(demo.home.iterdir()) == []


def test_the_store_is_listed_by_the_command_for_it(demo: Demo) -> None:
    done = subprocess.run(
        [*COMMAND, "events", "list", "--json", "--state", str(demo.out)],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(demo.home)},
        cwd=Path(__file__).parents[2],
        timeout=60,
        check=True,
    )
    assert len(done.stdout.splitlines()) == demo.told.count("opened")
