"""Finds modules: those shipped with the package, and those an operator names by path.

Invariant: a shipped module whose bytes are not those the package was built with is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

import msgspec

from camera_edge.errors import ModuleError
from camera_edge.sandbox.manifest import Manifest, read_manifest
from camera_edge.sandbox.plainfile import read_plain

MANIFEST_NAME = "analyzer.toml"
WASM_BYTES_MAX = 32 << 20
_BUILD = "build the package: pip install . (or python wasm_analyzers/build.py in a source tree)"


@dataclass(frozen=True, slots=True)
class ModuleFile:
    """A module as it lies on the disk, read and named by its hash, not yet compiled.

    `signer` is the operator's name for the key that signed it, of an installed module or a package.
    """

    manifest: Manifest
    wasm: bytes
    sha256: str
    origin: Literal["shipped", "path", "package", "installed"]
    signer: str | None = None


def shipped_folder() -> Path:
    return Path(str(files("camera_edge"))) / "shipped"


def shipped_names(folder: Path | None = None) -> list[str]:
    """The modules that came with the package, in order of name; none where it was not built."""
    try:
        return sorted(_hashes(folder or shipped_folder()))
    except ModuleError:
        return []


def shipped_of(sha256: str, folder: Path | None = None) -> str | None:
    """The name of the shipped module of this SHA-256, as hex; None where none has it."""
    try:
        hashes = _hashes(folder or shipped_folder())
    except ModuleError:
        return None
    return next((name for name, known in hashes.items() if known == sha256), None)


def shipped(name: str, folder: Path | None = None) -> ModuleFile:
    """The shipped module of this name. Raises ModuleError where there is none, or where it was changed."""
    folder = folder or shipped_folder()
    hashes = _hashes(folder)
    if name not in hashes:
        hint = f"there are {', '.join(sorted(hashes))}; a module of your own is named by the path of its .wasm"
        raise ModuleError(f"no analyzer {name!r} is shipped", hint=hint)
    module = _load(folder / name / f"{name}.wasm", "shipped")
    if module.sha256 != hashes[name]:
        raise ModuleError(
            f"the shipped analyzer {name!r} is not the one this package was built with",
            where=str(folder / name),
            hint="install the package again",
        )
    return module


def load_module(path: Path) -> ModuleFile:
    """The module at `path`, a .wasm file with its analyzer.toml beside it. Raises ModuleError."""
    return _load(path, "path")


def _load(path: Path, origin: Literal["shipped", "path"]) -> ModuleFile:
    wasm = _read(path, "name a .wasm file")
    manifest_path = path.with_name(MANIFEST_NAME)
    text = _read(manifest_path, f"a module has its {MANIFEST_NAME} beside it, see wasm_analyzers/ABI.md")
    if not wasm.startswith(b"\0asm"):
        raise ModuleError("this is not a WebAssembly module", where=str(path), hint="name a .wasm file")
    manifest = read_manifest(text, where=str(manifest_path))
    return ModuleFile(manifest, wasm, hashlib.sha256(wasm).hexdigest(), origin)


def _read(path: Path, hint: str) -> bytes:
    try:
        data = read_plain(path, WASM_BYTES_MAX)
    except OSError as error:
        raise ModuleError(f"cannot be read: {error.strerror}", where=str(path), hint=hint) from error
    if len(data) > WASM_BYTES_MAX:
        raise ModuleError(f"larger than {WASM_BYTES_MAX >> 20} MiB", where=str(path), hint=hint)
    return data


def _hashes(folder: Path) -> dict[str, str]:
    listing = folder / "hashes.json"
    try:
        return msgspec.json.decode(listing.read_bytes(), type=dict[str, str])
    except OSError as error:
        raise ModuleError("the shipped analyzers are not there", where=str(listing), hint=_BUILD) from error
    except msgspec.DecodeError as error:
        raise ModuleError(f"damaged: {error}", where=str(listing), hint=_BUILD) from error
