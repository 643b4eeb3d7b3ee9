"""Keeps the modules an operator installed, in `analyzers/` of the state folder.

    modules/NAME/VERSION/   NAME.wasm, analyzer.toml, record.json, package.tar (what was signed, without the module)
    modules/NAME/highest    the highest version that stood here and was removed
    trust/                  keys and revoked digests (`trusted.py`)
    generation              another text after each change

Invariant: a version is there whole or not at all: it is written aside, synced and renamed. What is handed out was
compared with the digests of its record, is not revoked, and was signed by a key that is still trusted.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from camera_edge.durable import make_folder, sync_folder, write_durably, write_new
from camera_edge.errors import ModuleError, OutputError
from camera_edge.sandbox.manifest import Manifest, Name, Version, read_manifest
from camera_edge.sandbox.module import MANIFEST_NAME, WASM_BYTES_MAX, ModuleFile
from camera_edge.sandbox.trusted import TrustFolder
from camera_edge.sandbox.version import ModuleVersion

SHELF_FOLDER = "analyzers"
RECORD_NAME = "record.json"
PACKAGE_NAME = "package.tar"
VERSIONS_KEPT = 4
_RECORD_BYTES_MAX = 65536
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_ASIDE = (".putting-", ".removing-")

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class Signer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`fingerprint` is the SHA-256 of the public key, `name` what the operator called it at that time."""

    fingerprint: Sha256
    name: str


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands beside an installed version. `package_sha256` is that of the signed manifest."""

    record: Literal[1]
    name: Name
    version: Version
    package_sha256: Sha256
    wasm_sha256: Sha256
    toml_sha256: Sha256
    signer: Signer
    installed_utc: str


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A checked version on its way to the shelf. `documents`: what is kept beside it, to verify it again."""

    manifest: Manifest
    toml: bytes
    wasm: bytes
    package_sha256: str
    signer: Signer
    documents: bytes


@dataclass(frozen=True, slots=True)
class Placed:
    """What `put` did: the record, whether it was there before, and the versions that went for it."""

    record: Record
    was_there: bool
    removed: tuple[str, ...]


