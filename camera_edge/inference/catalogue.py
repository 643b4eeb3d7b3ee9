"""The models whose contract ships with the package, found by the SHA-256 of their file.

Invariant: the catalogue is read whole or refused. A model whose entry has a `file` is shipped: it lies beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from camera_edge.errors import ModelError
from camera_edge.inference.contract import Contract, ModelName, Output, PictureInput
from camera_edge.inference.model import Model, OutputShape

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One known model. `source` cites the upstream project; nothing is ever fetched from it.

    A shipped one has its `file` in the catalogue's folder, its size, and the shapes of its outputs (-1: free).
    """

    name: ModelName
    summary: str
    source: str
    licence: str
    sha256: Sha256
    input: PictureInput | None = None
    output: Output = Output()
    file: Annotated[str, Meta(pattern=r"^[a-z0-9_]+\.onnx\Z")] | None = None
    size_bytes: int = 0
    shapes: dict[str, tuple[int, ...]] = {}

    def __post_init__(self) -> None:
        if self.file is not None and not (self.shapes and self.size_bytes > 0):
            raise ValueError(f"model {self.name} has a file, but no size_bytes or no shapes of its outputs")

    @property
    def contract(self) -> Contract:
        return Contract(contract=1, input=self.input, output=self.output, source=self.source, licence=self.licence)


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    catalogue: Literal[1]
    classes: dict[str, tuple[str, ...]]
    model: tuple[Entry, ...]


class Catalogue:
    """The entries and the lists of class names of one `catalogue.toml`."""

    def __init__(self, path: Traversable | Path) -> None:
        """Raises ModelError where the catalogue is missing, damaged or names something twice."""
        document = _read(path)
        self._where = str(path)
        self._folder = Path(str(path)).parent
        self._classes = document.classes
        self._by_name = {entry.name: entry for entry in document.model}
        self._by_sha256 = {entry.sha256: entry for entry in document.model}
        if not len(self._by_name) == len(self._by_sha256) == len(document.model):
            raise ModelError("two entries share a name or a sha256", where=self._where)

    @classmethod
    def shipped(cls) -> Catalogue:
        """The catalogue inside the installed package."""
        return cls(files("camera_edge") / "shipped" / "models" / "catalogue.toml")

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._by_name.values())

    def shipped_models(self) -> list[Model]:
        """The models that lie beside the catalogue, by name; their bytes are not compared here."""
        entries = sorted((entry for entry in self if entry.file is not None), key=lambda entry: entry.name)
        return [self._shipped_model(entry, entry.file) for entry in entries if entry.file is not None]

    def _shipped_model(self, entry: Entry, file: str) -> Model:
        outputs = tuple(OutputShape(name, shape) for name, shape in entry.shapes.items())
        path = self._folder / file
        return Model(entry.name, path, entry.sha256, entry.size_bytes, self.contract(entry), outputs, is_shipped=True)

    def by_sha256(self, sha256: str) -> Entry | None:
        return self._by_sha256.get(sha256)

    def class_names(self, name: str) -> tuple[str, ...]:
        """The list of class names called `name`. Raises ModelError where there is none."""
        if (names := self._classes.get(name)) is None:
            hint = f"write the names as a list, or use one of: {', '.join(self._classes)}"
            raise ModelError(f"no list of classes is called {name!r}", where=self._where, hint=hint)
        return names

    def contract(self, entry: Entry) -> Contract:
        """The entry's contract with its classes written out."""
        return entry.contract.with_classes(self.class_names)


def _read(path: Traversable | Path) -> _Document:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=_Document)
    except FileNotFoundError as error:
        hint = "install the package with `pip install .`, or run `python wasm_analyzers/build.py` in a checkout"
        raise ModelError("the catalogue of models is missing", where=str(path), hint=hint) from error
    except (OSError, ValueError) as error:
        raise ModelError(f"the catalogue is damaged: {error}", where=str(path), hint="reinstall") from error
