"""The tables of RESULTS.md, made from the documents of the suites, and put into the page between markers.

    <!-- table: people -->
    ...
    <!-- end -->

Invariant: pure; the same documents give the same text, and what stands outside of the markers is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from scripts.page.figures import WAVING_TREES, Document, Documents, wanted

_PLACE = re.compile(r"<!-- table: (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def filled(page: str, documents: Documents) -> str:
    """The page with each of its tables made anew. Raises KeyError where it asks for one that there is not."""
    return _PLACE.sub(lambda found: f"<!-- table: {found[1]} -->\n{TABLES[found[1]](documents)}\n<!-- end -->", page)


def _wanted(documents: Documents) -> str:
    rows = [(each.suite, each.figure, each.must, each.goal, each.measured, each.verdict) for each in wanted(documents)]
    return _table(("suite", "figure", "must", "goal", "measured", "reached"), rows)


def _machine(documents: Documents) -> str:
    machine = documents["machine"]
    return (
        f"Measured on {machine['cores']} cores of {machine['cpu']} ({machine['system']}), Python {machine['python']}."
    )


def _change(documents: Documents) -> str:
    keys = ("f", "precision", "recall", "pwc", "ms_per_frame")
    rows = []
    for each in documents["change"]["recordings"]:
        methods = {
            "`motion`, in the sandbox": each,
            **{f"{name}, native": one for name, one in each["baselines"].items()},
        }
        rows += [(each["name"], method, *_numbers(score, keys)) for method, score in methods.items()]
    return _table(("recording", "method", "F", "precision", "recall", "PWC %", "ms a frame"), rows)


def _people(documents: Documents) -> str:
    keys = ("ap50", "best_f1", "idf1", "mota", "misses", "false", "switches", "ms_per_frame")
    rows = []
    for each in documents["people"]["recordings"]:
        rows.append((each["name"], "`objects`, in the sandbox", *_numbers(each, keys)))
        rows += [(each["name"], name, *_numbers(one, keys)) for name, one in each["baselines"].items()]
    names = ("AP50", "best F1", "IDF1", "MOTA", "missed", "too much", "other number", "ms a frame")
    return _table(("recording", "method", *names), rows)


def _normality(documents: Documents) -> str:
    keys = ("auc_micro", "eer", "auc_minmax", "auc_micro_revised", "ms_per_frame")
    rows = [(f"`{name}`", *_numbers(each, keys)) for name, each in documents["normality"]["variants"].items()]
    names = ("AUC micro, causal", "equal error rate", "AUC min-max", "AUC micro, revised", "ms a frame")
    return _table(("channel", *names), rows)


def _normality_clips(documents: Documents) -> str:
    clips = documents["normality"]["recordings"]
    names = list(documents["normality"]["variants"])
    rows = [
        (each["name"], f"{each['unusual']} of {each['frames']}", *_numbers(each["auc_by_variant"], names))
        for each in clips
    ]
    return _table(("clip", "unusual frames", *(f"`{name}`" for name in names)), rows)


def _learned(documents: Documents) -> str:
    learned = documents["normality"]["learned"]
    size = learned["state_bytes"] / 1024
    return (
        f"Learned from {learned['recordings']} recordings in {learned['seconds']:.0f} s; the state has {size:.0f} KiB."
    )


def _events(documents: Documents) -> str:
    keys = ("found", "missed", "false", "delay_s", "delay_max_s")
    rows = [
        (each["name"].rpartition("/")[2], judged, *_numbers(verdict, keys))
        for each in documents["events"]["recordings"]
        for judged, verdict in each["judged"].items()
    ]
    return _table(("recording", "judged", "found", "missed", "false", "mean delay s", "latest s"), rows)


def _tamper(documents: Documents) -> str:
    keys = ("found", "missed", "named", "delay_s", "delay_max_s")
    rows = [(name, *_numbers(each, keys)) for name, each in documents["tamper"]["kinds"].items()]
    return _table(("kind", "found", "missed", "called by its name", "mean delay s", "latest s"), rows)


def _quiet(documents: Documents) -> str:
    document = documents["tamper"]
    false = [f"{each['name']} ({len(each['false'])})" for each in document["recordings"] if each["false"]]
    early = [
        f"{each['name']}, before `{one['kind']}`"
        for each in document["recordings"]
        for one in each["trials"]
        if one["early"]
    ]
    minutes = f"{document['hours_untouched'] * 60:.1f} minutes"
    rate = f"{document['false_per_hour']:.1f} an hour"
    return f"False alarms in {minutes} that nobody tampered with: {', '.join(false + early) or 'none'} ({rate})."


def _trees(documents: Documents) -> str:
    rows = [
        (rate, ", ".join(f"{each['kind']} at {each['opened_s']:.1f} s" for each in events) or "none")
        for rate, events in documents[WAVING_TREES]["runs"].items()
    ]
    return _table(("rate", "events of `motion` and `tamper`"), rows)


def _numbers(score: Document, keys: Iterable[str]) -> list[str]:
    return [_number(score.get(key)) for key in keys]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


TABLES: Mapping[str, Callable[[Documents], str]] = {
    "wanted": _wanted,
    "machine": _machine,
    "change": _change,
    "people": _people,
    "normality": _normality,
    "normality_clips": _normality_clips,
    "learned": _learned,
    "events": _events,
    "tamper": _tamper,
    "quiet": _quiet,
    "trees": _trees,
}
