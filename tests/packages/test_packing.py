from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from camera_edge.errors import OutputError, UsageError
from camera_edge.packages import open_layout, pack, read_package, sign, write_layout
from camera_edge.packages.documents import SIGNATURE_KEY, digest_of, signature_tag
from camera_edge.packages.packing import created_s
from camera_edge.sandbox.manifest import read_manifest
from tests.packages.packed import key, signed, source, tree


def test_the_same_module_gives_the_same_bytes() -> None:
    assert source().packed().files == source().packed().files
    assert source().packed().files != source(version="1.0.1").packed().files


def test_a_package_is_a_wasm_oci_artifact() -> None:
    layout = source("guest", "1.2.3").packed()
    index = json.loads(layout.files["index.json"])
    (entry,) = index["manifests"]
    image = json.loads(layout.files[f"blobs/sha256/{entry['digest'].removeprefix('sha256:')}"])
    config = json.loads(layout.files[f"blobs/sha256/{image['config']['digest'].removeprefix('sha256:')}"])
    assert json.loads(layout.files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    assert entry["mediaType"] == image["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert image["config"]["mediaType"] == "application/vnd.wasm.config.v0+json"
    assert [layer["mediaType"] for layer in image["layers"]] == ["application/wasm"]
    assert config == {
        "created": "1970-01-01T00:00:00Z",
        "architecture": "wasm",
        "os": "wasip1",
        "layerDigests": [digest_of(source().wasm)],
    }
    assert image["annotations"] == {
        "org.opencontainers.image.title": "guest",
        "org.opencontainers.image.version": "1.2.3",
        "dev.camera-edge.analyzer.toml": source("guest", "1.2.3").toml.decode(),
    }


def test_the_time_of_creation_can_be_set() -> None:
    made = source()
    layout = pack(read_manifest(made.toml, where="test"), made.toml, made.wasm, created_s=1_700_000_000)
    assert any(b"2023-11-14T22:13:20Z" in data for data in layout.files.values())
    assert created_s({}) == 0 and created_s({"SOURCE_DATE_EPOCH": "1700000000"}) == 1_700_000_000
    for text in ("", "now", "-1", "1.5", "9" * 12, "²"):
        with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH"):
            created_s({"SOURCE_DATE_EPOCH": text})


def test_a_signature_is_one_of_cosigns() -> None:
    package = read_package(signed(source()))
    index = json.loads(signed(source()).files["index.json"])
    assert index["manifests"][1]["annotations"]["org.opencontainers.image.ref.name"] == signature_tag(package.digest)
    (signature,) = package.signatures()
    assert json.loads(signature.payload) == {
        "critical": {
            "identity": {"docker-reference": "test"},
            "image": {"docker-manifest-digest": package.digest},
            "type": "cosign container image signature",
        },
        "optional": None,
    }
    assert signature.layer.media_type == "application/vnd.dev.cosign.simplesigning.v1+json"
    written = (signature.layer.annotations or {})[SIGNATURE_KEY]
    assert key("acme").public.verifies(base64.b64decode(written), signature.payload)


def test_a_second_key_adds_its_signature_and_the_first_does_not_sign_twice() -> None:
    once = signed(source())
    assert signed(once).files == once.files
    twice = read_package(signed(once, "other"))
    assert len(twice.signatures()) == 2 and len(twice.signature_sets) == 1
    first = read_package(once).signatures()[0]
    assert first in twice.signatures()


def test_signing_changes_nothing_of_what_is_signed() -> None:
    layout = source().packed()
    package = read_package(layout)
    after = sign(package, key("acme"), reference="test")
    assert read_package(after).digest == package.digest
    for path, data in layout.files.items():
        assert path == "index.json" or after.files[path] == data


@pytest.mark.parametrize("name", ["a.tar", "folder", "folder.tar/", "package"])
def test_a_package_is_written_as_a_file_or_a_folder(tmp_path: Path, name: str) -> None:
    if name.endswith("/"):
        (tmp_path / name).mkdir()
    if name == "package":
        write_layout(source().packed(), tmp_path / "a.tar")
        (tmp_path / "a.tar").rename(tmp_path / name)
    layout = source().packed()
    write_layout(layout, tmp_path / name)
    assert (tmp_path / name).is_file() == (name in ("a.tar", "package"))
    write_layout(signed(layout), tmp_path / name)
    assert len(read_package(open_layout(tmp_path / name)).signatures()) == 1


def test_what_cannot_be_written_is_an_error_of_output(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "none" / "a.tar", tmp_path / "file" / "folder"):
        with pytest.raises(OutputError, match="cannot be written"):
            write_layout(source().packed(), out)


def other_layout(folder: Path) -> None:
    """A layout of somebody else's, with two images."""
    write_layout(source().packed(), folder)
    index = json.loads((folder / "index.json").read_bytes())
    index["manifests"] *= 2
    (folder / "index.json").write_text(json.dumps(index))


def linked_layout(folder: Path) -> None:
    write_layout(source().packed(), folder)
    (folder / "blobs").rename(folder.parent / "elsewhere")
    (folder / "blobs").symlink_to(folder.parent / "elsewhere")


def cut_off(path: Path) -> None:
    write_layout(source().packed(), path.with_name("a.tar"))
    path.write_bytes(path.with_name("a.tar").read_bytes()[:1000])


def file_of(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def folder_with(name: str) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        path.mkdir()
        (path / name).write_text("my notes")

    return make


IN_THE_WAY: dict[str, Callable[[Path], object]] = {
    "text": file_of(b"my notes"),
    "empty file": file_of(b""),
    "picture.tar": file_of(b"\x89PNG"),
    "cut off": cut_off,
    "folder": folder_with("notes.txt"),
    "hidden": folder_with(".notes"),
    "folder.tar": folder_with("notes.txt"),
    "layout of two images": other_layout,
    "layout with blobs elsewhere": linked_layout,
    "pipe": os.mkfifo,
    "dangling": lambda path: path.symlink_to("nothing"),
}


@pytest.mark.parametrize("name", IN_THE_WAY)
def test_what_is_no_package_is_never_written_over(tmp_path: Path, name: str) -> None:
    IN_THE_WAY[name](tmp_path / name)
    before = tree(tmp_path), sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputError, match="no package, and stays as it is") as caught:
        write_layout(signed(source()), tmp_path / name)
    assert caught.value.where == str(tmp_path / name) and caught.value.hint is not None
    assert (tree(tmp_path), sorted(tmp_path.rglob("*"))) == before


def test_a_device_is_never_written_over() -> None:
    with pytest.raises(OutputError, match="no package"):
        write_layout(source().packed(), Path("/dev/null"))


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    write_layout(source().packed(), tmp_path / "folder")
    assert read_package(open_layout(tmp_path / "folder")).wasm == source().wasm


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls, stop_at = os.fsync, 0, 0

    def full(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == stop_at:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    for _ in range(50):
        calls, stop_at = 0, stop_at + 1
        try:
            write_layout(source().packed(), tmp_path / "new" / "folder")
        except OutputError:
            # the last call brings onto the disk what is there whole already
            if list((tmp_path / "new").iterdir()):
                break
    assert stop_at > 5
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["folder"]
    assert (tmp_path / "new" / "folder").stat().st_mode & 0o777 == 0o755
    assert read_package(open_layout(tmp_path / "new" / "folder")).wasm == source().wasm
