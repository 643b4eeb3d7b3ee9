"""`camera-edge eval`: holds what the pipeline says of labelled recordings against what people know of them.

Invariant: figures are on stdout alone: one JSON object, or a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from camera_edge.cli.app import app
from camera_edge.errors import OutputError, UsageError


class Suite(StrEnum):
    CHANGE = "change"
    PEOPLE = "people"
    NORMALITY = "normality"
    EVENTS = "events"
    TAMPER = "tamper"


@app.command("eval")
def evaluate(
    suite: Annotated[Suite, typer.Argument(help="What is to be measured.")],
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Recordings with ground truth, or a folder of such.")
    ],
    train: Annotated[
        Path | None, typer.Option("--train", metavar="DIR", help="Recordings of what is usual, for `normality`.")
    ] = None,
    model: Annotated[str, typer.Option("--model", metavar="NAME", help="The detector.")] = "yolox_nano",
    state: Annotated[
        Path | None, typer.Option("--state", metavar="DIR", help="The state folder that holds added models.")
    ] = None,
    plots: Annotated[
        Path | None, typer.Option("--plots", metavar="DIR", help="Write curves and failures there, as SVG.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Measure an analyzer on recordings with ground truth, beside native baselines in the same run."""
    from camera_edge.cli.cache import module_cache
    from camera_edge.cli.eval_report import print_outcome
    from camera_edge.cli.talk import put_json, talk
    from camera_edge.config import DEFAULT_STATE
    from camera_edge.eval.replay import Site
    from camera_edge.eval.suites import SUITES, Order
    from camera_edge.worker.plan import Supply

    if train is not None and suite is not Suite.NORMALITY:
        raise UsageError(f"{suite} learns from nothing", hint=f"leave out --train, or measure {Suite.NORMALITY}")
    if plots is not None:
        _make(plots)
    supply = Supply.of((state or DEFAULT_STATE).expanduser())
    with module_cache() as sandboxing:
        site = Site(sandboxing, supply, lambda step: talk.print(f"[dim]{step}[/]"))
        outcome = SUITES[suite](Order(data, train, model, site))
    if plots is not None:
        _write(plots, outcome.pictures())
    if json:
        put_json(outcome.document)
    else:
        print_outcome(outcome.document)


def _make(folder: Path) -> None:
    """Before minutes of measuring."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise OutputError(
            f"cannot be made: {exc.strerror}", where=str(folder), hint="give a folder that you may write to"
        ) from exc


def _write(folder: Path, pictures: Mapping[str, str]) -> None:
    try:
        for name, picture in pictures.items():
            (folder / f"{name}.svg").write_text(picture + "\n", encoding="utf-8")
    except OSError as exc:
        raise OutputError(
            f"cannot be written: {exc.strerror}", where=str(folder), hint="give a folder that you may write to"
        ) from exc
