"""Finds the module that a command is about: a folder, a .wasm file, a package, or the name of a shipped or installed
module.

Invariant: a folder that holds a manifest goes before a name, so what one is working on is never taken for another
module.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from camera_edge.errors import BuildError, ModuleError
from camera_edge.packages import TrustStore, examine, open_layout, read_package, verify
from camera_edge.sandbox import Manifest, ModuleFile, Runtime, load_module, shipped, shipped_names
from camera_edge.sandbox.manifest import read_manifest
from camera_edge.sandbox.module import MANIFEST_NAME
from camera_edge.sandbox.shelf import Shelf
from camera_edge.toolchain import Language, language_of, sdk_folder

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Workshop:
    """A folder with a module's manifest, and what belongs beside it."""

    folder: Path
    manifest: Manifest

    @property
    def wasm(self) -> Path:
        """Where `build` leaves the module."""
        return self.folder / f"{self.manifest.name}.wasm"

    @property
    def golden(self) -> Path:
        return self.folder / "golden"


@dataclass(frozen=True, slots=True)
class Workpiece:
    """A module, and the folder of its sources, None where they are not here."""

    module: ModuleFile
    sources: Path | None

    @property
    def language(self) -> Language | None:
        if self.sources is None:
            return None
        try:
            return language_of(self.sources)
        except BuildError:
            return None

    @property
    def is_stale(self) -> bool:
        """A source was changed after the module was built."""
        language = self.language
        if language is None or self.sources is None or self.module.origin != "path":
            return False
        wasm = self.sources / f"{self.module.manifest.name}.wasm"
        if not wasm.is_file():
            return False
        built_ns = wasm.stat().st_mtime_ns
        return any(path.stat().st_mtime_ns > built_ns for path in self.sources.glob(f"*{language.suffix}"))


def open_workshop(folder: Path) -> Workshop:
    """The module's folder. Raises ModuleError where its manifest is missing or wrong."""
    path = folder / MANIFEST_NAME
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ModuleError(
            f"there is no module here: {MANIFEST_NAME} cannot be read ({error.strerror})",
            where=str(folder),
            hint="name a module's folder, or begin one: camera-edge analyzer new NAME --lang c",
        ) from error
    return Workshop(folder, read_manifest(text, where=str(path)))


def find(name: str | None, shelf: Shelf) -> Workpiece:
    """The module of this name, by default the one in the current folder. Raises ModuleError with the next step."""
    path = Path(name or ".")
    if name is None or (path / MANIFEST_NAME).is_file():
        return _built(open_workshop(path))
    if path.suffix == ".wasm":
        return Workpiece(load_module(path), path.parent)
    if path.suffix == ".tar" or (path / "oci-layout").is_file():
        return Workpiece(_packaged(path, shelf), None)
    if path.is_dir():
        open_workshop(path)
    if name in shipped_names():
        sources = sdk_folder().parent / name
        return Workpiece(shipped(name), sources if sources.is_dir() else None)
    return Workpiece(_installed(name, shelf), None)


def _built(workshop: Workshop) -> Workpiece:
    if not workshop.wasm.is_file():
        raise ModuleError(
            "the module is not built yet",
            where=str(workshop.wasm),
            hint=f"camera-edge analyzer build {workshop.folder}",
        )
    return Workpiece(load_module(workshop.wasm), workshop.folder)


def _packaged(path: Path, shelf: Shelf) -> ModuleFile:
    """Whole and with good digests, whoever made it; `signer` where a trusted key signed it."""
    layout = open_layout(path)
    package = examine(read_package(layout), Runtime()).package
    manifest = read_manifest(package.toml, where=str(path))
    try:
        signer = verify(layout, TrustStore(shelf).read()).signer.name
    except ModuleError:
        signer = None
    return ModuleFile(manifest, package.wasm, package.wasm_digest.removeprefix("sha256:"), "package", signer)


def _installed(name: str, shelf: Shelf) -> ModuleFile:
    reasons: list[str] = []
    if _NAME.fullmatch(name):
        candidates = shelf.candidates(name)
        if candidates:
            return candidates[0]
        reasons = [f"{each.version}: {reason}" for each in shelf.records(name) if (reason := shelf.withheld(each))]
    if reasons:
        raise ModuleError(
            f"no installed version of {name} may run: {'; '.join(reasons)}",
            where=str(shelf.folder),
            hint="install a version that is signed by a trusted key and not revoked",
        )
    known = ", ".join([*shipped_names(), *shelf.names()])
    raise ModuleError(
        f"there is no module {name!r}",
        hint=f"name a folder with {MANIFEST_NAME}, a .wasm file, a package, or one of: {known}",
    )
