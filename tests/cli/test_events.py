"""`camera-edge events` against a store, with clips that were made by a run."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from camera_edge.event import Event
from camera_edge.observation import Box
from camera_edge.store import ClipFile, ClipRow, ClipState, EventRow, EventState, Store

Command = Callable[..., tuple[int, str, str]]

SECOND_NS = 1_000_000_000
FIRST, SECOND = "00000000000000aa", "00000000000000bb"


def event(event_id: str, number: int) -> Event:
    return Event(
        id=event_id,
        camera="front" if number == 0 else "gate",
        rule="any",
        kind="person" if number == 0 else "motion",
        analyzer="motion",
        score=0.5,
        best_frame=3,
        opened_us=number * 10_000_000,
        closed_us=number * 10_000_000 + 2_500_000,
        zones=("path",),
        tracks=(1, 2),
        why="person in path, score 0.50",
        box=Box(0.1, 0.2, 0.3, 0.4),
    )


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The older event has a clip, the newer one none yet."""
    folder = tmp_path / "state"
    (folder / "clips").mkdir(parents=True)
    files = []
    for suffix in ("mp4", "jpg", "json"):
        data = f"content of {suffix}".encode()
        (folder / "clips" / f"{FIRST}.{suffix}").write_bytes(data)
        files.append(ClipFile(f"clips/{FIRST}.{suffix}", hashlib.sha256(data).hexdigest(), len(data)))
    with Store.open(folder) as store:
        older, newer = event(FIRST, 0), event(SECOND, 1)
        store.event_changed(newer, opened_utc_ns=20 * SECOND_NS, closed_utc_ns=22 * SECOND_NS)
        clip = ClipRow(FIRST, metadata=files[2], clip=files[0], snapshot=files[1], stored_utc_ns=9 * SECOND_NS)
        store.clip_stored(clip, EventRow(older, EventState.CLOSED, 5 * SECOND_NS, 8 * SECOND_NS, None))
    return folder


def test_events_are_listed_newest_first_as_json_lines(command: Command, state: Path) -> None:
    code, out, _ = command("events", "list", "--state", state, "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert (code, [row["id"] for row in rows]) == (0, [SECOND, FIRST])
    assert rows[1] == {
        "id": FIRST,
        "camera": "front",
        "rule": "any",
        "kind": "person",
        "analyzer": "motion",
        "score": 0.5,
        "state": "closed",
        "opened_utc": "1970-01-01T00:00:05.000Z",
        "closed_utc": "1970-01-01T00:00:08.000Z",
        "opened_s": 0.0,
        "closed_s": 2.5,
        "zones": ["path"],
        "tracks": [1, 2],
        "why": "person in path, score 0.50",
        "box": [0.1, 0.2, 0.3, 0.4],
        "clip_state": "stored",
        "clip": f"clips/{FIRST}.mp4",
        "snapshot": f"clips/{FIRST}.jpg",
        "metadata": f"clips/{FIRST}.json",
    }
    assert (rows[0]["clip"], rows[0]["clip_state"]) == (None, None)


@pytest.mark.parametrize(
    ("options", "expected"),
    [(["--camera", "gate"], [SECOND]), (["--kind", "person"], [FIRST]), (["--limit", "1"], [SECOND])],
)
def test_a_list_is_narrowed(command: Command, state: Path, options: list[str], expected: list[str]) -> None:
    _, out, _ = command("events", "list", "--state", state, "--json", *options)
    assert [json.loads(line)["id"] for line in out.splitlines()] == expected


def test_a_list_for_people_has_a_line_for_each_event(command: Command, state: Path) -> None:
    code, out, _ = command("events", "list", "--state", state)
    assert code == 0
    assert len(out.splitlines()) == 3
    assert f"clips/{FIRST}.mp4" in out and SECOND in out


def test_one_event_is_shown(command: Command, state: Path) -> None:
    code, out, _ = command("events", "show", FIRST, "--state", state, "--json")
    assert (code, json.loads(out)["clip"]) == (0, f"clips/{FIRST}.mp4")
    code, out, _ = command("events", "show", FIRST, "--state", state)
    assert code == 0 and f"clips/{FIRST}.mp4" in out and "person in path, score 0.50" in out


def test_an_unknown_event_is_64(command: Command, state: Path) -> None:
    code, out, said = command("events", "show", "0123456789abcdef", "--state", state)
    assert (code, out) == (64, "")
    assert "events list" in said


def test_a_folder_without_a_store_is_told(command: Command, tmp_path: Path) -> None:
    code, out, said = command("events", "list", "--state", tmp_path)
    assert (code, out) == (70, "")
    assert str(tmp_path) in said and "camera-edge run" in said


def test_an_export_copies_all_files_of_a_clip(command: Command, state: Path, tmp_path: Path) -> None:
    code, out, _ = command("events", "export", FIRST, "--out", tmp_path / "to" / "here", "--state", state, "--json")
    assert code == 0
    copies = [Path(path) for path in json.loads(out)["files"]]
    assert sorted(copies) == sorted((tmp_path / "to" / "here").iterdir())
    assert {path.name for path in copies} == {f"{FIRST}.mp4", f"{FIRST}.jpg", f"{FIRST}.json"}
    assert all(path.read_bytes() == (state / "clips" / path.name).read_bytes() for path in copies)


def check_not_exported(said: str, code: int, out: Path) -> None:
    assert code == 73
    assert said.count("error:") == said.count("next:") == 1
    assert not [path for path in out.rglob("*") if path.name.endswith(".part")]


def test_a_clip_that_was_changed_is_not_exported(command: Command, state: Path, tmp_path: Path) -> None:
    (state / "clips" / f"{FIRST}.mp4").write_bytes(b"other content")
    code, _, said = command("events", "export", FIRST, "--out", tmp_path / "out", "--state", state)
    check_not_exported(said, code, tmp_path / "out")
    assert "not what was stored" in said
    assert not (tmp_path / "out" / f"{FIRST}.mp4").exists()


def test_an_export_that_fails_in_the_middle_leaves_no_half_copy(command: Command, state: Path, tmp_path: Path) -> None:
    # the copy cannot take its name, for a folder has it
    (tmp_path / "out" / f"{FIRST}.mp4").mkdir(parents=True)
    code, _, said = command("events", "export", FIRST, "--out", tmp_path / "out", "--state", state)
    check_not_exported(said, code, tmp_path / "out")


def test_an_export_of_a_clip_that_is_gone_says_so(command: Command, state: Path, tmp_path: Path) -> None:
    (state / "clips" / f"{FIRST}.mp4").unlink()
    code, _, said = command("events", "export", FIRST, "--out", tmp_path / "out", "--state", state)
    check_not_exported(said, code, tmp_path / "out")
    with Store.open(state) as store:
        store.clip_gone(FIRST, ClipState.DELETED)
    code, _, said = command("events", "export", FIRST, "--out", tmp_path / "out", "--state", state)
    check_not_exported(said, code, tmp_path / "out")
    assert "deleted" in said


def test_an_event_without_a_clip_is_not_exported(command: Command, state: Path, tmp_path: Path) -> None:
    code, _, said = command("events", "export", SECOND, "--out", tmp_path / "out", "--state", state)
    check_not_exported(said, code, tmp_path / "out")
    assert "no clip" in said


def test_an_export_into_a_file_is_73(command: Command, state: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.touch()
    code, _, said = command("events", "export", FIRST, "--out", out, "--state", state)
    assert code == 73
    assert str(out) in said
