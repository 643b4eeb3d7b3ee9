"""`scripts/results`: the page says what the figures beside it say, and its pictures are drawn ones."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from scripts.page.__main__ import PAGE, PICTURES, RESULTS, main, read
from scripts.page.figures import wanted
from scripts.page.tables import TABLES, filled

LINK = re.compile(r"\]\((results/[^)]+\.svg)\)")
PICTURES_BYTES_MAX = 400_000


@pytest.fixture(scope="module")
def documents() -> dict[str, Any]:
    return dict(read(RESULTS))


def test_every_figure_of_the_page_is_that_of_the_run(documents: dict[str, Any]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page, documents) == page, "run scripts/results --tables"
    assert sorted(re.findall(r"<!-- table: (\w+) -->", page)) == sorted(TABLES)


def test_the_page_shows_every_picture_and_none_holds_footage() -> None:
    shown = LINK.findall(PAGE.read_text(encoding="utf-8"))
    kept = [f"results/{path.name}" for path in RESULTS.glob("*.svg")]
    chosen = [f"results/{name}.svg" for names in PICTURES.values() for name in names]
    assert sorted(shown) == sorted(kept) == sorted(chosen)
    pictures = [path.read_text(encoding="utf-8") for path in RESULTS.glob("*.svg")]
    assert not any("<image" in each or "data:" in each for each in pictures)
    assert len(pictures) <= 12 and sum(map(len, pictures)) <= PICTURES_BYTES_MAX


def test_what_stands_outside_of_the_markers_is_kept_and_a_table_that_is_none_is_an_error(
    documents: dict[str, Any],
) -> None:
    page = "before\n<!-- table: machine -->\nold\n<!-- end -->\nafter\n"
    lines = filled(page, documents).splitlines()
    assert (lines[0], lines[1], lines[-2], lines[-1]) == ("before", "<!-- table: machine -->", "<!-- end -->", "after")
    assert "old" not in lines
    with pytest.raises(KeyError):
        filled("<!-- table: luck -->\n<!-- end -->", documents)


@pytest.mark.parametrize(("f", "verdict"), [(0.96, "goal"), (0.93, "must"), (0.91, "**short**")])
def test_a_figure_is_held_against_what_was_asked_for(documents: dict[str, Any], f: float, verdict: str) -> None:
    changed = copy.deepcopy(documents)
    changed["change"]["recordings"][0]["f"] = f
    assert wanted(changed)[0].verdict == verdict


def test_a_false_alarm_before_the_person_falls_short(documents: dict[str, Any]) -> None:
    changed = copy.deepcopy(documents)
    changed["waving_trees"]["runs"] = {"native": [{"kind": "motion", "opened_s": 3.0, "closed_s": 4.0}]}
    (trees,) = [each for each in wanted(changed) if "trees" in each.figure]
    assert (trees.measured, trees.verdict) == ("1 at native", "**short**")


@pytest.mark.parametrize(
    ("arguments", "next_step"), [(["--only", "luck"], "scripts/results --help"), (["nowhere"], "name the folder")]
)
def test_what_cannot_be_measured_is_a_clear_error(
    arguments: list[str], next_step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 64
    assert next_step in capsys.readouterr().err
