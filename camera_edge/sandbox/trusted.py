"""Reads the trust folder without any cryptography: whose keys lie in it, and which digests are revoked.

`keys/NAME.pub` is a public key in PEM under the operator's name for it, `revoked/HEX` the SHA-256 of a package's
manifest or of a module. Signatures are checked elsewhere: when a package is installed, and before the hub starts.

Invariant: a folder that is not there trusts nobody; a file that cannot be read is an error, not one key less or one
revoked digest less.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from pathlib import Path

from camera_edge.errors import ModuleError
from camera_edge.sandbox.plainfile import names_in, read_plain

KEY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
KEY_SUFFIX = ".pub"
KEY_BYTES_MAX = 4096
KEYS_MAX = 256
PUBLIC_KEY_HINT = "name a public key in PEM"
PRIVATE_KEY_HINT = "name a private key in PEM; `camera-edge analyzer keygen NAME` makes one, NAME.key"
_HEX = re.compile(r"[0-9a-f]{64}")
_PEM = re.compile(rb"\s*-----BEGIN PUBLIC KEY-----\s([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*")


class TrustFolder:
    """What an operator trusts, in `trust/` of the folder of installed modules."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = folder / "keys"
        self.revoked_digests = folder / "revoked"

    def key_files(self) -> dict[str, Path]:
        """The files of public keys by the operator's names. Raises ModuleError where the folder cannot be read."""
        names = names_in(self.keys)
        if len(names) > KEYS_MAX:
            raise ModuleError(f"more than {KEYS_MAX} keys", where=str(self.keys), hint="remove what is not in use")
        stems = {name.removesuffix(KEY_SUFFIX): name for name in names if name.endswith(KEY_SUFFIX)}
        return {stem: self.keys / name for stem, name in stems.items() if KEY_NAME.fullmatch(stem)}

    def fingerprints(self) -> frozenset[str]:
        """SHA-256 of each key, as hex. Raises ModuleError where a file is no key."""
        return frozenset(fingerprint(read_key(path), where=str(path)) for path in self.key_files().values())

    def revoked(self) -> frozenset[str]:
        """Revoked SHA-256 digests, as hex. Raises ModuleError where the folder cannot be read."""
        return frozenset(name for name in names_in(self.revoked_digests) if _HEX.fullmatch(name))

    def revokes(self, *sha256: str) -> str | None:
        """The first of these digests (hex) that is revoked. Raises ModuleError where the folder cannot be read."""
        revoked = self.revoked()
        return next((digest for digest in sha256 if digest in revoked), None)

    def refuse_revoked(self, *sha256: str, where: str) -> None:
        """Raises ModuleError where one of these digests (hex), of a module or its package, is revoked."""
        digest = self.revokes(*sha256)
        if digest is not None:
            hint = f"get another version from who made it; to take that back, delete {self.revoked_digests / digest}"
            raise ModuleError(f"sha256:{digest} was revoked, and does not run", where=where, hint=hint)


def read_key(path: Path, *, hint: str = PUBLIC_KEY_HINT) -> bytes:
    """Raises ModuleError where the file is no plain one, cannot be read, or is too long to be a key."""
    try:
        pem = read_plain(path, KEY_BYTES_MAX)
    except OSError as error:
        raise ModuleError(f"cannot be read: {error.strerror}", where=str(path), hint=hint) from error
    if len(pem) > KEY_BYTES_MAX:
        raise ModuleError("too long to be a key", where=str(path), hint=hint)
    return pem


def fingerprint(pem: bytes, *, where: str) -> str:
    """SHA-256 of the SubjectPublicKeyInfo in a PEM text (RFC 7468). Raises ModuleError where there is none."""
    found = _PEM.fullmatch(pem)
    try:
        if found is None:
            raise ValueError("no PUBLIC KEY block")
        der = base64.b64decode(b"".join(found[1].split()), validate=True)
    except (ValueError, binascii.Error) as error:
        hint = "a public key in PEM begins with -----BEGIN PUBLIC KEY-----"
        raise ModuleError(f"this is no public key: {error}", where=where, hint=hint) from error
    return hashlib.sha256(der).hexdigest()
