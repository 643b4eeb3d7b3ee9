"""Prints the figures of a suite as tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Column, Table

from camera_edge.cli.talk import show


def print_outcome(document: Mapping[str, Any]) -> None:
    PRINTERS[document["suite"]](document)


def _change(document: Mapping[str, Any]) -> None:
    table = _table("recording", "method", "F", "precision", "recall", "PWC %", "ms a frame")
    for name, part in _parts(document, "mean of all"):
        methods = {"motion (sandbox)": part, **{f"{key} (native)": each for key, each in part["baselines"].items()}}
        for method, score in methods.items():
            values = [score[key] for key in ("f", "precision", "recall", "pwc", "ms_per_frame")]
            table.add_row(escape(name), method, *map(_number, values))
        _add_pipeline(table, part)
    show.print(table)


def _people(document: Mapping[str, Any]) -> None:
    table = _table("recording", "method", "AP50", "best F1", "IDF1", "MOTA", "switches", "ms a frame")
    keys = ("ap50", "best_f1", "idf1", "mota", "switches", "ms_per_frame")
    for name, part in _parts(document, "all together"):
        table.add_row(escape(name), "objects (sandbox)", *(_number(part[key]) for key in keys))
        reported = [_number(part[key]) for key in ("ap50_reported", "best_f1_reported")]
        table.add_row(escape(name), "objects, as reported by default", *reported)
        for method, score in part["baselines"].items():
            table.add_row(escape(name), escape(method), *(_number(score.get(key)) for key in keys))
        _add_pipeline(table, part)
    show.print(table)


def _events(document: Mapping[str, Any]) -> None:
    table = _table("recording", "judged", "precision", "recall", "found", "missed", "false", "delay s", "latest s")
    keys = ("precision", "recall", "found", "missed", "false", "delay_s", "delay_max_s")
    for name, part in _parts(document, "all together"):
        for judged, verdict in part["judged"].items():
            table.add_row(escape(name), escape(judged), *(_number(verdict[key]) for key in keys))
    table.add_row("all together", "all", *(_number(document[key]) for key in keys))
    show.print(table)


def _normality(document: Mapping[str, Any]) -> None:
    table = _table("what", "of", "AUC micro", "AUC min-max", "AUC revised", "EER", "ms a frame")
    keys = ("auc_micro", "auc_minmax", "auc_micro_revised", "eer", "ms_per_frame")
    for name, variant in document["variants"].items():
        table.add_row("all clips", name, *(_number(variant[key]) for key in keys))
    table.add_row("", "whole pipeline", "", "", "", "", _number(document["pipeline_ms_per_frame"]))
    for clip in document["recordings"]:
        of = f"{clip['unusual']} of {clip['frames']} frames unusual"
        table.add_row(escape(clip["name"]), of, _number(clip["auc"]), "", "", _number(clip["eer"]), "")
    show.print(table)
    if document["unmeasured"]:
        show.print(f"labelled, and not there: {', '.join(document['unmeasured'])}")


def _tamper(document: Mapping[str, Any]) -> None:
    kinds = _table("tampering", "", "found", "missed", "named", "delay s", "latest s")
    for name, kind in document["kinds"].items():
        kinds.add_row(name, "", *(_number(kind[key]) for key in ("found", "missed", "named", "delay_s", "delay_max_s")))
    kinds.add_row("all", "", *(_number(document[key]) for key in ("found", "missed")), "", _number(document["delay_s"]))
    show.print(kinds)
    clips = _table("recording", "false alarms, untouched", "seconds", "found", "missed", "early", "ms a frame")
    for each in document["recordings"]:
        false = ", ".join(f"{one['what']} at {one['opened_s']:.1f} s" for one in each["false"]) or "none"
        found = sum(trial["delay_s"] is not None for trial in each["trials"])
        early = sum(trial["early"] for trial in each["trials"])
        counts = [str(found), str(len(each["trials"]) - found), str(early)]
        clips.add_row(escape(each["name"]), false, _number(each["seconds"]), *counts, _number(each["ms_per_frame"]))
    show.print(clips)
    show.print(f"{_number(document['false_per_hour'])} false an hour, of {document['hours_untouched']:.2f} hours")


def _parts(document: Mapping[str, Any], overall: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Each recording by name, and where there are several the whole."""
    parts = [(each["name"], each) for each in document["recordings"]]
    return parts if len(parts) == 1 else [*parts, (overall, document)]


def _add_pipeline(table: Table, part: Mapping[str, Any]) -> None:
    if "timing" in part:
        empty = [""] * (len(table.columns) - 3)
        table.add_row("", "whole pipeline", *empty, _number(part["timing"]["pipeline_ms_per_frame"]))


def _table(*names: str) -> Table:
    """The first two columns are texts, the others numbers."""
    return Table(*(Column(name, justify="left" if at < 2 else "right", no_wrap=True) for at, name in enumerate(names)))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


PRINTERS = {"change": _change, "people": _people, "events": _events, "normality": _normality, "tamper": _tamper}
