from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from camera_edge.errors import ModuleError, UsageError
from camera_edge.packages import PrivateKey, PublicKey, make_key_pair
from camera_edge.packages.keys import write_key_pair

DATA = b"what is signed"


def read_private(pem: bytes, passphrase: str | None = None) -> PrivateKey:
    return PrivateKey.read(pem, "acme", passphrase=passphrase, where="acme.key")


def read_public(pem: bytes) -> PublicKey:
    return PublicKey.read(pem, "acme", where="acme.pub")


def test_a_pair_signs_and_verifies() -> None:
    pair = make_key_pair()
    private, public = read_private(pair.private), read_public(pair.public)
    assert private.public == public and len(public.fingerprint) == 64
    signature = private.sign(DATA)
    assert public.verifies(signature, DATA)
    assert not public.verifies(signature, DATA + b"x")
    assert not public.verifies(signature[:-1], DATA)
    assert not public.verifies(b"", DATA)
    assert not read_public(make_key_pair().public).verifies(signature, DATA)


def test_openssl_verifies_what_was_signed(tmp_path: Path) -> None:
    pair = make_key_pair()
    for name, data in (("pub", pair.public), ("sig", read_private(pair.private).sign(DATA)), ("data", DATA)):
        (tmp_path / name).write_bytes(data)
    command = ["openssl", "dgst", "-sha256", "-verify", "pub", "-signature", "sig", "data"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == "Verified OK\n", done.stderr


def test_an_encrypted_key_needs_its_passphrase() -> None:
    pair = make_key_pair("open sesame")
    assert b"ENCRYPTED PRIVATE KEY" in pair.private
    assert read_private(pair.private, "open sesame").public == read_public(pair.public)
    with pytest.raises(UsageError, match="passphrase does not fit"):
        read_private(pair.private)
    with pytest.raises(UsageError, match="its passphrase is wrong"):
        read_private(pair.private, "wrong")
    with pytest.raises(UsageError, match="passphrase does not fit"):
        read_private(make_key_pair().private, "open sesame")


def other_keys() -> list[ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey]:
    return [
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ]


def test_keys_of_another_kind_are_refused() -> None:
    for key in other_keys():
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(UsageError, match="no key on P-256"):
            read_private(private)
        with pytest.raises(ModuleError, match="no key on P-256"):
            read_public(public)


def test_a_point_in_its_short_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_bytes(make_key_pair().public)
    command = ["openssl", "ec", "-pubin", "-in", "key.pub", "-conv_form", "compressed", "-pubout"]
    short = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=30, check=True).stdout
    with pytest.raises(ModuleError, match="unusual form") as caught:
        read_public(short)
    assert caught.value.hint is not None and "uncompressed" in caught.value.hint


@pytest.mark.parametrize("pem", [b"", b"text", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_what_is_no_key_is_refused(pem: bytes) -> None:
    with pytest.raises(ModuleError, match="no public key"):
        read_public(pem)
    with pytest.raises(UsageError, match="no private key"):
        read_private(pem)


def test_a_key_in_cosigns_own_form_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="cosign's own form") as caught:
        read_private(b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n")
    assert caught.value.hint is not None and "cosign sign" in caught.value.hint


def test_a_private_key_is_its_owners_alone_and_is_never_written_over(tmp_path: Path) -> None:
    private, public = write_key_pair(make_key_pair(), tmp_path, "acme")
    assert private.stat().st_mode & 0o777 == 0o600
    before = (private.read_bytes(), public.read_bytes())
    for lost in (private, public):
        kept = private if lost is public else public
        data = kept.read_bytes()
        with pytest.raises(UsageError, match="a file of this name") as caught:
            write_key_pair(make_key_pair(), tmp_path, "acme")
        assert kept.read_bytes() == data and caught.value.where == str(private)
    assert (private.read_bytes(), public.read_bytes()) == before


def test_secrets_are_not_shown() -> None:
    pair = make_key_pair()
    secret = pair.private.decode().splitlines()[1]
    assert secret not in repr(pair) and secret not in repr(read_private(pair.private))
