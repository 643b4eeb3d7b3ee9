"""Keys that sign packages: ECDSA on P-256 with SHA-256, as `cosign sign --key` makes them.

Private keys are PKCS#8 in PEM, public keys SubjectPublicKeyInfo in PEM. A key is named by the SHA-256 of the latter.

Invariant: no other kind of key gets in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from camera_edge.durable import write_new
from camera_edge.errors import ModuleError, OutputError, UsageError
from camera_edge.sandbox.trusted import fingerprint

PASSPHRASE_VARIABLE = "CAMERA_EDGE_KEY_PASSPHRASE"
_ONLY = "keys are ECDSA on P-256: make one with `camera-edge analyzer keygen NAME`"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`fingerprint` is the SHA-256 of the key's SubjectPublicKeyInfo, as hex."""

    name: str
    pem: bytes
    fingerprint: str
    _key: ec.EllipticCurvePublicKey = field(repr=False, compare=False)

    @classmethod
    def read(cls, pem: bytes, name: str, *, where: str) -> PublicKey:
        """Raises ModuleError for what is no public key on P-256."""
        given = fingerprint(pem, where=where)
        try:
            key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ModuleError("this is no public key", where=where, hint=_ONLY) from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ModuleError("this is no key on P-256", where=where, hint=_ONLY)
        return cls._of(key, name, given, where)

    @classmethod
    def _of(cls, key: ec.EllipticCurvePublicKey, name: str, given: str | None, where: str) -> PublicKey:
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        name_of_key = hashlib.sha256(der).hexdigest()
        if given not in (None, name_of_key):
            # a point written in its short form would have two names
            hint = "write it anew: openssl ec -pubin -conv_form uncompressed"
            raise ModuleError("the key is written in an unusual form", where=where, hint=hint)
        return cls(name, key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), name_of_key, key)

    def verifies(self, signature: bytes, data: bytes) -> bool:
        try:
            self._key.verify(signature, data, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class PrivateKey:
    public: PublicKey
    _key: ec.EllipticCurvePrivateKey = field(repr=False, compare=False)

    @classmethod
    def read(cls, pem: bytes, name: str, *, passphrase: str | None, where: str) -> PrivateKey:
        """Raises UsageError for what is no private key on P-256, or one that another passphrase opens."""
        if b"SIGSTORE PRIVATE KEY" in pem or b"COSIGN PRIVATE KEY" in pem:
            hint = "sign with `cosign sign --key`, or make a key with `camera-edge analyzer keygen NAME`"
            raise UsageError("this is cosign's own form of a key", where=where, hint=hint)
        try:
            key = load_pem_private_key(pem, passphrase.encode() if passphrase else None)
        except TypeError as error:
            hint = f"an encrypted key needs {PASSPHRASE_VARIABLE} in the environment, a plain one must not have it"
            raise UsageError("the passphrase does not fit the key", where=where, hint=hint) from error
        except (ValueError, UnsupportedAlgorithm) as error:
            hint = f"name a PKCS#8 key in PEM, and set {PASSPHRASE_VARIABLE} right"
            raise UsageError("this is no private key, or its passphrase is wrong", where=where, hint=hint) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise UsageError("this is no key on P-256", where=where, hint=_ONLY)
        return cls(PublicKey._of(key.public_key(), name, None, where), key)

    def sign(self, data: bytes) -> bytes:
        """DER, as cosign has it."""
        return self._key.sign(data, ec.ECDSA(SHA256()))


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Two PEM texts."""

    private: bytes = field(repr=False)
    public: bytes


def make_key_pair(passphrase: str | None = None) -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    locked = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return KeyPair(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked),
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


def write_key_pair(pair: KeyPair, folder: Path, name: str) -> tuple[Path, Path]:
    """Write `NAME.key` for its owner alone and `NAME.pub`. Raises UsageError where one is there, OutputError."""
    private, public = folder / f"{name}.key", folder / f"{name}.pub"
    for path in (private, public):
        if path.exists():
            raise UsageError("there is a file of this name", where=str(path), hint="a key is never written over")
    try:
        write_new(private, pair.private, mode=0o600)
        write_new(public, pair.public)
    except OSError as error:
        hint = "check space and permissions"
        raise OutputError(f"cannot be written: {error.strerror}", where=str(folder), hint=hint) from error
    return private, public
