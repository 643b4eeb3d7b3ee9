"""`camera-edge worker`: one camera's process. The hub starts it; it is of no use by hand."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from camera_edge.cli.app import app


@app.command(hidden=True)
def worker(
    camera: Annotated[str, typer.Argument(metavar="CAMERA")],
    link_fd: Annotated[int, typer.Option("--link-fd", help="The inherited socket to the hub.")],
) -> None:
    """Run one camera for the hub that started this process."""
    from camera_edge.worker.main import run_worker

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format=f"{camera} %(name)s %(message)s")
    raise typer.Exit(run_worker(link_fd))
