"""Finds the module that a command is about: a folder, a .wasm file, a package, or the name of a shipped or installed
module.

Invariant: a folder that holds a manifest goes before a name, so what one is working on is never taken for another
module. Sources belong to a module only where its folder was named, or where it is shipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from camera_edge.errors import BuildError, ModuleError, UsageError
from camera_edge.packages import TrustStore, examine, open_layout, read_package, verify
from camera_edge.packages.reference import SCHEME
from camera_edge.sandbox import Manifest, ModuleFile, Runtime, load_module, shipped, shipped_names
from camera_edge.sandbox.manifest import is_name, read_manifest
from camera_edge.sandbox.module import MANIFEST_NAME
from camera_edge.sandbox.shelf import Shelf
from camera_edge.toolchain import Language, language_of, sdk_folder
from camera_edge.toolchain.stage import build_inputs


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
    """A module. `sources`: the folder of its sources, None where they are not here, or it was not that folder that was
    named. `wasm`: where the module lies, of one that was named by its folder or file. `package_sha256`: of a package.
    """

    module: ModuleFile
    sources: Path | None
    wasm: Path | None = None
    package_sha256: str | None = None

    @property
    def language(self) -> Language | None:
        if self.sources is None:
            return None
        try:
            return language_of(self.sources)
        except BuildError:
            return None

    @property
    def digests(self) -> tuple[str, ...]:
        """By which it may be revoked: SHA-256 of the module and of its package, as hex."""
        return (self.module.sha256,) if self.package_sha256 is None else (self.package_sha256, self.module.sha256)

    @property
    def changed_since(self) -> Path | None:
        """What was changed after the module was built."""
        return None if self.wasm is None else changed_since_build(self.wasm)


def changed_since_build(wasm: Path) -> Path | None:
    """A source, header or manifest beside the module that is newer than it; None: there is none, or no source here.

    Raises ModuleError where the folder cannot be read.
    """
    try:
        language_of(wasm.parent)
        built_ns = wasm.stat().st_mtime_ns
        read = [*build_inputs(wasm.parent), wasm.with_name(MANIFEST_NAME)]
        return next((path for path in read if path.stat().st_mtime_ns > built_ns), None)
    except BuildError:
        return None
    except OSError as error:
        raise ModuleError(f"cannot be read: {error.strerror}", where=str(wasm.parent), hint="check it") from error


def refuse_stale(wasm: Path) -> None:
    """Raises ModuleError where the module was built before its sources or its manifest were changed."""
    changed = changed_since_build(wasm)
    if changed is not None:
        hint = f"camera-edge analyzer build {wasm.parent}"
        raise ModuleError(f"{changed.name} is newer than the module", where=str(wasm), hint=hint)


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
    """The module of this name, by default the one in the current folder. Raises ModuleError with the next step,
    UsageError for an address.

    Revoked ones are found too: who runs it asks `shelf.trust.refuse_revoked(*piece.digests, …)`.
    """
    if name is not None and name.startswith(SCHEME):
        hint = f"fetch it first: camera-edge analyzer pull {name} --out FILE.tar; then name FILE.tar"
        raise UsageError("a registry is not looked into", where=name, hint=hint)
    path = Path(name or ".")
    if name is None or (path / MANIFEST_NAME).is_file():
        return _built(open_workshop(path))
    if path.suffix == ".wasm":
        return Workpiece(load_module(path), None, path)
    if path.suffix == ".tar" or (path / "oci-layout").is_file():
        return _packaged(path, shelf)
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
    return Workpiece(load_module(workshop.wasm), workshop.folder, workshop.wasm)


def _packaged(path: Path, shelf: Shelf) -> Workpiece:
    """Whole and with good digests, whoever made it; `signer` where a trusted key signed it."""
    layout = open_layout(path)
    package = examine(read_package(layout), Runtime()).package
    manifest = read_manifest(package.toml, where=str(path))
    try:
        signer = verify(layout, TrustStore(shelf).read()).signer.name
    except ModuleError:
        signer = None
    module = ModuleFile(manifest, package.wasm, package.wasm_digest.removeprefix("sha256:"), "package", signer)
    return Workpiece(module, None, package_sha256=package.digest.removeprefix("sha256:"))


def _installed(name: str, shelf: Shelf) -> ModuleFile:
    reasons: list[str] = []
    if is_name(name):
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
