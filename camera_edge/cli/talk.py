"""What a command says to people: on stderr, so that stdout carries data alone."""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape

from camera_edge.errors import CameraEdgeError, OutputError

talk = Console(stderr=True, highlight=False, soft_wrap=True)
# a table that goes into a file or a pipe is not cut to the width of a terminal
show = Console(highlight=False, width=None if sys.stdout.isatty() else 250)


def complain(error: CameraEdgeError) -> None:
    """One error: what and where on the first line, the next step on the second."""
    where = f"{error.where}: " if error.where else ""
    talk.print(f"[bold red]error:[/] {escape(where + error.message)}")
    if error.hint:
        talk.print(f"  [bold]next:[/] {escape(error.hint)}")


def put_json(value: Any) -> None:
    """One JSON value as one line on stdout, at once: who reads a pipe need not wait, and is found gone here."""
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
    try:
        sys.stdout.write(line)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as exc:
        # what is still buffered would fail again when the interpreter ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(
            f"cannot be written: {exc.strerror}", where="standard output", hint="free some space where it goes"
        ) from exc


def log_to_stderr(level: int = logging.INFO) -> None:
    """Constant text with key=value pairs, one line a change of state."""
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True
    )
