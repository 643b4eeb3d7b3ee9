"""A model of the registry, as a value.

Invariant: a `Model` names bytes by their SHA-256; whoever loads it compares before the runtime sees them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from camera_edge.errors import ModelError
from camera_edge.inference.contract import Contract

BYTES_MAX = 512 << 20


class OutputShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one output of a model is called and how large it is; -1 is a free dimension."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """One model: where its bytes lie, what they must hash to, and its contract; added here, or part of the package."""

    name: str
    path: Path
    sha256: str
    size_bytes: int
    contract: Contract
    outputs: tuple[OutputShape, ...]
    is_shipped: bool = False

    def read(self) -> bytes:
        """The model's bytes, compared with `sha256`. Raises ModelError where they are missing or damaged."""
        hint = f"add it again: camera-edge model add FILE --name {self.name} --replace"
        if self.is_shipped:
            hint = "install the package again; in a checkout run `python wasm_analyzers/build.py`"
        try:
            data = self.path.read_bytes()
        except OSError as error:
            message = f"model {self.name!r} cannot be read: {error.strerror}"
            raise ModelError(message, where=str(self.path), hint=hint) from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise ModelError(f"model {self.name!r} is damaged: its sha256 differs", where=str(self.path), hint=hint)
        return data


def model_params(model: Model, named_by: str = "model") -> dict[str, str | float]:
    """What a guest may ask about the model that its parameter `named_by` names, under this prefix (see ABI.md).

    Shapes are written `1x3549x85`, several outputs are separated by commas; classes are one a line.
    """
    output = model.contract.output
    params: dict[str, str | float] = {
        "decoder": output.decoder,
        "classes": "\n".join(output.class_names),
        "strides": ",".join(map(str, output.strides)),
        "outputs": ",".join("x".join(map(str, tensor.shape)) for tensor in model.outputs),
        "sure_score": output.sure_score,
    }
    if (picture := model.contract.input) is not None:
        params["fit"] = picture.fit
        params["width"] = float(picture.width)
        params["height"] = float(picture.height)
    return {f"{named_by}.{name}": value for name, value in params.items()}
