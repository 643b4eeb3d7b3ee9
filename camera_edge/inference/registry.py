"""The models there are: those an operator has added, in `models/` of the state folder, and those shipped.

Invariant: a model is there whole or not at all. Its bytes lie under their SHA-256 and are durable before the record
that names them; both come by rename. What is asked for is compared with its hash each time. An operator's model comes
before a shipped one of the same name.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Literal

import msgspec

from camera_edge.durable import make_folder, write_durably
from camera_edge.errors import ModelError, OutputError, UsageError
from camera_edge.inference.catalogue import Catalogue, Sha256
from camera_edge.inference.conformance import probe
from camera_edge.inference.contract import NAME_PATTERN, Contract, ModelName
from camera_edge.inference.model import BYTES_MAX, Model, OutputShape


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    record: Literal[1]
    name: ModelName
    sha256: Sha256
    size_bytes: int
    contract: Contract
    outputs: tuple[OutputShape, ...]


class Registry:
    """`NAME.json` is a model's record, `SHA256.onnx` its bytes; two names may share one file."""

    def __init__(self, state_models_folder: Path, catalogue: Catalogue | None = None) -> None:
        """`catalogue` is the package's unless given; it is read when it is first needed."""
        self._folder = state_models_folder
        self._given = catalogue

    def add(
        self, file: Path, name: str | None = None, contract: Contract | None = None, *, replace: bool = False
    ) -> Model:
        """Copies a model in, after it was loaded and held against its contract.

        Without `contract` the file's SHA-256 must be in the catalogue; without `name` the catalogue's is used, or the
        file's own. The same file under the same name again is no error. Raises ModelError for a stranger, a model
        that does not fit or a name that is taken, UsageError for a bad name or file, OutputError for a failing disk.
        """
        data = _read_bounded(file)
        sha256 = hashlib.sha256(data).hexdigest()
        name, contract = self._identify(file, sha256, name, contract)
        known = self._find(name)
        if not replace and known is not None and known.sha256 != sha256:
            message = f"another model is called {name!r} (sha256 {known.sha256[:12]}…)"
            raise ModelError(message, where=str(self._folder), hint="give another --name, or --replace it")
        outputs = probe(data, contract, where=str(file))
        record = _Record(1, name, sha256, len(data), contract, outputs)
        self._store(record, data)
        return self._model(record)

    def list(self) -> list[Model]:
        """All models by name, their bytes not compared. Raises ModelError where a record is damaged."""
        names = (path.stem for path in self._folder.glob("*.json") if re.fullmatch(NAME_PATTERN, path.stem))
        records = (self._record(name) for name in names)
        models = {model.name: model for model in self._catalogue().shipped_models()}
        models |= {record.name: self._model(record) for record in records if record is not None}
        return sorted(models.values(), key=lambda model: model.name)

    def get(self, name: str) -> Model:
        """The model called `name`, its bytes compared. Raises ModelError where it is unknown or damaged."""
        model = self._find(name)
        if model is None:
            known = ", ".join(model.name for model in self.list()) or "none"
            hint = f"camera-edge model add FILE --name {name}; there are: {known}"
            raise ModelError(f"no model is called {name!r}", where=str(self._folder), hint=hint)
        model.read()
        return model

    def _catalogue(self) -> Catalogue:
        if self._given is None:
            self._given = Catalogue.shipped()
        return self._given

    def _find(self, name: str) -> Model | None:
        """The model called `name`, its bytes not compared."""
        record = self._record(name)
        if record is not None:
            return self._model(record)
        return next((model for model in self._catalogue().shipped_models() if model.name == name), None)

    def _identify(self, file: Path, sha256: str, name: str | None, contract: Contract | None) -> tuple[str, Contract]:
        catalogue = self._catalogue()
        entry = catalogue.by_sha256(sha256)
        if contract is None:
            if entry is None:
                message = f"nothing is known about this model (sha256 {sha256})"
                hint = "say what it takes and gives: --contract FILE; models/README.md has an example"
                raise ModelError(message, where=str(file), hint=hint)
            contract = catalogue.contract(entry)
        contract = contract.with_classes(catalogue.class_names)
        if name is None:
            name = entry.name if entry is not None else re.sub(r"[^a-z0-9_.-]+", "_", file.stem.lower()).strip("_.-")
        if not re.fullmatch(NAME_PATTERN, name):
            raise UsageError(f"{name!r} cannot name a model", hint="use --name with a-z, 0-9, '_', '-' and '.'")
        return name, contract

    def _store(self, record: _Record, data: bytes) -> None:
        try:
            self._folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            make_folder(self._folder)
            replaced = self._record(record.name)
            write_durably(self._folder / f"{record.sha256}.onnx", data)
            text = msgspec.json.format(msgspec.json.encode(record), indent=2)
            write_durably(self._folder / f"{record.name}.json", text)
            if replaced is not None and all(model.sha256 != replaced.sha256 for model in self.list()):
                (self._folder / f"{replaced.sha256}.onnx").unlink(missing_ok=True)
        except OSError as error:
            message = f"the model cannot be kept: {error.strerror}"
            raise OutputError(message, where=str(self._folder), hint="check space and permissions") from error

    def _record(self, name: str) -> _Record | None:
        path = self._folder / f"{name}.json"
        if not re.fullmatch(NAME_PATTERN, name):
            return None
        try:
            record = msgspec.json.decode(path.read_bytes(), type=_Record)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            message = f"the record of model {name!r} cannot be read: {error.strerror}"
            raise ModelError(message, where=str(path), hint="check permissions") from error
        except ValueError as error:
            hint = f"delete the file and add the model again with --name {name}"
            raise ModelError(f"the record of model {name!r} is damaged: {error}", where=str(path), hint=hint) from error
        if record.name != name:
            raise ModelError(f"the record names {record.name!r}", where=str(path), hint="rename or delete the file")
        return record

    def _model(self, record: _Record) -> Model:
        path = self._folder / f"{record.sha256}.onnx"
        return Model(record.name, path, record.sha256, record.size_bytes, record.contract, record.outputs)


def _read_bounded(file: Path) -> bytes:
    try:
        if file.stat().st_size > BYTES_MAX:
            raise UsageError(f"the file has more than {BYTES_MAX >> 20} MiB", where=str(file))
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"the model cannot be read: {error.strerror}", where=str(file)) from error
