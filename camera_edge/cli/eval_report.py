"""Prints the figures of a suite as tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Column, Table

from camera_edge.cli.talk import show


def print_outcome(document: Mapping[str, Any]) -> None:
    _PRINTERS[document["suite"]](document)


def _change(document: Mapping[str, Any]) -> None:
    table = _table("recording", "method", "F", "precision", "recall", "PWC %", "ms a frame")
    parts: list[tuple[str, Mapping[str, Any]]] = [(each["name"], each) for each in document["recordings"]]
    if len(parts) > 1:
        parts.append(("mean of all", document))
    for name, part in parts:
        methods = {"motion (sandbox)": part, **{f"{key} (native)": each for key, each in part["baselines"].items()}}
        for method, score in methods.items():
            values = [score[key] for key in ("f", "precision", "recall", "pwc", "ms_per_frame")]
            table.add_row(escape(name), method, *map(_number, values))
        if "timing" in part:
            table.add_row("", "whole pipeline", "", "", "", "", _number(part["timing"]["pipeline_ms_per_frame"]))
    show.print(table)


def _table(*names: str) -> Table:
    """The first two columns are texts, the others numbers."""
    return Table(*(Column(name, justify="left" if at < 2 else "right", no_wrap=True) for at, name in enumerate(names)))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


_PRINTERS = {"change": _change}
