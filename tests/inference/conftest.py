from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import onnx_bytes

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = REPOSITORY.parent / "shared" / "data"

OnnxWriter = Callable[..., bytes]


@pytest.fixture
def onnx() -> OnnxWriter:
    """Writes a model that gives back its one input: `onnx((1, 3, 8, 8), kind=1, name="picture")`."""
    return onnx_bytes.identity


@pytest.fixture
def catalogue_file() -> Path:
    return REPOSITORY / "models" / "catalogue.toml"


@pytest.fixture
def weights() -> Path:
    """The folder of public models, where the evaluation data is present."""
    folder = DATA / "models"
    if not folder.is_dir():
        pytest.skip(f"no evaluation data at {os.path.relpath(DATA, REPOSITORY)}")
    return folder
