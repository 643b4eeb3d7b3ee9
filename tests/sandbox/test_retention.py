from __future__ import annotations

import pytest

from camera_edge.sandbox.capability import Capabilities
from camera_edge.sandbox.retention import Held, surplus
from camera_edge.sandbox.version import ModuleVersion


def held(version: str, *asks: str, withheld: bool = False) -> Held:
    return Held(ModuleVersion.read(version), Capabilities.read(asks, where="test"), withheld)


def gone(*there: Held) -> list[str]:
    return [version.text for version in surplus(there)]


def with_older(older: Held, *asks: str) -> list[str]:
    """What goes where four newer ones ask for this."""
    return gone(*(held(f"2.{number}", *asks) for number in range(4, 0, -1)), older)


@pytest.mark.parametrize(
    ("older", "newer", "goes"),
    [
        ("pixels", "pixels", True),
        ("pixels state:9", "pixels state:9", True),
        ("pixels state:10", "pixels state:9", True),
        ("pixels state:9", "pixels state:10", False),
        ("pixels", "pixels state:1", False),
        ("pixels nn.load", "pixels", True),
        ("pixels", "pixels nn.load", False),
        ("pixels onnx:a onnx:b", "pixels onnx:b", True),
        ("pixels onnx:a", "pixels onnx:b", False),
        ("pixels onnx:*", "pixels onnx:a", False),
        ("pixels onnx:a", "pixels onnx:*", False),
    ],
)
def test_an_older_version_goes_where_newer_ones_ask_for_no_more(older: str, newer: str, goes: bool) -> None:
    assert with_older(held("1.0", *older.split()), *newer.split()) == (["1.0"] if goes else [])


def test_what_is_damaged_goes_beyond_four_and_stands_in_for_nothing() -> None:
    damaged = [Held(ModuleVersion.read(f"2.{number}"), None) for number in range(5, 0, -1)]
    assert gone(*damaged, held("1.0", "pixels")) == ["2.1"]


def test_what_is_withheld_goes_like_any_other_and_stands_in_for_nothing() -> None:
    withheld = [held(f"2.{number}", "pixels", withheld=True) for number in range(4, 0, -1)]
    assert gone(*withheld, held("1.0", "pixels")) == []
    assert gone(held("3.0", "pixels"), *withheld) == ["2.1"]


def test_beyond_sixteen_the_oldest_goes_whatever_it_asks_for() -> None:
    assert gone(*(held(f"1.{number}", f"state:{number}") for number in range(18, 0, -1))) == ["1.2", "1.1"]
