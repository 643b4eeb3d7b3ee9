from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest

from camera_edge.errors import ModuleError
from camera_edge.sandbox.trusted import KEY_BYTES_MAX, KEYS_MAX, PUBLIC_KEY_HINT, TrustFolder, read_key


def pem(der: bytes) -> bytes:
    return b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(der) + b"-----END PUBLIC KEY-----\n"


@pytest.fixture
def folder(tmp_path: Path) -> TrustFolder:
    (tmp_path / "trust" / "keys").mkdir(parents=True)
    (tmp_path / "trust" / "revoked").mkdir()
    return TrustFolder(tmp_path / "trust")


def test_a_folder_that_is_not_there_trusts_nobody(tmp_path: Path) -> None:
    empty = TrustFolder(tmp_path / "trust")
    assert empty.fingerprints() == frozenset() and empty.revoked() == frozenset()


def test_a_key_is_named_by_the_hash_of_its_der(folder: TrustFolder) -> None:
    (folder.keys / "acme.pub").write_bytes(pem(b"one"))
    assert folder.fingerprints() == {hashlib.sha256(b"one").hexdigest()}
    assert list(folder.key_files()) == ["acme"]


def test_what_is_no_key_file_is_passed_over(folder: TrustFolder) -> None:
    for name in ("README", ".writing-x", "notes.txt"):
        (folder.keys / name).write_bytes(b"text")
    (folder.revoked_digests / "README").write_bytes(b"text")
    assert folder.fingerprints() == frozenset() and folder.revoked() == frozenset()


@pytest.mark.parametrize(
    "data", [b"", b"text", pem(b"one")[:-4], pem(b"one") * 2, pem(b"x").replace(b"eA==", b"e!=="), b"x" * 5000]
)
def test_a_broken_key_is_an_error_and_not_one_key_less(folder: TrustFolder, data: bytes) -> None:
    (folder.keys / "good.pub").write_bytes(pem(b"one"))
    (folder.keys / "acme.pub").write_bytes(data)
    with pytest.raises(ModuleError, match="no public key|too long") as caught:
        folder.fingerprints()
    assert caught.value.where == str(folder.keys / "acme.pub")
    assert len(data) > KEY_BYTES_MAX or caught.value.hint is not None


def test_a_revoked_digest_counts_whatever_is_in_its_file(folder: TrustFolder) -> None:
    (folder.revoked_digests / ("a" * 64)).write_bytes(b"\xff")
    assert folder.revoked() == {"a" * 64}


def test_a_file_in_the_place_of_the_folder_is_an_error_and_not_nothing_revoked(tmp_path: Path) -> None:
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "revoked").write_bytes(b"")
    with pytest.raises(ModuleError, match="cannot be read"):
        TrustFolder(tmp_path / "trust").revoked()


def test_the_number_of_keys_is_bounded(folder: TrustFolder) -> None:
    for number in range(KEYS_MAX + 1):
        (folder.keys / f"key{number}.pub").touch()
    with pytest.raises(ModuleError, match="more than 256 keys"):
        folder.fingerprints()


def test_what_is_revoked_by_any_of_its_digests_is_refused(folder: TrustFolder) -> None:
    package, module = "a" * 64, "b" * 64
    folder.refuse_revoked(package, module, where="it")
    assert folder.revokes(package, module) is None
    (folder.revoked_digests / module).touch()
    assert folder.revokes(package, module) == module
    with pytest.raises(ModuleError, match=f"sha256:{module} was revoked") as caught:
        folder.refuse_revoked(package, module, where="it")
    assert caught.value.where == "it"
    assert caught.value.hint is not None and str(folder.revoked_digests / module) in caught.value.hint


def test_a_key_that_is_a_pipe_or_a_device_is_refused_and_nobody_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key.pub")
    for path in (tmp_path / "key.pub", Path("/dev/zero")):
        with pytest.raises(ModuleError, match="no plain file") as caught:
            read_key(path)
        assert caught.value.hint == PUBLIC_KEY_HINT
