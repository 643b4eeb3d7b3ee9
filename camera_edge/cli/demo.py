"""`camera-edge demo`: the whole appliance on a synthetic camera."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer

from camera_edge.cli.app import app


@app.command()
def demo(
    for_s: Annotated[float | None, typer.Option("--for", metavar="SECONDS", min=1, help="End after so long.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Keep events, clips and store here.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; 0: any free one.")] = 8080,
) -> None:
    """Run hub, worker, analyzers, clips and preview on a synthetic camera. Ctrl-C ends it."""
    import tempfile

    from camera_edge.cli.talk import log_to_stderr, talk

    log_to_stderr(logging.WARNING)
    if out is not None:
        _run(out.expanduser().absolute(), for_s, port)
        return
    with tempfile.TemporaryDirectory(prefix="camera-edge-demo-") as folder:
        talk.print("everything is deleted at the end; --out DIR keeps it")
        _run(Path(folder), for_s, port)


def _run(state: Path, for_s: float | None, port: int) -> None:
    from camera_edge.cli.news import Teller
    from camera_edge.cli.talk import talk
    from camera_edge.demo import demo_config
    from camera_edge.hub import Hub, run_until_signal

    teller = Teller(state)
    talk.print("a synthetic yard: walkers, shadows, changing light, somebody at the gate, a bag that is left there")
    talk.print("analyzer: motion. For people and vehicles add a detector: `camera-edge model add FILE.onnx`, then")
    talk.print("  grant it to `objects` as README.md shows")
    talk.print(f"state: {state}")
    asyncio.run(run_until_signal(Hub(demo_config(state, port), on_news=teller.tell), for_s))
    talk.print(f"{teller.events} events, {teller.clips} clips in {state / 'clips'}")
