"""Verifies packages against the keys an operator trusts, and installs them.

Invariant: what is installed was signed by a trusted key over exactly these bytes, is a valid analyzer that imports no
more than its manifest asks for, and has a name of its own. Nothing of it was compiled or run.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from camera_edge.errors import CameraEdgeError, DamagedError, ModuleError
from camera_edge.packages.documents import TITLE_KEY, VERSION_KEY, ImageManifest
from camera_edge.packages.keys import PublicKey
from camera_edge.packages.layout import Layout, blob_path, read_tar
from camera_edge.packages.package import Package, SignatureSet, read_package, with_blobs
from camera_edge.packages.packing import archive, layout_of
from camera_edge.packages.trust import Trust
from camera_edge.sandbox.admission import check_module
from camera_edge.sandbox.manifest import Manifest, read_manifest
from camera_edge.sandbox.module import shipped_names
from camera_edge.sandbox.record import NewVersion, Placed, Record, Signer, damage
from camera_edge.sandbox.runtime import Runtime
from camera_edge.sandbox.sections import Interface
from camera_edge.sandbox.shelf import PACKAGE_NAME, Shelf
from camera_edge.sandbox.version import ModuleVersion

OWN_NAME = "an analyzer of your own needs a name of its own, in analyzer.toml"


@dataclass(frozen=True, slots=True)
class Examined:
    """What a package holds, whoever made it."""

    package: Package
    manifest: Manifest
    interface: Interface


@dataclass(frozen=True, slots=True)
class Verified:
    """A package of which everything was checked. `signers`: the trusted ones, at least one, as their signatures stand.

    `signed_by`: the manifests that hold those signatures.
    """

    package: Package
    manifest: Manifest
    interface: Interface
    signers: tuple[PublicKey, ...]
    signed_by: tuple[SignatureSet, ...]

    @property
    def signer(self) -> PublicKey:
        """The first; which one counts for an installed analyzer says its record."""
        return self.signers[0]


@dataclass(frozen=True, slots=True)
class Finding:
    """An installed version, and why it may not run, or None. `record`: None where that is damaged, which is a fault."""

    name: str
    version: str
    record: Record | None
    fault: ModuleError | None


def trusting(keys: list[PublicKey]) -> Trust:
    """These keys and no others; nothing is revoked."""
    return Trust(tuple(keys))


def examine(package: Package, runtime: Runtime) -> Examined:
    """What the package is, without asking who made it. Raises ModuleError where it is no analyzer, or a broken one."""
    manifest = read_manifest(package.toml, where=f"{package.where}: analyzer.toml")
    ModuleVersion.read(manifest.version, where=package.where)
    _check_annotations(package.image, manifest, package.where)
    return Examined(package, manifest, check_module(package.wasm, manifest, runtime))


def verify(layout: Layout, trust: Trust) -> Verified:
    """Raises ModuleError where it was changed, is not signed by a trusted key, is revoked, or is no analyzer."""
    package = read_package(layout)
    signers, signed_by = _signers(package, trust)
    _check_revoked(package, trust)
    examined = examine(package, Runtime())
    return Verified(package, examined.manifest, examined.interface, signers, signed_by)


def install(verified: Verified, shelf: Shelf, *, installed_utc: str, allow_rollback: bool = False) -> Placed:
    """Put a verified package on the shelf. Raises ModuleError for a name that is taken, a roll-back; OutputError.

    Of its signers the one of the installed version counts where it is among them, else the first.
    """
    if is_taken(verified.manifest):
        raise ModuleError(
            f"an analyzer {verified.manifest.name!r} is shipped with camera-edge",
            where=verified.package.where,
            hint=OWN_NAME,
        )
    new = NewVersion(
        manifest=verified.manifest,
        toml=verified.package.toml,
        wasm=verified.package.wasm,
        package_sha256=verified.package.digest.removeprefix("sha256:"),
        signers=tuple(Signer(each.fingerprint, each.name) for each in verified.signers),
        documents=_documents(verified),
    )
    return shelf.put(new, installed_utc=installed_utc, allow_rollback=allow_rollback)


def is_taken(manifest: Manifest) -> bool:
    """Whether it has the name of a shipped analyzer, so that it cannot be installed."""
    return manifest.name in shipped_names()


def audit(shelf: Shelf, trust: Trust, names: Collection[str] | None = None) -> tuple[Finding, ...]:
    """Verify the installed versions again, by the keys and revocations of now; of these names, where they are given.

    A damaged version is a finding with a DamagedError. Raises ModuleError where the folder cannot be read.
    """
    findings: list[Finding] = []
    for name in shelf.names():
        if names is None or name in names:
            findings += (Finding(name, each.version, None, each.fault) for each in shelf.broken(name))
            records = shelf.records(name)
            findings += (Finding(name, each.version, each, _fault(each, shelf, trust)) for each in records)
    return tuple(findings)


def _fault(record: Record, shelf: Shelf, trust: Trust) -> ModuleError | None:
    try:
        why = shelf.withheld(record)
        if why is not None:
            hint = f"it does not run; camera-edge analyzer remove {record.name} --version {record.version}"
            return ModuleError(why, where=f"{record.name} {record.version}", hint=hint)
        _reverify(record, shelf, trust)
    except ModuleError as error:
        return error
    return None


def _reverify(record: Record, shelf: Shelf, trust: Trust) -> None:
    """Raises DamagedError where files, record and signature do not belong together any more."""
    module = shelf.load(record)
    if module is None:
        return
    path = shelf.version_folder(record.name, record.version) / PACKAGE_NAME
    try:
        kept = read_tar(path)
        kept.files[blob_path(f"sha256:{record.wasm_sha256}")] = module.wasm
        found = verify(kept, trust)
    except DamagedError:
        raise
    except CameraEdgeError as error:
        raise damage(path, error.message, record.name, record.version) from error
    if (found.package.digest, found.manifest.name) != (f"sha256:{record.package_sha256}", record.name):
        raise damage(path, "the record and the package differ", record.name, record.version)


def _signers(package: Package, trust: Trust) -> tuple[tuple[PublicKey, ...], tuple[SignatureSet, ...]]:
    """All trusted signers, as their signatures stand, and the manifests of those. Raises ModuleError without one."""
    ours = package.signatures()
    signers: dict[str, PublicKey] = {}
    signed_by: list[SignatureSet] = []
    for group in package.signature_sets:
        found = (trust.signer(each.signature, each.payload) for each in group.signatures if each in ours)
        known = {each.fingerprint: each for each in found if each is not None}
        if known:
            signers = signers | {name: each for name, each in known.items() if name not in signers}
            signed_by.append(group)
    if not signers:
        raise _unsigned(package, trust)
    return tuple(signers.values()), tuple(signed_by)


def _unsigned(package: Package, trust: Trust) -> ModuleError:
    found = [each for group in package.signature_sets for each in group.signatures]
    if not found:
        hint = "have it signed: camera-edge analyzer sign PACKAGE --key NAME.key, or cosign sign --key"
        return ModuleError("it is not signed", where=package.where, hint=hint)
    if not package.signatures():
        hint = "it was changed after it was signed: get it again from who made it"
        return ModuleError("its signature is for something else", where=package.where, hint=hint)
    if not trust.keys:
        hint = "camera-edge analyzer trust add KEY.pub --name NAME"
        return ModuleError("it is signed, but no key is trusted here", where=package.where, hint=hint)
    known = ", ".join(key.name for key in trust.keys)
    hint = f"trusted are {known}; to trust another: camera-edge analyzer trust add KEY.pub --name NAME"
    return ModuleError("no trusted key made its signature", where=package.where, hint=hint)


def _check_revoked(package: Package, trust: Trust) -> None:
    revoked = trust.revokes(package.digest, package.wasm_digest)
    if revoked is not None:
        hint = "get another version from who made it"
        raise ModuleError(f"{revoked} was revoked", where=package.where, hint=hint)


def _check_annotations(image: ImageManifest, manifest: Manifest, where: str) -> None:
    """Registries show these two; they must not tell another story than `analyzer.toml`."""
    for key, value in ((TITLE_KEY, manifest.name), (VERSION_KEY, manifest.version)):
        shown = (image.annotations or {}).get(key, value)
        if shown != value:
            hint = "make it with `camera-edge analyzer pack`"
            raise ModuleError(f"{key} is {shown!r}, analyzer.toml says {value!r}", where=where, hint=hint)


def _documents(verified: Verified) -> bytes:
    """What is kept to verify an installed version again: all of its package but the module, as a tar file."""
    package, signed_by = verified.package, verified.signed_by
    entries = [package.descriptor, *(each.descriptor for each in signed_by)]
    return archive(layout_of(with_blobs(package, signed_by), entries, package.where).files)
