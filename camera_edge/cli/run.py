"""`camera-edge run`: the appliance. Ends on SIGTERM or Ctrl-C, with every clip finished."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from camera_edge.cli.app import app


@app.command()
def run(
    config: Annotated[Path, typer.Option("-c", "--config", metavar="FILE", help="The YAML file.")],
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Log more.")] = False,
) -> None:
    """Run the hub and one worker for each camera, until SIGTERM or Ctrl-C."""
    from camera_edge.cli.news import Teller
    from camera_edge.cli.talk import log_to_stderr
    from camera_edge.config import load
    from camera_edge.hub import Hub, run_until_signal

    loaded = load(config)
    _check_in_child(config)
    log_to_stderr(logging.INFO if verbose else logging.WARNING)
    asyncio.run(run_until_signal(Hub(loaded, on_news=Teller(loaded.state).tell)))


def _check_in_child(config: Path) -> None:
    """Modules and models are looked up by a child: the hub itself loads no library that handles pixels.

    A module that was damaged on the disk holds up the cameras that name it, and no other.
    """
    command = [sys.executable, "-m", "camera_edge", "check", "-c", str(config), "--json", "--before-start"]
    checked = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    if checked.returncode:
        raise typer.Exit(checked.returncode)
