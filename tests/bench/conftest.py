from __future__ import annotations

import numpy as np
import pytest

from camera_edge.picture import Picture
from camera_edge.sandbox import Cache, Runtime


@pytest.fixture(scope="session")
def runtime() -> Runtime:
    return Runtime()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("compiled") / "cache")


@pytest.fixture(scope="session")
def picture() -> Picture:
    """Noise, 640 x 360."""
    gray = np.random.default_rng(3).integers(16, 235, (360, 640)).astype(np.uint8)
    chroma = np.full((180, 320), 128, np.uint8)
    return Picture(gray, chroma, chroma, lambda: np.repeat(gray[:, :, np.newaxis], 3, axis=2))
