"""`camera-edge doctor`: says what this machine has, what it lacks, and what that means."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from camera_edge.cli.app import app


@app.command()
def doctor(
    state: Annotated[Path | None, typer.Option("--state", metavar="DIR", help="State folder.")] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """Look at kernel, libraries, analyzers, models and disk. Exit code 70 where something must be mended."""
    from dataclasses import asdict

    from camera_edge.cli.checkup import Verdict, checkup
    from camera_edge.cli.talk import put_json, show
    from camera_edge.config import DEFAULT_STATE

    findings = checkup((state or DEFAULT_STATE).expanduser())
    if json:
        put_json([asdict(finding) for finding in findings])
    else:
        colours = {Verdict.GOOD: "green", Verdict.LESS: "yellow", Verdict.BAD: "red"}
        for finding in findings:
            show.print(
                f"[{colours[finding.verdict]}]{finding.verdict.value:>4}[/]  [bold]{finding.about}[/]: {finding.text}"
            )
    if any(finding.verdict is Verdict.BAD for finding in findings):
        raise typer.Exit(70)
