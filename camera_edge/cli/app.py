"""The tree of commands. Each command's module is imported when it runs: a worker must start without numpy."""

from __future__ import annotations

import typer

app = typer.Typer(
    name="camera-edge",
    help="Turns a camera into an anomaly sensor: sandboxed analyzers in, redacted events out. Raw video never leaves.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)
