"""Whom an operator trusts: public keys by name, and digests that may not run any more.

Invariant: a store that cannot be read whole trusts nobody; what was revoked stays so until a person deletes the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from camera_edge.durable import sync_folder, write_durably
from camera_edge.errors import ModuleError, UsageError
from camera_edge.packages.keys import PublicKey
from camera_edge.sandbox.module import shipped_of
from camera_edge.sandbox.shelf import Shelf
from camera_edge.sandbox.trusted import KEY_NAME, KEY_SUFFIX, read_key

_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Trust:
    """`revoked`: SHA-256 of manifests or modules, as hex."""

    keys: tuple[PublicKey, ...]
    revoked: frozenset[str] = frozenset()

    def signer(self, signature: bytes, payload: bytes) -> PublicKey | None:
        """The first key that made this signature."""
        return next((key for key in self.keys if key.verifies(signature, payload)), None)

    def revokes(self, *digests: str) -> str | None:
        """The first of these digests that is revoked."""
        return next((digest for digest in digests if digest.removeprefix("sha256:") in self.revoked), None)


class _Revocation(msgspec.Struct, frozen=True):
    revoked_utc: str


class TrustStore:
    """The trust folder of a shelf, changed under the shelf's lock, so that who watches the shelf hears of it."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._folder = shelf.trust

    def read(self) -> Trust:
        """Raises ModuleError where a file in it is no key."""
        keys = [
            PublicKey.read(read_key(path), name, where=str(path)) for name, path in self._folder.key_files().items()
        ]
        return Trust(tuple(keys), self._folder.revoked())

    def add(self, pem: bytes, name: str, *, where: str) -> PublicKey:
        """Trust a key under this name; the same again is no error. Raises UsageError, ModuleError, OutputError."""
        if not KEY_NAME.fullmatch(name):
            raise UsageError(f"{name!r} cannot name a key", hint="use letters, digits, '_', '-' and '.'")
        key = PublicKey.read(pem, name, where=where)
        with self._shelf.changing_trust() as folder:
            for known in self.read().keys:
                if (known.name == name) != (known.fingerprint == key.fingerprint):
                    raise UsageError(
                        f"the key {known.name!r} ({known.fingerprint[:16]}…) is there already",
                        where=str(folder.keys),
                        hint="give another --name" if known.name == name else "it is the same key",
                    )
            write_durably(folder.keys / f"{name}{KEY_SUFFIX}", key.pem)
        return key

    def remove(self, name: str) -> None:
        """What this key signed does not run any more. Raises ModuleError where there is none, OutputError."""
        with self._shelf.changing_trust() as folder:
            path = folder.key_files().get(name)
            if path is None:
                known = ", ".join(folder.key_files()) or "none"
                raise ModuleError(f"no key is called {name!r}", where=str(folder.keys), hint=f"there are: {known}")
            path.unlink()
            sync_folder(folder.keys)

    def revoke(self, digest: str, *, now_utc: str) -> str:
        """Revoke the manifest or module of this digest, installed or not; gives the digest's hex.

        Raises UsageError for what is no digest, or that of a shipped module: those run by the list in the package.
        """
        value = read_digest(digest)
        name = shipped_of(value)
        if name is not None:
            raise UsageError(
                f"this is the analyzer {name!r} that is shipped with camera-edge, which no revocation stops",
                where=f"sha256:{value}",
                hint=f"take {name!r} out of `analyzers:` of the cameras that name it; "
                "another version of it comes with another version of camera-edge",
            )
        with self._shelf.changing_trust() as folder:
            write_durably(folder.revoked_digests / value, msgspec.json.encode(_Revocation(now_utc)))
        return value


def read_digest(text: str) -> str:
    """The hex of a SHA-256, with or without `sha256:` before it. Raises UsageError."""
    found = _DIGEST.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is no digest", hint="write sha256: and 64 hex digits, as `analyzer list` shows")
    return found[1]
