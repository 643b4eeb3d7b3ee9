from __future__ import annotations

import pytest

from camera_edge.sandbox import Cache, Runtime
from tests.sandbox.hostile.yard import Account, baseline


@pytest.fixture(scope="session")
def tools(runtime: Runtime, cache: Cache) -> tuple[Runtime, Cache]:
    return runtime, cache


@pytest.fixture(scope="session")
def truth(tools: tuple[Runtime, Cache]) -> list[tuple[Account, Account]]:
    """What the good modules say where nobody is beside them."""
    return baseline(*tools)
