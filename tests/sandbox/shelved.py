"""Versions for a shelf, signed by nobody: a shelf looks at digests and names of keys alone."""

from __future__ import annotations

import base64
import hashlib

from camera_edge.sandbox.manifest import read_manifest
from camera_edge.sandbox.record import NewVersion, Signer
from camera_edge.sandbox.shelf import Shelf

WHEN = "2026-11-25T12:00:00.000Z"
KEY = b"the key of acme"
WASM = b"\0asm\1\0\0\0"


def trust_key(shelf: Shelf, der: bytes, name: str = "acme") -> None:
    pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(der) + b"-----END PUBLIC KEY-----\n"
    with shelf.changing_trust() as folder:
        (folder.keys / f"{name}.pub").write_bytes(pem)


def new_version(
    version: str, *, name: str = "guest", content: str = "", key: bytes = KEY, signer: str = "acme"
) -> NewVersion:
    toml = f'name = "{name}"\nversion = "{version}"\nabi = 1\nkinds = []\ncapabilities = ["pixels"]\n'.encode()
    digest = hashlib.sha256(f"{name} {version} {content}".encode()).hexdigest()
    return NewVersion(
        manifest=read_manifest(toml, where="test"),
        toml=toml,
        wasm=WASM + f"\0{chr(1 + len(version))}{chr(len(version))}{version}".encode(),
        package_sha256=digest,
        signers=(Signer(hashlib.sha256(key).hexdigest(), signer),),
        documents=b"documents",
    )
