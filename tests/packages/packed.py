"""Analyzers, keys and packages for tests, and what an attacker can do to a package."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import wasmtime

from camera_edge.packages import MemoryLayout, Package, PrivateKey, TrustStore, make_key_pair, pack, read_package, sign
from camera_edge.packages.documents import MANIFEST_TYPE, digest_of
from camera_edge.packages.layout import blob_path
from camera_edge.sandbox.manifest import read_manifest
from camera_edge.sandbox.shelf import Shelf

WHEN = "2026-11-25T12:00:00.000Z"
SCORE = '(import "camera_edge" "score" (func $score (param f64) (result i32)))'
GUEST = """
(memory (export "memory") 1)
(func (export "camera_edge_abi") (result i32) (i32.const 1))
(func (export "analyze") (param i32) (result i32) (i32.const 0))
"""


@dataclass(frozen=True, slots=True)
class Source:
    """What an author has: a manifest and a module."""

    toml: bytes
    wasm: bytes

    def packed(self) -> MemoryLayout:
        return pack(read_manifest(self.toml, where="test"), self.toml, self.wasm)


def source(
    name: str = "guest",
    version: str = "1.0.0",
    *,
    asks: str = '"pixels"',
    body: str = SCORE + GUEST,
    more: str = "",
) -> Source:
    toml = f'name = "{name}"\nversion = "{version}"\nabi = 1\nkinds = ["thing"]\ncapabilities = [{asks}]\n{more}'
    return Source(toml.encode(), bytes(wasmtime.wat2wasm(f"(module {body})")))


@functools.cache
def key(name: str) -> PrivateKey:
    """The same for the same name, all through a run."""
    return PrivateKey.read(make_key_pair().private, name, passphrase=None, where=name)


def signed(made: Source | MemoryLayout, by: str = "acme") -> MemoryLayout:
    layout = made.packed() if isinstance(made, Source) else made
    return sign(read_package(layout), key(by), reference="test")


def trusting_shelf(folder: Path, *names: str) -> Shelf:
    shelf = Shelf(folder / "state" / "analyzers")
    for name in names or ("acme",):
        TrustStore(shelf).add(key(name).public.pem, name, where=name)
    return shelf


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder, so that two moments can be compared."""
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def changed_image(layout: MemoryLayout, change: Callable[[dict[str, Any]], None]) -> MemoryLayout:
    """The package with another manifest; index and digests are right again, so that only the signature is wrong."""
    package = read_package(layout)
    image = msgspec.json.decode(package.documents[blob_path(package.digest)])
    change(image)
    return with_image(layout, package, msgspec.json.encode(image))


def with_image(layout: MemoryLayout, package: Package, data: bytes) -> MemoryLayout:
    index = msgspec.json.decode(layout.files["index.json"])
    for entry in index["manifests"]:
        if entry["digest"] == package.digest:
            entry |= {"digest": digest_of(data), "size": len(data), "mediaType": MANIFEST_TYPE}
    return with_files(layout, {blob_path(digest_of(data)): data, "index.json": msgspec.json.encode(index)})


def with_files(layout: MemoryLayout, files: Mapping[str, bytes]) -> MemoryLayout:
    return MemoryLayout({**layout.files, **files}, layout.where)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
