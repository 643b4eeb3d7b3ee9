from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from camera_edge.errors import DamagedError, ModuleError, OutputError
from camera_edge.sandbox.manifest import read_manifest
from camera_edge.sandbox.record import NewVersion, Placed
from camera_edge.sandbox.retention import NEWEST_KEPT, VERSIONS_MAX
from camera_edge.sandbox.shelf import Shelf
from tests.sandbox.shelved import KEY, WHEN, new_version, trust_key

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path / "state" / "analyzers")
    trust_key(shelf, KEY)
    return shelf


def put(shelf: Shelf, version: str, *, rollback: bool = False, **settings: object) -> Placed:
    new = new_version(version, **settings)  # type: ignore[arg-type]
    return shelf.put(new, installed_utc=WHEN, allow_rollback=rollback)


def asking(version: str, *asks: str) -> NewVersion:
    new = new_version(version)
    toml = new.toml.replace(b'["pixels"]', json.dumps(asks).encode())
    return replace(new, toml=toml, manifest=read_manifest(toml, where="test"))


def put_asking(shelf: Shelf, version: str, *asks: str) -> tuple[str, ...]:
    """What was removed for it."""
    return shelf.put(asking(version, *asks), installed_utc=WHEN).removed


def versions(shelf: Shelf, name: str = "guest") -> list[str]:
    return [module.manifest.version for module in shelf.candidates(name)]


def tree(shelf: Shelf) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(shelf.folder.rglob("*")) if path.is_file()}


def test_an_empty_shelf_has_nothing_and_makes_no_folder(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "analyzers")
    assert (shelf.names(), shelf.candidates("guest"), shelf.highest("guest"), shelf.generation) == ([], (), None, "")
    assert not shelf.folder.exists()


def test_what_was_put_is_handed_out_with_its_signer(shelf: Shelf) -> None:
    placed = put(shelf, "1.0")
    (module,) = shelf.candidates("guest")
    assert (module.manifest.name, module.origin, module.signer) == ("guest", "installed", "acme")
    assert (module.sha256, placed.record.installed_utc) == (placed.record.wasm_sha256, WHEN)
    assert shelf.names() == ["guest"] and not placed.was_there
    assert (shelf.version_folder("guest", "1.0") / "package.tar").read_bytes() == b"documents"


def test_the_newest_comes_first_by_number_and_not_by_text(shelf: Shelf) -> None:
    for version in ("1.2", "1.9", "1.10-rc.1", "1.10"):
        put(shelf, version)
    assert versions(shelf) == ["1.10", "1.10-rc.1", "1.9", "1.2"]


def test_of_versions_that_ask_for_the_same_the_newest_four_are_kept(shelf: Shelf) -> None:
    removed = [put(shelf, f"1.{number}").removed for number in range(NEWEST_KEPT + 2)]
    assert versions(shelf) == ["1.5", "1.4", "1.3", "1.2"]
    assert removed == [(), (), (), (), ("1.0",), ("1.1",)]


def test_a_version_that_may_run_does_not_go_for_newer_ones_that_wait_for_a_grant(shelf: Shelf) -> None:
    removed = [put_asking(shelf, "0.1.0", "pixels")]
    removed += [put_asking(shelf, f"0.{number}.0", "pixels", "state:64") for number in range(2, 7)]
    assert removed == [(), (), (), (), (), ("0.2.0",)]
    assert versions(shelf) == ["0.6.0", "0.5.0", "0.4.0", "0.3.0", "0.1.0"]
    # one that asks for no more stands in for all that are older
    assert put_asking(shelf, "0.7.0", "pixels") == ("0.3.0", "0.1.0")


def test_a_withheld_version_stands_in_for_no_other(shelf: Shelf) -> None:
    for number in range(1, 5):
        put(shelf, f"1.{number}")
    with shelf.changing_trust() as folder:
        for record in shelf.records("guest")[:-1]:
            (folder.revoked_digests / record.package_sha256).touch()
    assert put_asking(shelf, "1.5", "pixels", "nn.load") == ()
    assert versions(shelf) == ["1.5", "1.1"]


def test_sixteen_versions_are_kept_at_most(shelf: Shelf) -> None:
    removed = [put_asking(shelf, f"1.{each}", "pixels", f"state:{each}") for each in range(1, VERSIONS_MAX + 2)]
    assert removed == [()] * VERSIONS_MAX + [("1.1",)]


