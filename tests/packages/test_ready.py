from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from camera_edge.errors import DamagedError
from camera_edge.packages import TrustStore, install, verify
from camera_edge.packages.ready import damaged, main, make_ready, recheck
from camera_edge.sandbox import Cache, Shelf
from tests.packages.packed import WHEN, signed, source, trusting_shelf


def test_the_one_shot_child_compiles_what_it_is_told(eager: Path, tmp_path: Path) -> None:
    wasm = eager
    command = [
        sys.executable,
        "-m",
        "camera_edge.packages.ready",
        str(tmp_path / "cache"),
        str(tmp_path / "shelf"),
        str(wasm),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 64, "no folders"),
        (["cache", "shelf", "missing.wasm"], 70, "missing.wasm: cannot be read"),
        (["cache", "shelf", "unknown_module"], 70, "unknown_module"),
    ],
)
def test_the_one_shot_child_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    assert main(arguments) == code
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and (message in error or "the shipped analyzers are not there" in error)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """With two versions of one analyzer."""
    shelf = trusting_shelf(tmp_path)
    for version in ("1.0.0", "1.1.0"):
        verified = verify(signed(source(version=version)), TrustStore(shelf).read())
        install(verified, shelf, installed_utc=WHEN)
    return shelf


def break_documents(shelf: Shelf, version: str) -> Path:
    """So that only the signature tells: the record says that these are the documents."""
    folder = shelf.version_folder("guest", version)
    record = json.loads((folder / "record.json").read_bytes())
    del record["documents_sha256"]
    (folder / "record.json").write_text(json.dumps(record))
    (folder / "package.tar").write_bytes(b"x")
    return folder / "package.tar"


def break_record(shelf: Shelf, version: str) -> Path:
    path = shelf.version_folder("guest", version) / "record.json"
    path.write_bytes(b"x")
    return path


def break_module(shelf: Shelf, version: str) -> Path:
    path = shelf.version_folder("guest", version) / "guest.wasm"
    path.write_bytes(b"x")
    return path


BREAKS = pytest.mark.parametrize("broken", [break_documents, break_record, break_module])


@BREAKS
@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_a_damaged_version_is_passed_over_and_told(
    shelf: Shelf, tmp_path: Path, broken: Callable[[Shelf, str], Path], version: str
) -> None:
    assert damaged(shelf) == []
    path = broken(shelf, version)
    recheck(shelf, {"guest", "other"})
    assert [each.manifest.version for each in shelf.candidates("guest")] == [{"1.0.0": "1.1.0"}.get(version, "1.0.0")]
    (text,) = damaged(shelf)
    assert text.startswith(f"guest {version} is passed over: {path}: damaged: ")
    assert f"analyzer remove guest --version {version}, then install it again" in text
    assert damaged(shelf, ["guest"]) == [text] and damaged(shelf, ["other"]) == []
    make_ready(Cache(tmp_path / "cache"), Shelf(shelf.folder), ["guest"])
    assert len(list((tmp_path / "cache").iterdir())) == 1


@BREAKS
def test_where_damage_leaves_no_version_the_error_says_what_to_do(
    shelf: Shelf, broken: Callable[[Shelf, str], Path]
) -> None:
    TrustStore(shelf).revoke(shelf.records("guest")[0].package_sha256, now_utc=WHEN)
    path = broken(shelf, "1.0.0")
    with pytest.raises(DamagedError, match="damaged: ") as caught:
        recheck(shelf, ["guest"])
    assert caught.value.where == str(path)
    assert caught.value.hint == "camera-edge analyzer remove guest --version 1.0.0, then install it again"


def test_what_is_withheld_is_not_damaged(shelf: Shelf) -> None:
    TrustStore(shelf).remove("acme")
    recheck(shelf, ["guest"])
    assert damaged(shelf) == [] and shelf.candidates("guest") == ()
