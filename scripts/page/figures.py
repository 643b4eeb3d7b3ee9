"""The figures that were asked for, and what was measured of each.

Invariant: pure; a figure is read from the document of a suite as `camera-edge eval --json` prints it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
Documents = Mapping[str, Document]

WAVING_TREES = "waving_trees"
# the first frame in which someone is seen among the waving trees is 242, of 15 a second
PERSON_COMES_S = 16.1
LEFT_AND_REMOVED = "objects left and removed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`must`, `goal`: as asked for, in words; `reaches` says of the value, or the values, whether each is reached."""

    suite: str
    figure: str
    must: str
    goal: str
    measured: str
    must_reached: bool
    goal_reached: bool

    @property
    def verdict(self) -> str:
        return "goal" if self.goal_reached and self.must_reached else "must" if self.must_reached else "**short**"


def wanted(documents: Documents) -> list[Wanted]:
    """In the order of the issue."""
    parts: Iterable[Callable[[Documents], list[Wanted]]] = (
        _change,
        _people,
        _normality,
        _events,
        _tamper,
        _false_alarms,
    )
    return [each for part in parts for each in part(documents)]


def recording(document: Document, name: str) -> Document:
    """The part of the recording whose name contains `name`. Raises KeyError."""
    for each in document["recordings"]:
        if name in each["name"]:
            found: Document = each
            return found
    raise KeyError(name)


def _at_least(suite: str, figure: str, value: float, must: float, goal: float | None) -> Wanted:
    reached = value >= (must if goal is None else goal)
    goal_text = "" if goal is None else f"≥ {goal:g}"
    return Wanted(suite, figure, f"≥ {must:g}", goal_text, f"{value:.3f}", value >= must, reached)


def _change(documents: Documents) -> list[Wanted]:
    highway = recording(documents["change"], "highway")
    own_ms, mog2_ms = highway["ms_per_frame"], highway["baselines"]["mog2"]["ms_per_frame"]
    time = f"{own_ms:.2f} ms a frame (MOG2 {mog2_ms:.2f})"
    return [
        _at_least("change", "`cdnet_highway`, F", highway["f"], 0.92, 0.95),
        Wanted("change", "`cdnet_highway`, time", "", "≤ that of MOG2", time, True, own_ms <= mog2_ms),
    ]


def _people(documents: Documents) -> list[Wanted]:
    vtest = recording(documents["people"], "vtest")
    (native,) = vtest["baselines"].values()
    apart = abs(vtest["ap50"] - native["ap50"])
    ap50 = f"{vtest['ap50']:.3f} (natively {native['ap50']:.3f})"
    return [
        Wanted("people", "`vtest`, AP50", "within 0.005 of the model called natively", "", ap50, *[apart <= 0.005] * 2),
        _at_least("people", "`vtest`, IDF1", vtest["idf1"], 0.65, 0.8),
        _at_least("people", "`vtest`, MOTA", vtest["mota"], 0.7, 0.8),
    ]


def _normality(documents: Documents) -> list[Wanted]:
    document = documents["normality"]
    still = document["variants"]["motion=off"]
    fast = document["frames_per_second"] >= 60
    return [
        _at_least("normality", "Ped2 01-06, micro AUC, causal", document["auc_micro"], 0.985, 0.995),
        _at_least("normality", "the same, `motion=off`", still["auc_micro"], 0.85, 0.95),
        Wanted(
            "normality", "frames a second, one core", "≥ 60", "", f"{document['frames_per_second']:.0f}", fast, fast
        ),
    ]


def _events(documents: Documents) -> list[Wanted]:
    judged = documents["events"]["judged"]
    dwells, turns = judged["person"], judged[LEFT_AND_REMOVED]
    all_dwells = not dwells["missed"] and not dwells["false"]
    said = f"{turns['found']} of {turns['found'] + turns['missed']}, {turns['false']} false"
    return [
        Wanted(
            "events",
            "people at the table",
            "six of six dwells within 1 s",
            "all, none false",
            f"{dwells['found']} of {dwells['found'] + dwells['missed']}, {dwells['false']} false",
            not dwells["missed"],
            all_dwells,
        ),
        Wanted(
            "events",
            "bottles removed and put back",
            "each, at most one false",
            "all, none false",
            said,
            not turns["missed"] and turns["false"] <= 1,
            not turns["missed"] and not turns["false"],
        ),
    ]


def _tamper(documents: Documents) -> list[Wanted]:
    document = documents["tamper"]
    false = sum(len(each["false"]) + sum(one["early"] for one in each["trials"]) for each in document["recordings"])
    said = f"{document['found']} of {document['found'] + document['missed']}, {false} false"
    return [
        Wanted(
            "tamper",
            "each kind on each clip",
            "within 3 s",
            "no false alarm on any clip",
            said,
            not document["missed"],
            not false,
        )
    ]


def _false_alarms(documents: Documents) -> list[Wanted]:
    runs = documents[WAVING_TREES]["runs"]
    early = {rate: sum(each["opened_s"] < PERSON_COMES_S for each in events) for rate, events in runs.items()}
    trees = ", ".join(f"{count} at {rate}" for rate, count in early.items())
    cars = recording(documents["events"], "car-detection")["judged"]["tamper"]["false"]
    cars += len(recording(documents["tamper"], "car-detection")["false"])
    quiet = not any(early.values())
    return [
        Wanted("false alarms", "waving trees, before the person", "none", "", trees, quiet, quiet),
        Wanted("false alarms", "exposure dips of `car-detection`, `tamper`", "none", "", str(cars), not cars, not cars),
    ]
