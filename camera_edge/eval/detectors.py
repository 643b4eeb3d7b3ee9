"""The detector that a suite runs: an added one, or, where none of its name was added, one that lies beside the data.

Invariant: the user's state is read and never changed; what is taken from beside the data is in the catalogue, by its
SHA-256, and is added to a registry that goes with the run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from camera_edge.errors import ModelError
from camera_edge.inference import Registry
from camera_edge.worker.plan import Supply

_MODELS = "models"
_PARENTS_MAX = 5


@contextmanager
def with_detector(name: str, data: Path, supply: Supply) -> Iterator[Supply]:
    """A supply that has the model `name`. Raises ModelError where it is neither added nor beside the data."""
    if any(model.name == name for model in supply.models.list()):
        yield supply
        return
    with tempfile.TemporaryDirectory(prefix="camera-edge-eval-") as folder:
        registry = Registry(Path(folder) / _MODELS)
        for file in _beside(name, data):
            # a file that the catalogue does not know is refused here
            registry.add(file, name)
            yield Supply(registry, supply.modules)
            return
    raise ModelError(
        f"no model is called {name!r}, and none lies in {_MODELS}/{name}/ beside the data",
        where=str(data),
        hint="camera-edge model add FILE, or name one that was added: --model NAME",
    )


def _beside(name: str, data: Path) -> list[Path]:
    """ONNX files of `models/NAME/` in the folder or one above it, the nearest first."""
    root = data.resolve()
    homes = [root, *root.parents][: _PARENTS_MAX + 1]
    return [file for home in homes for file in sorted((home / _MODELS / name).glob("*.onnx"))]
