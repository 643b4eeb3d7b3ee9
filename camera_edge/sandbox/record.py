"""What stands beside an installed version: its digests, who signed it, when it came.

Invariant: a record that is handed out was read whole and names the version in whose folder it lies.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from camera_edge.errors import DamagedError, ModuleError
from camera_edge.sandbox.manifest import Manifest, Name, Version
from camera_edge.sandbox.module import WASM_BYTES_MAX
from camera_edge.sandbox.plainfile import read_plain

RECORD_NAME = "record.json"
_BYTES_MAX = 65536

# \Z and not $, which lets a line feed pass
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Signer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`fingerprint` is the SHA-256 of the public key, `name` what the operator called it at that time."""

    fingerprint: Sha256
    name: str


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`package_sha256` is that of the signed manifest, `documents_sha256` that of the documents kept beside it.

    `signer` is the one that counted when it was installed, `also_signed` are the others that were trusted then.
    """

    record: Literal[1]
    name: Name
    version: Version
    package_sha256: Sha256
    wasm_sha256: Sha256
    toml_sha256: Sha256
    signer: Signer
    installed_utc: str
    also_signed: tuple[Signer, ...] = ()
    documents_sha256: Sha256 | None = None

    @property
    def signers(self) -> tuple[Signer, ...]:
        return (self.signer, *self.also_signed)


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A checked version on its way to the shelf. `documents`: what is kept beside it, to verify it again.

    `signers`: the trusted ones, at least one, in the order in which they count.
    """

    manifest: Manifest
    toml: bytes
    wasm: bytes
    package_sha256: str
    signers: tuple[Signer, ...]
    documents: bytes

    def record(self, signers: tuple[Signer, ...], installed_utc: str) -> Record:
        """`signers`: first the one that counts."""
        wasm_sha256, toml_sha256, documents_sha256 = (
            hashlib.sha256(data).hexdigest() for data in (self.wasm, self.toml, self.documents)
        )
        return Record(
            record=1,
            name=self.manifest.name,
            version=self.manifest.version,
            package_sha256=self.package_sha256,
            wasm_sha256=wasm_sha256,
            toml_sha256=toml_sha256,
            signer=signers[0],
            installed_utc=installed_utc,
            also_signed=signers[1:],
            documents_sha256=documents_sha256,
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """What `put` did: the record, whether it was there before, and the versions that went for it."""

    record: Record
    was_there: bool
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """An installed version of which not even the record can be read."""

    version: str
    fault: DamagedError


def read_record(folder: Path, name: str, version: str) -> Record | None:
    """The record in a version's folder; None where the folder is gone. Raises DamagedError."""
    path = folder / RECORD_NAME
    try:
        data = read_plain(path, _BYTES_MAX)
        if len(data) > _BYTES_MAX:
            raise ValueError(f"longer than {_BYTES_MAX} bytes")
        record = msgspec.json.decode(data, type=Record)
    except (OSError, ValueError, RecursionError) as error:
        if not folder.exists():
            return None
        raise damage(path, reason(error), name, version) from error
    if (record.name, record.version) != (name, version):
        raise damage(path, f"it names {record.name} {record.version}", name, version)
    return record


def compared(path: Path, sha256: str, record: Record) -> bytes:
    """A file of an installed version. Raises DamagedError where it is not the one that was installed."""
    try:
        data = read_plain(path, WASM_BYTES_MAX)
    except OSError as error:
        raise damage(path, reason(error), record.name, record.version) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise damage(path, "it is not what was installed", record.name, record.version)
    return data


def damage(path: Path, fault: str, name: str, version: str) -> DamagedError:
    """The error for a file of an installed version, with what to do."""
    hint = f"camera-edge analyzer remove {name} --version {version}, then install it again"
    return DamagedError(f"damaged: {fault}", where=str(path), hint=hint)


def other_role(there: Record, *, is_rule: bool) -> ModuleError:
    """The error for a version that is not of the kind of the installed ones; `is_rule`: those are rule modules."""
    kinds = ("a rule module", "an analyzer")
    installed, new = kinds if is_rule else reversed(kinds)
    return ModuleError(
        f"{there.name} {there.version} is installed and is {installed}; this one is {new}",
        where=there.name,
        hint=f"give it a name of its own, or first: camera-edge analyzer remove {there.name}",
    )


def reason(error: Exception) -> str:
    """Without the path, which stands beside it."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
