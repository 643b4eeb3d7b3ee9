"""`camera-edge worker`: one camera's process. The hub starts it; it is of no use by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from camera_edge.cli.app import app


@app.command(hidden=True)
def worker(
    camera: Annotated[str, typer.Argument(metavar="CAMERA")],
    link_fd: Annotated[int, typer.Option("--link-fd", help="The inherited socket to the hub.")],
) -> None:
    """Run one camera for the hub that started this process."""
    from camera_edge.worker.main import main

    raise typer.Exit(main([camera, "--link-fd", str(link_fd)]))