@pytest.mark.parametrize("asks", [("pixels", "observations"), ("observations", "pixels")], ids="then".join)
def test_a_name_keeps_its_role_until_it_is_removed(shelf: Shelf, asks: tuple[str, str]) -> None:
    there, new = asks
    put_asking(shelf, "1.0", there)
    before = tree(shelf)
    with pytest.raises(ModuleError, match=r"guest 1\.0 is installed and is an? ") as caught:
        put_asking(shelf, "1.1", new)
    assert str(caught.value.hint) == "give it a name of its own, or first: camera-edge analyzer remove guest"
    assert tree(shelf) == before
    shelf.remove("guest")
    assert put_asking(shelf, "1.1", new) == () and versions(shelf) == ["1.1"]


def test_the_same_again_changes_nothing(shelf: Shelf) -> None:
    put(shelf, "1.0")
    before = tree(shelf)
    before.pop(str(shelf.folder / "generation"))
    assert put(shelf, "1.0").was_there
    after = tree(shelf)
    after.pop(str(shelf.folder / "generation"))
    assert after == before


def test_each_change_changes_the_generation_and_a_refusal_does_not(shelf: Shelf) -> None:
    seen = [shelf.generation]
    put(shelf, "1.0")
    seen.append(shelf.generation)
    put(shelf, "1.1")
    seen.append(shelf.generation)
    shelf.remove("guest", "1.1")
    seen.append(shelf.generation)
    trust_key(shelf, b"another", "other")
    seen.append(shelf.generation)
    assert len(set(seen)) == 5
    with pytest.raises(ModuleError):
        put(shelf, "1.0", content="other")
    assert shelf.generation == seen[-1]


@pytest.mark.parametrize(
    ("refused", "message", "step"),
    [
        ({"version": "1.0", "content": "other"}, "installed already, with other content", "a new version"),
        ({"version": "1.0.0", "content": "other"}, "installed already, with other content", "a new version"),
        ({"version": "0.9"}, "older than 1.0", "--allow-rollback"),
        ({"version": "1.0-rc.1"}, "older than 1.0", "--allow-rollback"),
        ({"version": "2.0", "key": b"mallory", "signer": "mallory"}, "signed by 'acme'", "analyzer remove guest"),
        ({"version": "latest"}, "cannot be ordered", "1.4.0"),
    ],
)
def test_a_refusal_names_reason_and_next_step_and_leaves_the_shelf_as_it_was(
    shelf: Shelf, refused: dict[str, str], message: str, step: str
) -> None:
    put(shelf, "1.0")
    before = tree(shelf)
    with pytest.raises(ModuleError, match=message) as caught:
        put(shelf, **refused)  # type: ignore[arg-type]
    assert caught.value.hint is not None and step in caught.value.hint
    assert tree(shelf) == before


def test_a_rollback_removes_what_is_newer(shelf: Shelf) -> None:
    for version in ("1.0", "1.1", "1.2"):
        put(shelf, version)
    assert put(shelf, "1.0.5", rollback=True).removed == ("1.2", "1.1")
    assert versions(shelf) == ["1.0.5", "1.0"]
    assert put(shelf, "1.0.6").removed == ()


def test_a_rollback_to_an_installed_version_removes_what_is_newer(shelf: Shelf) -> None:
    put(shelf, "1.0")
    put(shelf, "1.1")
    assert put(shelf, "1.0").was_there and versions(shelf) == ["1.1", "1.0"]
    assert put(shelf, "1.0", rollback=True).removed == ("1.1",)
    assert str(shelf.highest("guest")) == "1.0"


def test_what_was_removed_still_counts_against_a_rollback(shelf: Shelf) -> None:
    put(shelf, "1.0")
    put(shelf, "1.1")
    assert shelf.remove("guest") == ("1.1", "1.0")
    assert shelf.names() == [] and str(shelf.highest("guest")) == "1.1"
    with pytest.raises(ModuleError, match=r"older than 1\.1"):
        put(shelf, "1.0")
    put(shelf, "1.1")
    assert versions(shelf) == ["1.1"]


def test_after_a_removal_another_signer_may_have_the_name(shelf: Shelf) -> None:
    put(shelf, "1.0")
    shelf.remove("guest")
    put(shelf, "1.1", key=b"other", signer="other")
    trust_key(shelf, b"other", "other")
    assert [module.signer for module in shelf.candidates("guest")] == ["other"]


def test_one_version_is_removed_and_the_others_stay(shelf: Shelf) -> None:
    put(shelf, "1.0")
    put(shelf, "1.1")
    assert shelf.remove("guest", "1.0") == ("1.0",)
    assert versions(shelf) == ["1.1"]


