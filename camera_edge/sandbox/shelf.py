"""Keeps the modules an operator installed, in `analyzers/` of the state folder.

    modules/NAME/VERSION/   NAME.wasm, analyzer.toml, record.json, package.tar (what was signed, without the module)
    modules/NAME/highest    the highest version that stood here and was removed
    trust/                  keys and revoked digests (`trusted.py`)
    generation              another text after each change

Invariant: a version is there whole or not at all: it is written aside, synced and renamed. What is handed out was
compared with the digests of its record, is not revoked, and was signed by a key that is still trusted. What was damaged
since is passed over and told; it stops nothing but itself.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from camera_edge.durable import make_folder, sync_folder, write_durably, write_new
from camera_edge.errors import DamagedError, ModuleError, OutputError
from camera_edge.sandbox.manifest import is_name, read_manifest
from camera_edge.sandbox.module import MANIFEST_NAME, ModuleFile
from camera_edge.sandbox.plainfile import names_in, read_plain
from camera_edge.sandbox.record import (
    RECORD_NAME,
    Broken,
    NewVersion,
    Placed,
    Record,
    Signer,
    compared,
    other_role,
    read_record,
    reason,
)
from camera_edge.sandbox.retention import Held, surplus
from camera_edge.sandbox.trusted import TrustFolder
from camera_edge.sandbox.version import ModuleVersion

PACKAGE_NAME = "package.tar"
_VERSION_BYTES_MAX = 64
_ASIDE = (".putting-", ".removing-")


@dataclass(frozen=True, slots=True)
class _Look:
    """What is there of one name: the versions that may run, newest first, and what is wrong with others."""

    modules: tuple[ModuleFile, ...]
    faults: tuple[ModuleError, ...]


class Shelf:
    """The installed modules below `folder`. One writer at a time (a file lock); readers never wait."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trust = TrustFolder(folder / "trust")
        self._modules = folder / "modules"
        self._passed_over: dict[Record, ModuleError] = {}

    @property
    def generation(self) -> str:
        """A text that is another one after each change of modules, keys or revoked digests; cheap to ask for."""
        try:
            return read_plain(self.folder / "generation", _VERSION_BYTES_MAX).decode("ascii")
        except (OSError, UnicodeDecodeError):
            return ""

    def names(self) -> list[str]:
        """The names of which at least one version is installed. Raises ModuleError where the folder cannot be read."""
        found = []
        for name in names_in(self._modules):
            try:
                there = bool(self._versions(name))
            except ModuleError:
                there = True
            if there:
                found.append(name)
        return found

    def records(self, name: str) -> tuple[Record, ...]:
        """The records of the installed versions, newest first, but for those that are `broken`."""
        return self._records(name)[0]

    def broken(self, name: str) -> tuple[Broken, ...]:
        """The installed versions whose record is damaged, newest first."""
        return self._records(name)[1]

    def damaged(self, name: str) -> tuple[ModuleError, ...]:
        """What is wrong with versions that would run if they were whole. Raises ModuleError as `withheld` does."""
        return self._look(name).faults

    def vouching(self, record: Record) -> tuple[Signer, ...]:
        """Those of its signers whose keys are trusted now. Raises ModuleError where a trusted key cannot be read."""
        trusted = self.trust.fingerprints()
        return tuple(signer for signer in record.signers if signer.fingerprint in trusted)

    def withheld(self, record: Record) -> str | None:
        """Why this version may not run now, or None. Signatures are not looked at here, but a key must be trusted.

        Raises ModuleError where the trust folder cannot be read whole.
        """
        revoked = self.trust.revoked()
        if record.package_sha256 in revoked or record.wasm_sha256 in revoked:
            return "its digest was revoked"
        if not self.vouching(record):
            return f"the key {record.signer.name!r} that signed it is not trusted any more"
        return None

    def candidates(self, name: str) -> tuple[ModuleFile, ...]:
        """The versions that may run, newest first, each file compared with its record; damaged ones are passed over.

        Raises DamagedError where damage leaves none, ModuleError as `withheld` does.
        """
        found = self._look(name)
        if found.faults and not found.modules:
            raise found.faults[0]
        return found.modules

    def pass_over(self, record: Record, fault: ModuleError) -> None:
        """Never hand this version out again, in this process: someone who looks deeper found it faulty."""
        self._passed_over[record] = fault

    def load(self, record: Record) -> ModuleFile | None:
        """The module of this record; None where it was removed meanwhile. Raises DamagedError, ModuleError."""
        folder = self.version_folder(record.name, record.version)
        try:
            wasm = compared(folder / f"{record.name}.wasm", record.wasm_sha256, record)
            toml = compared(folder / MANIFEST_NAME, record.toml_sha256, record)
            if record.documents_sha256 is not None:
                compared(folder / PACKAGE_NAME, record.documents_sha256, record)
        except DamagedError:
            if not folder.exists():
                return None
            raise
        manifest = read_manifest(toml, where=str(folder / MANIFEST_NAME))
        return ModuleFile(manifest, wasm, record.wasm_sha256, "installed", record.signer.name)

    def highest(self, name: str) -> ModuleVersion | None:
        """The highest version that was ever installed, also where it is gone now. Raises ModuleError where damaged."""
        path = self._modules / name / "highest"
        try:
            noted = [ModuleVersion.read(read_plain(path, _VERSION_BYTES_MAX).decode("ascii"), where=str(path))]
        except FileNotFoundError:
            noted = []
        except (OSError, UnicodeDecodeError) as error:
            hint = "delete the file; then an older version can be installed"
            raise DamagedError(f"cannot be read: {reason(error)}", where=str(path), hint=hint) from error
        return max([*noted, *self._versions(name)], default=None)

    def version_folder(self, name: str, version: str) -> Path:
        return self._modules / name / version

    def put(self, new: NewVersion, *, installed_utc: str, allow_rollback: bool = False) -> Placed:
        """Install a version, and let go of older ones that it or another newer one replaces.

        The newest four stay. An older one goes where a newer one that is kept, and not withheld, asks for no more than
        it does, so that one which runs is not deleted for versions that wait for a grant; where it is damaged; and
        beyond sixteen versions in all (`retention.py`). With `allow_rollback` a lower version than the highest is
        taken, and higher ones are removed. Raises ModuleError for a roll-back without it, for other content of an
        installed version, for another signer and for an analyzer in the place of a rule module or the reverse;
        DamagedError where this version is there and damaged, or damage hides who signed; OutputError where the disk
        fails. The same content again is no error.
        """
        name = new.manifest.name
        version = ModuleVersion.read(new.manifest.version, where=name)
        with self._changing():
            signers = self._continued(new)
            standing = self._standing(new, version)
            highest = self.highest(name)
            if highest is not None and version < highest and standing is None and not allow_rollback:
                raise ModuleError(
                    f"version {version} is older than {highest}, which was installed before",
                    where=name,
                    hint="older versions may have known faults; to go back all the same: --allow-rollback",
                )
            held = self._held(new, version)
            higher = [each.version for each in held if each.version > version] if allow_rollback else []
            over = surplus([each for each in held if each.version not in higher])
            gone = [*higher, *(each for each in over if each != version)]
            record = standing or self._place(new, signers, installed_utc)
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
        homes = (self._modules / name for name in names_in(self._modules))
        for folder in (self.folder, self.trust.keys, self.trust.revoked_digests, *filter(Path.is_dir, homes)):
            for name in names_in(folder) if os.access(folder, os.R_OK | os.X_OK) else []:
                if name.startswith(_ASIDE):
                    shutil.rmtree(folder / name)
                elif name.startswith(".writing-"):
                    (folder / name).unlink()

    def _continued(self, new: NewVersion) -> tuple[Signer, ...]:
        """The signers of a new version, first the one that counts: that of the newest installed one, if among them.

        Where its key is not trusted any more, one that also signed and is trusted takes its place: so a name passes to
        another key. That one alone does not do before, as anyone can add a signature. Raises ModuleError.
        """
        records, broken = self._records(new.manifest.name)
        if not records:
            if broken:
                raise broken[0].fault
            return new.signers
        newest = records[0]
        wanted = next(iter(self.vouching(newest)), newest.signer)
        first = [each for each in new.signers if each.fingerprint == wanted.fingerprint]
        if first:
            return (*first, *(each for each in new.signers if each not in first))
        raise ModuleError(
            f"{newest.name} {newest.version} is installed, signed by {wanted.name!r}; "
            f"this one is signed by {new.signers[0].name!r}",
            where=newest.name,
            hint=f"have it signed by both keys, or if another signer is meant: camera-edge analyzer remove "
            f"{newest.name}, then install again",
        )

    def _standing(self, new: NewVersion, version: ModuleVersion) -> Record | None:
        """The installed version of this order, where it is this very content. Raises ModuleError where it is not."""
        records, broken = self._records(new.manifest.name)
        for each in broken:
            if not each.version or ModuleVersion.read(each.version) == version:
                raise each.fault
        found = next((record for record in records if ModuleVersion.read(record.version) == version), None)
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

    def _held(self, new: NewVersion, version: ModuleVersion) -> list[Held]:
        """What there is of the name with the new version, newest first. Raises ModuleError where its role is new."""
        name, whole = new.manifest.name, {version: Held(version, new.manifest.asked)}
        for record in self.records(name):
            try:
                module = self._unfaulted(record)
            except ModuleError:
                continue
            if module is None:
                continue
            if module.manifest.is_rule != new.manifest.is_rule:
                raise other_role(record, is_rule=module.manifest.is_rule)
            read = ModuleVersion.read(record.version)
            whole[read] = Held(read, module.manifest.asked, self.withheld(record) is not None)
        present = {version, *self._versions(name)}
        return [whole.get(each, Held(each, None)) for each in sorted(present, reverse=True)]

    def _place(self, new: NewVersion, signers: tuple[Signer, ...], installed_utc: str) -> Record:
        name, version = new.manifest.name, new.manifest.version
        record = new.record(signers, installed_utc)
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
        """By the names of the folders, newest first. Raises ModuleError where they cannot be listed."""
        home, found = self._modules / name, []
        for entry in names_in(home) if is_name(name) and home.is_dir() else []:
            with suppress(ModuleError):
                if (home / entry).is_dir():
                    found.append(ModuleVersion.read(entry))
        return sorted(found, reverse=True)

    def _records(self, name: str) -> tuple[tuple[Record, ...], tuple[Broken, ...]]:
        whole, broken = [], []
        try:
            versions = self._versions(name)
        except ModuleError as error:
            fault = DamagedError(error.message, where=error.where, hint=error.hint)
            return (), (Broken("", fault),)
        for version in versions:
            try:
                record = read_record(self.version_folder(name, version.text), name, version.text)
            except DamagedError as error:
                broken.append(Broken(version.text, error))
                continue
            if record is not None:
                whole.append(record)
        return tuple(whole), tuple(broken)

    def _look(self, name: str) -> _Look:
        records, broken = self._records(name)
        modules: list[ModuleFile] = []
        faults: list[ModuleError] = [each.fault for each in broken]
        for record in records:
            if self.withheld(record) is not None:
                continue
            try:
                module = self._unfaulted(record)
            except ModuleError as error:
                faults.append(error)
                continue
            if module is not None:
                modules.append(module)
        return _Look(tuple(modules), tuple(faults))

    def _unfaulted(self, record: Record) -> ModuleFile | None:
        if record in self._passed_over:
            raise self._passed_over[record]
        return self.load(record)
