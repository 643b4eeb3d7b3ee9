"""What `camera-edge doctor` says of a machine, and that a machine it finds lacking still works."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from camera_edge.packages import TrustStore, install, verify
from camera_edge.sandbox import shipped_names
from tests.packages.packed import WHEN, signed, source, trusting_shelf

Command = Callable[..., tuple[int, str, str]]


def findings(command: Command, state: Path) -> dict[str, tuple[str, str]]:
    code, out, _ = command("doctor", "--state", state, "--json")
    assert code in (0, 70)
    return {each["about"]: (each["verdict"], each["text"]) for each in json.loads(out)}


def observations(command: Command, recording: Path) -> list[str]:
    code, out, said = command("analyze", recording, "--json", "--observations", "--scores", "--rate", "5")
    assert code == 0, said
    return [line for line in out.splitlines() if '"summary"' not in line]


def test_frames_are_mapped_here(command: Command, tmp_path: Path) -> None:
    assert findings(command, tmp_path)["frames"][0] == "ok"


def test_where_frames_cannot_be_mapped_doctor_says_so_and_analyzers_run_all_the_same(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    found = findings(command, tmp_path)
    verdict, text = found["frames"]
    assert verdict == "less" and "copied into each sandbox" in text and "memfd" in text
    verdicts = {about.split()[1]: verdict for about, (verdict, _) in found.items() if about.startswith("analyzer ")}
    assert verdicts == dict.fromkeys(shipped_names(), "ok")


def test_copied_frames_give_the_same_observations_as_mapped_ones(
    command: Command, walk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped = observations(command, walk)
    monkeypatch.delattr(os, "memfd_create")
    assert len(mapped) > 40
    assert observations(command, walk) == mapped


def test_a_damaged_installed_analyzer_is_found(command: Command, tmp_path: Path) -> None:
    record = tmp_path / "analyzers" / "modules" / "mine" / "1.0" / "record.json"
    record.parent.mkdir(parents=True)
    record.write_text("{")
    verdict, text = findings(command, tmp_path)["analyzer mine 1.0"]
    assert verdict == "bad" and str(record) in text


def test_damage_beside_a_whole_version_is_less_and_not_bad(command: Command, tmp_path: Path) -> None:
    shelf = trusting_shelf(tmp_path)
    for version in ("1.0.0", "1.1.0"):
        install(verify(signed(source(version=version)), TrustStore(shelf).read()), shelf, installed_utc=WHEN)
    path = shelf.version_folder("guest", "1.0.0") / "guest.wasm"
    path.write_bytes(b"x")
    found = findings(command, tmp_path / "state")
    assert found["analyzer guest 1.1.0"][0] == "ok"
    verdict, text = found["analyzer guest 1.0.0"]
    assert verdict == "less" and str(path) in text and "then install it again" in text