@pytest.mark.parametrize(("name", "version"), [("other", None), ("guest", "9"), ("..", None), ("../trust", "keys")])
def test_what_is_not_installed_cannot_be_removed(shelf: Shelf, name: str, version: str | None) -> None:
    put(shelf, "1.0")
    with pytest.raises(ModuleError, match="is not installed") as caught:
        shelf.remove(name, version)
    assert caught.value.hint in ("installed: guest", "installed: 1.0")
    assert versions(shelf) == ["1.0"]


@pytest.mark.parametrize("what", ["package_sha256", "wasm_sha256"])
def test_a_revoked_digest_is_left_out_and_says_so(shelf: Shelf, what: str) -> None:
    put(shelf, "1.0")
    record = put(shelf, "1.1").record
    with shelf.changing_trust() as folder:
        (folder.revoked_digests / getattr(record, what)).touch()
    assert versions(shelf) == ["1.0"]
    assert shelf.withheld(record) == "its digest was revoked"


def test_without_its_key_a_version_is_left_out_and_says_so(shelf: Shelf) -> None:
    record = put(shelf, "1.0").record
    assert shelf.withheld(record) is None
    (shelf.trust.keys / "acme.pub").unlink()
    assert versions(shelf) == []
    assert shelf.withheld(record) == "the key 'acme' that signed it is not trusted any more"


@pytest.mark.parametrize("name", ["guest.wasm", "analyzer.toml", "record.json"])
@pytest.mark.parametrize("how", ["changed", "cut", "missing"])
def test_a_damaged_file_is_named_with_the_next_step(shelf: Shelf, name: str, how: str) -> None:
    put(shelf, "1.0")
    path = shelf.version_folder("guest", "1.0") / name
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(data[:-1] + b"\xff" if how == "changed" else data[:-3])
    with pytest.raises(ModuleError, match="damaged") as caught:
        shelf.candidates("guest")
    assert caught.value.where == str(path)
    assert caught.value.hint == "camera-edge analyzer remove guest --version 1.0, then install it again"
    # and that step helps
    shelf.remove("guest", "1.0")
    put(shelf, "1.0")
    assert versions(shelf) == ["1.0"]


def test_a_record_in_the_folder_of_another_version_is_damage(shelf: Shelf) -> None:
    put(shelf, "1.0")
    shelf.version_folder("guest", "1.0").rename(shelf.version_folder("guest", "1.5"))
    with pytest.raises(ModuleError, match=r"it names guest 1\.0"):
        shelf.candidates("guest")


def test_a_damaged_note_of_the_highest_version_stops_an_installation(shelf: Shelf) -> None:
    put(shelf, "1.0")
    shelf.remove("guest")
    assert (shelf.folder / "modules" / "guest" / "highest").read_bytes() == b"1.0"
    (shelf.folder / "modules" / "guest" / "highest").write_bytes(b"\xff")
    with pytest.raises(ModuleError, match="cannot be read") as caught:
        put(shelf, "1.1")
    assert caught.value.hint is not None and "delete the file" in caught.value.hint


def test_what_lies_about_in_the_folder_is_no_module(shelf: Shelf) -> None:
    put(shelf, "1.0")
    modules = shelf.folder / "modules"
    for path in (modules / ".hidden" / "1.0", modules / "guest" / "not-a-version", modules / "empty"):
        path.mkdir(parents=True)
    (modules / "guest" / "2.0").touch()
    assert shelf.names() == ["guest"] and versions(shelf) == ["1.0"]


def test_a_version_that_goes_while_it_is_read_is_passed_over(shelf: Shelf) -> None:
    put(shelf, "1.0")
    (record,) = shelf.records("guest")
    shelf.remove("guest")
    assert shelf.load(record) is None