class Shelf:
    """The installed modules below `folder`. One writer at a time (a file lock); readers never wait."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trust = TrustFolder(folder / "trust")
        self._modules = folder / "modules"

    @property
    def generation(self) -> str:
        """A text that is another one after each change of modules, keys or revoked digests; cheap to ask for."""
        try:
            return (self.folder / "generation").read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return ""

    def names(self) -> list[str]:
        """The names of which at least one version is installed. Raises ModuleError where the folder cannot be read."""
        return [name for name in _entries(self._modules) if self._versions(name)]

    def records(self, name: str) -> tuple[Record, ...]:
        """The records of the installed versions, newest first. Raises ModuleError where one is damaged."""
        read = (self._record(name, version) for version in self._versions(name))
        return tuple(record for record in read if record is not None)

    def withheld(self, record: Record) -> str | None:
        """Why this version may not run now, or None. Signatures are not looked at here, but the key must be trusted."""
        revoked = self.trust.revoked()
        if record.package_sha256 in revoked or record.wasm_sha256 in revoked:
            return "its digest was revoked"
        if record.signer.fingerprint not in self.trust.fingerprints():
            return f"the key {record.signer.name!r} that signed it is not trusted any more"
        return None

    def candidates(self, name: str) -> tuple[ModuleFile, ...]:
        """The versions that may run, newest first, each file compared with its record.

        Raises ModuleError where a file is damaged.
        """
        loaded = (self.load(record) for record in self.records(name) if self.withheld(record) is None)
        return tuple(module for module in loaded if module is not None)

    def load(self, record: Record) -> ModuleFile | None:
        """The module of this record; None where it was removed meanwhile. Raises ModuleError where it is damaged."""
        folder = self.version_folder(record.name, record.version)
        try:
            wasm = _compared(folder / f"{record.name}.wasm", record.wasm_sha256, record)
            toml = _compared(folder / MANIFEST_NAME, record.toml_sha256, record)
        except ModuleError:
            if not folder.exists():
                return None
            raise
        manifest = read_manifest(toml, where=str(folder / MANIFEST_NAME))
        return ModuleFile(manifest, wasm, record.wasm_sha256, "installed", record.signer.name)

    def highest(self, name: str) -> ModuleVersion | None:
        """The highest version that was ever installed, also where it is gone now. Raises ModuleError where damaged."""
        path = self._modules / name / "highest"
        try:
            noted = [ModuleVersion.read(path.read_text(encoding="ascii"), where=str(path))]
        except FileNotFoundError:
            noted = []
        except (OSError, UnicodeDecodeError) as error:
            hint = "delete the file; then an older version can be installed"
            raise ModuleError(f"cannot be read: {error}", where=str(path), hint=hint) from error
        return max([*noted, *self._versions(name)], default=None)

    def version_folder(self, name: str, version: str) -> Path:
        return self._modules / name / version

    def put(self, new: NewVersion, *, installed_utc: str, allow_rollback: bool = False) -> Placed:
        """Install a version, and let go of the oldest beyond the newest four.

        With `allow_rollback` a lower version than the highest is taken, and higher ones are removed. Raises ModuleError
        for a roll-back without it, for other content of an installed version and for another signer; OutputError
        where the disk fails. The same content again is no error.
        """
        name = new.manifest.name
        version = ModuleVersion.read(new.manifest.version, where=name)
        with self._changing():
            standing = self._standing(new, version)
            highest = self.highest(name)
            if highest is not None and version < highest and standing is None and not allow_rollback:
                raise ModuleError(
                    f"version {version} is older than {highest}, which was installed before",
                    where=name,
                    hint="older versions may have known faults; to go back all the same: --allow-rollback",
                )
            record = standing or self._place(new, installed_utc)
            present = self._versions(name)
            higher = [each for each in present if each > version] if allow_rollback else []
            kept = [each for each in present if each not in higher]
            gone = [*higher, *kept[VERSIONS_KEPT:]]
            for each in gone:
                self._drop(name, each.text)
            if allow_rollback and highest is not None and version < highest:
                write_durably(self._modules / name / "highest", version.text.encode())
        return Placed(record, standing is not None, tuple(each.text for each in gone))

    def remove(self, name: str, version: str | None = None) -> tuple[str, ...]:
        """Remove one version or all; returns which. Raises ModuleError where there is none, OutputError."""
        with self._changing():
            present = self._versions(name)
            gone = [each for each in present if version in (None, each.text)]
            if not gone:
                there = ", ".join(each.text for each in present) or ", ".join(self.names()) or "nothing"
                what = name if version is None else f"{name} {version}"
                raise ModuleError(f"{what} is not installed", hint=f"installed: {there}")
            # what was highest must be known after its folder is gone
            write_durably(self._modules / name / "highest", str(self.highest(name)).encode())
            for each in gone:
                self._drop(name, each.text)
            sync_folder(self._modules / name)
        return tuple(each.text for each in gone)

    @contextmanager
    def changing_trust(self) -> Iterator[TrustFolder]:
        """Hold the shelf while keys or revoked digests change. Raises OutputError."""
        with self._changing():
            for folder in (self.trust.folder, self.trust.keys, self.trust.revoked_digests):
                make_folder(folder)
            yield self.trust

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.folder, self._modules):
                make_folder(folder)
            with (self.folder / ".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._sweep()
                yield
                self._announce()
        except OSError as error:
            with suppress(OSError):
                self._announce()
            hint = "check space and permissions"
            raise OutputError(f"cannot be changed: {error.strerror}", where=str(self.folder), hint=hint) from error

    def _announce(self) -> None:
        """Not brought onto the disk: nobody who watches outlives a power cut."""
        descriptor, temporary = tempfile.mkstemp(dir=self.folder, prefix=".writing-")
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, 0o644)
            stream.write(os.urandom(8).hex().encode())
        Path(temporary).replace(self.folder / "generation")

    def _sweep(self) -> None:
        """Delete what a killed writer left aside."""
        homes = (self._modules / name for name in _entries(self._modules))
        for folder in (self.folder, self.trust.keys, self.trust.revoked_digests, *homes):
            for name in _entries(folder):
                if name.startswith(_ASIDE):
                    shutil.rmtree(folder / name)
                elif name.startswith(".writing-"):
                    (folder / name).unlink()

    def _standing(self, new: NewVersion, version: ModuleVersion) -> Record | None:
        """The installed version of this order, where it is this very content. Raises ModuleError where it is not."""
        found = None
        for record in self.records(new.manifest.name):
            if record.signer.fingerprint != new.signer.fingerprint:
                raise ModuleError(
                    f"{record.name} {record.version} is installed, signed by {record.signer.name!r}; "
                    f"this one is signed by {new.signer.name!r}",
                    where=record.name,
                    hint=f"if that is meant: camera-edge analyzer remove {record.name}, then install again",
                )
            if ModuleVersion.read(record.version) == version:
                found = record
        if found is not None and found.package_sha256 != new.package_sha256:
            raise ModuleError(
                f"version {found.version} is installed already, with other content",
                where=found.name,
                hint=f"give the new content a new version, or: camera-edge analyzer remove {found.name} "
                f"--version {found.version}",
            )
        if found is not None:
            self.load(found)
        return found

    def _place(self, new: NewVersion, installed_utc: str) -> Record:
        name, version = new.manifest.name, new.manifest.version
        wasm_sha256, toml_sha256 = (hashlib.sha256(data).hexdigest() for data in (new.wasm, new.toml))
        record = Record(1, name, version, new.package_sha256, wasm_sha256, toml_sha256, new.signer, installed_utc)
        home = self._modules / name
        if not home.exists():
            make_folder(home)
            sync_folder(self._modules)
        aside = Path(tempfile.mkdtemp(dir=home, prefix=_ASIDE[0]))
        try:
            aside.chmod(0o755)
            text = msgspec.json.format(msgspec.json.encode(record), indent=2)
            files = {f"{name}.wasm": new.wasm, MANIFEST_NAME: new.toml, PACKAGE_NAME: new.documents, RECORD_NAME: text}
            for each, data in files.items():
                write_new(aside / each, data)
            sync_folder(aside)
            aside.rename(home / version)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        sync_folder(home)
        return record

    def _drop(self, name: str, version: str) -> None:
        """Out of sight in one step, then deleted."""
        home = self._modules / name
        aside = Path(tempfile.mkdtemp(dir=home, prefix=_ASIDE[1]))
        (home / version).rename(aside / version)
        with suppress(OSError):
            shutil.rmtree(aside)

    def _versions(self, name: str) -> list[ModuleVersion]:
        """By the names of the folders, newest first."""
        found = []
        for entry in _entries(self._modules / name) if _NAME.fullmatch(name) else []:
            with suppress(ModuleError):
                if (self._modules / name / entry).is_dir():
                    found.append(ModuleVersion.read(entry))
        return sorted(found, reverse=True)

    def _record(self, name: str, version: ModuleVersion) -> Record | None:
        folder = self.version_folder(name, version.text)
        path = folder / RECORD_NAME
        try:
            record = msgspec.json.decode(_bytes(path, _RECORD_BYTES_MAX), type=Record)
        except (OSError, ValueError) as error:
            if not folder.exists():
                return None
            raise _damaged(path, str(error), name, version.text) from error
        if (record.name, record.version) != (name, version.text):
            raise _damaged(path, f"it names {record.name} {record.version}", name, version.text)
        return record


def _compared(path: Path, sha256: str, record: Record) -> bytes:
    try:
        data = _bytes(path, WASM_BYTES_MAX)
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error), record.name, record.version) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise _damaged(path, "it is not what was installed", record.name, record.version)
    return data


def _damaged(path: Path, fault: str, name: str, version: str) -> ModuleError:
    hint = f"camera-edge analyzer remove {name} --version {version}, then install it again"
    return ModuleError(f"damaged: {fault}", where=str(path), hint=hint)


def _bytes(path: Path, longest: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(longest + 1)
    if len(data) > longest:
        raise ValueError(f"longer than {longest} bytes")
    return data


def _entries(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ModuleError(f"cannot be read: {error.strerror}", where=str(folder), hint="check permissions") from error
