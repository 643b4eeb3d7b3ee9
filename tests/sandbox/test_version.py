from __future__ import annotations

import itertools

import pytest

from camera_edge.errors import ModuleError
from camera_edge.sandbox.version import ModuleVersion

ASCENDING = (
    "0.0.1",
    "0.9.9",
    "0.10",
    "1.0.0-1",
    "1.0.0-2",
    "1.0.0-10",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-rc.2",
    "1.0.0-rc.11",
    "1",
    "1.0.0.1",
    "1.2",
    "1.10",
    "2",
    "999999999",
)


def test_versions_are_ordered_by_number_and_a_release_comes_after_its_pre_releases() -> None:
    read = [ModuleVersion.read(text) for text in ASCENDING]
    assert sorted(reversed(read)) == read
    assert all(one < other for one, other in itertools.pairwise(read))


def test_missing_numbers_count_as_zero() -> None:
    assert ModuleVersion.read("1") == ModuleVersion.read("1.0.0.0")
    assert ModuleVersion.read("1.0-rc.1") == ModuleVersion.read("1.0.0-rc.1")


@pytest.mark.parametrize(
    "text",
    ["", "v1", "1.", ".1", "01", "1.02", "1.2.3.4.5", "1-", "1-a..b", "1-01", "1+build", "1.0 ", "1.0\n", "one", "1_0"]
    + ["1000000000", "١", "1-é", "../1", "1/2", "9" * 65],
)
def test_what_cannot_be_ordered_is_refused(text: str) -> None:
    with pytest.raises(ModuleError, match="cannot be ordered") as caught:
        ModuleVersion.read(text, where="a")
    assert caught.value.hint is not None and "1.4.0" in caught.value.hint