def test_a_folder_that_cannot_be_written_is_an_error_of_output(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be changed"):
        put(Shelf(tmp_path / "state" / "analyzers"), "1.0")


def test_a_full_disk_leaves_the_shelf_as_it_was(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    put(shelf, "1.0")
    before = tree(shelf)
    real, calls = os.fsync, 0

    def full(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        put(shelf, "1.1")
    after = tree(shelf)
    assert after.keys() == before.keys() and versions(shelf) == ["1.0"]


def test_files_can_be_read_by_the_service_and_written_by_the_owner_alone(shelf: Shelf) -> None:
    put(shelf, "1.0")
    for path in shelf.folder.rglob("*"):
        mode = path.stat().st_mode & 0o777
        assert mode == (0o755 if path.is_dir() else 0o644), path


def test_a_writer_killed_at_any_point_leaves_whole_versions_alone(tmp_path: Path) -> None:
    # in memory where that can be had: what a kill leaves is the same there, and comes sooner
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as folder:
        command = [sys.executable, "-m", "tests.sandbox.killed_writer", folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["faults"] == []
    assert result["kills"] > 60


@pytest.mark.parametrize("name", ["guest.wasm", "analyzer.toml", "record.json", "package.tar"])
@pytest.mark.parametrize("damaged", ["1.0", "1.1"])
def test_a_damaged_version_stops_only_itself_and_is_told(shelf: Shelf, name: str, damaged: str) -> None:
    whole = {"1.0": "1.1", "1.1": "1.0"}[damaged]
    for version in ("1.0", "1.1"):
        put(shelf, version)
    put(shelf, "3.0", name="other")
    path = shelf.version_folder("guest", damaged) / name
    path.write_bytes(b"x")
    assert versions(shelf) == [whole] and versions(shelf, "other") == ["3.0"]
    assert shelf.names() == ["guest", "other"] and shelf.damaged("other") == ()
    (fault,) = shelf.damaged("guest")
    assert isinstance(fault, DamagedError) and fault.where == str(path)
    assert [each.version for each in shelf.records("guest")] == ([whole] if name == "record.json" else ["1.1", "1.0"])
    assert [each.version for each in shelf.broken("guest")] == ([damaged] if name == "record.json" else [])


def test_a_damaged_version_does_not_hold_up_a_newer_one_and_is_not_written_over(shelf: Shelf) -> None:
    for version in ("1.0", "1.1"):
        put(shelf, version)
    (shelf.version_folder("guest", "1.1") / "record.json").write_bytes(b"{}")
    for version in ("1.1", "1.1.0"):
        with pytest.raises(DamagedError, match="damaged") as caught:
            put(shelf, version)
        assert caught.value.hint == "camera-edge analyzer remove guest --version 1.1, then install it again"
    put(shelf, "1.2")
    assert versions(shelf) == ["1.2", "1.0"]


def test_where_no_record_says_who_signed_nobody_else_gets_the_name(shelf: Shelf) -> None:
    put(shelf, "1.0")
    (shelf.version_folder("guest", "1.0") / "record.json").unlink()
    with pytest.raises(DamagedError, match=r"damaged: No such file"):
        put(shelf, "1.1", key=b"mallory", signer="mallory")


def test_damage_of_what_is_withheld_anyway_is_no_fault(shelf: Shelf) -> None:
    put(shelf, "1.0")
    record = put(shelf, "1.1").record
    with shelf.changing_trust() as folder:
        (folder.revoked_digests / record.package_sha256).touch()
    (shelf.version_folder("guest", "1.1") / "guest.wasm").write_bytes(b"x")
    assert versions(shelf) == ["1.0"] and shelf.damaged("guest") == ()


def test_what_someone_found_faulty_is_passed_over(shelf: Shelf) -> None:
    put(shelf, "1.0")
    record = put(shelf, "1.1").record
    shelf.pass_over(record, ModuleError("not what was signed"))
    assert versions(shelf) == ["1.0"]
    assert [fault.message for fault in shelf.damaged("guest")] == ["not what was signed"]
    shelf.remove("guest", "1.0")
    with pytest.raises(ModuleError, match="not what was signed"):
        shelf.candidates("guest")


def test_a_record_of_an_earlier_camera_edge_has_no_digest_of_its_documents(shelf: Shelf) -> None:
    put(shelf, "1.0")
    path = shelf.version_folder("guest", "1.0") / "record.json"
    record = json.loads(path.read_bytes())
    del record["documents_sha256"], record["also_signed"]
    path.write_text(json.dumps(record))
    assert versions(shelf) == ["1.0"]


def test_a_digest_with_a_line_feed_is_damage(shelf: Shelf) -> None:
    put(shelf, "1.0")
    path = shelf.version_folder("guest", "1.0") / "record.json"
    record = json.loads(path.read_bytes())
    path.write_text(json.dumps({**record, "package_sha256": record["package_sha256"] + "\n"}))
    (broken,) = shelf.broken("guest")
    assert "package_sha256" in broken.fault.message


@pytest.mark.parametrize("name", ["record.json", "guest.wasm"])
def test_a_pipe_in_the_place_of_a_file_is_damage_and_nobody_waits(shelf: Shelf, name: str) -> None:
    put(shelf, "1.0")
    path = shelf.version_folder("guest", "1.0") / name
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DamagedError, match="no plain file"):
        shelf.candidates("guest")


@pytest.mark.parametrize("place", [".", "modules"])
def test_a_file_in_the_place_of_a_folder_is_an_error_and_not_an_empty_shelf(tmp_path: Path, place: str) -> None:
    shelf = Shelf(tmp_path / "analyzers")
    path = shelf.folder / place
    path.parent.mkdir(exist_ok=True)
    path.touch()
    with pytest.raises(ModuleError, match="cannot be read"):
        shelf.names()
