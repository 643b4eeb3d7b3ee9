"""Measures what `verify` and `install` of a module of one megabyte cost.

Invariant: what is measured is what a person gets: keys read from the trust folder, every file brought onto the disk.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from camera_edge.packages.installation import install, verify
from camera_edge.packages.keys import PrivateKey, make_key_pair
from camera_edge.packages.layout import open_layout
from camera_edge.packages.package import read_package
from camera_edge.packages.packing import pack, sign, write_layout
from camera_edge.packages.trust import TrustStore
from camera_edge.sandbox.manifest import read_manifest
from camera_edge.sandbox.shelf import Shelf

MODULE_BYTES = 1_000_000
ROUNDS = 9
_TOML = 'name = "measured"\nversion = "1.0.{}"\nabi = 1\nkinds = []\ncapabilities = ["pixels"]\n'


@dataclass(frozen=True, slots=True)
class InstallFigures:
    """Milliseconds, the middle of some rounds, and the size of the module in bytes."""

    module_bytes: int
    verify_ms: float
    install_ms: float

    @property
    def both_ms(self) -> float:
        return self.verify_ms + self.install_ms


def measure_install(folder: Path, *, rounds: int = ROUNDS) -> InstallFigures:
    """Installs one version after the other, in an empty folder of the caller's. Raises OutputError."""
    wasm = _module(MODULE_BYTES)
    pair = make_key_pair()
    key = PrivateKey.read(pair.private, "bench", passphrase=None, where="bench")
    shelf = Shelf(folder / "analyzers")
    TrustStore(shelf).add(pair.public, "bench", where="bench")
    verify_ms, install_ms = [], []
    for number in range(rounds):
        toml = _TOML.format(number).encode()
        package = read_package(pack(read_manifest(toml, where="bench"), toml, wasm))
        path = folder / "measured.tar"
        write_layout(sign(package, key, reference="bench"), path)
        begin_ns = time.perf_counter_ns()
        verified = verify(open_layout(path), TrustStore(shelf).read())
        verified_ns = time.perf_counter_ns()
        install(verified, shelf, installed_utc="1970-01-01T00:00:00.000Z")
        verify_ms.append((verified_ns - begin_ns) / 1e6)
        install_ms.append((time.perf_counter_ns() - verified_ns) / 1e6)
    return InstallFigures(len(wasm), _middle(verify_ms), _middle(install_ms))


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _module(size_bytes: int) -> bytes:
    """A valid analyzer of about this size, nearly all of it code, which takes longest to validate."""
    abi, analyze = b"\x00\x41\x01\x0b", b"\x00\x41\x00\x0b"
    # (local.get 0) (drop), again and again, then 0
    idle = b"\x00" + b"\x20\x00\x1a" * 3000 + b"\x41\x00\x0b"
    bodies = [abi, analyze, *([idle] * (size_bytes // len(idle)))]
    types = b"\x02\x60\x00\x01\x7f\x60\x01\x7f\x01\x7f"
    functions = _number(len(bodies)) + b"\x00" + b"\x01" * (len(bodies) - 1)
    exports = b"\x03" + _name(b"memory") + b"\x02\x00" + _name(b"camera_edge_abi") + b"\x00\x00"
    exports += _name(b"analyze") + b"\x00\x01"
    code = _number(len(bodies)) + b"".join(_number(len(body)) + body for body in bodies)
    sections = ((1, types), (3, functions), (5, b"\x01\x00\x02"), (7, exports), (10, code))
    return b"\0asm\1\0\0\0" + b"".join(bytes([kind]) + _number(len(body)) + body for kind, body in sections)


def _name(text: bytes) -> bytes:
    return _number(len(text)) + text


def _number(value: int) -> bytes:
    """Unsigned LEB128."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
