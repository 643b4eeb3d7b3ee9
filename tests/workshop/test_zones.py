"""A zone that is taken here is one that a camera's configuration would take."""

from __future__ import annotations

import pytest

from camera_edge.errors import UsageError
from camera_edge.rules import Polygon
from camera_edge.workshop.zones import Point, read_zones

CORNERS: list[Point] = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]


def test_zones_keep_their_names_and_order() -> None:
    assert read_zones({"gate": CORNERS, "9-a_b": CORNERS}) == dict.fromkeys(["gate", "9-a_b"], Polygon(tuple(CORNERS)))
    assert list(read_zones({"b": CORNERS, "a": CORNERS})) == ["b", "a"]


@pytest.mark.parametrize("name", ["", "Gate", "gate\n", "a\nb", "a b", "-a", "a" * 64])
def test_a_name_that_a_configuration_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_zones({name: CORNERS})
    assert repr(name) in caught.value.message and caught.value.hint is not None


@pytest.mark.parametrize(
    "corners",
    [CORNERS[:2], CORNERS * 22, [*CORNERS, (0.0, 1.1)], [*CORNERS, (-0.1, 0.0)], [*CORNERS, (float("nan"), 0.0)]],
    ids=["two", "too many", "beyond", "before", "no number"],
)
def test_corners_that_a_configuration_does_not_take_are_refused(corners: list[Point]) -> None:
    with pytest.raises(UsageError, match="zone 'gate'"):
        read_zones({"gate": corners})
