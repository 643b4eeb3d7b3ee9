"""`camera-edge learn`: makes a state file of recordings in which nothing unusual happens.

Invariant: the file is whole or not there; it can be read by its owner alone, for it holds the empty scene.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from camera_edge.cli.app import app
from camera_edge.errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from camera_edge.worker.lessons import Learned, LessonStep, Recording

OWNER_ALONE = 0o600


@app.command()
def learn(
    analyzer: Annotated[str, typer.Argument(metavar="ANALYZER", help="What learns: `normality`.")],
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Recordings of one camera, usual days.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the state goes.")],
    rate: Annotated[str, typer.Option(metavar="FPS|native", help="Analysed frames a second.")] = "native",
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """Learn from recordings what is usual; `analyze --analyzer normality:state=FILE` then reports what is not."""
    from camera_edge.cli.cache import module_cache
    from camera_edge.cli.report import make_folder
    from camera_edge.cli.stopping import end_by_signals
    from camera_edge.cli.talk import put_json, talk

    if analyzer != "normality":
        raise UsageError(f"the analyzer {analyzer!r} learns nothing", hint="use `camera-edge learn normality`")
    recordings = [_recording(source, rate) for source in sources]
    if out.is_dir():
        raise OutputError("is a folder", where=str(out), hint="give the name of a file")
    # found before hours of work
    make_folder(out.parent)
    end_by_signals()
    with module_cache() as sandboxing:
        from camera_edge.worker.lessons import teach

        learned = _follow(teach(recordings, sandboxing), recordings)
    _write(out, learned.state)
    if json:
        put_json(
            {
                "state": str(out),
                "bytes": len(learned.state),
                "frames": learned.frames,
                "recordings": learned.recordings,
            }
        )
        return
    talk.print(
        f"{out}: learned from {learned.frames} frames of {learned.recordings} recording(s), "
        f"{len(learned.state) / 1e6:.1f} MB; use it with --analyzer normality:state={out}",
        markup=False,
    )


def _recording(source: str, rate: str) -> Recording:
    from pydantic import ValidationError

    from camera_edge.cli.analyze import address_of, parsed_rate
    from camera_edge.config import CameraConfig
    from camera_edge.worker.lessons import Recording

    address = address_of(source)
    try:
        settings = CameraConfig.model_validate({"source": address, "rate": parsed_rate(rate)}).settings()
    except ValidationError as exc:
        raise UsageError(str(exc.errors()[0]["msg"]), hint="see `camera-edge check --schema`") from None
    return Recording(address, settings)


def _follow(steps: Iterator[LessonStep | Learned], recordings: Sequence[Recording]) -> Learned:
    """Shows the way through all passes; returns what was learned."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from camera_edge.cli.talk import talk
    from camera_edge.worker.lessons import PASSES, Learned, LessonStep

    total = len(PASSES) * len(recordings)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[frames]} frames"),
        TimeElapsedColumn(),
        console=talk,
        transient=True,
        disable=not (sys.stderr.isatty() and talk.is_interactive),
        redirect_stdout=False,
        redirect_stderr=False,
    )
    frames = 0
    with bar:
        task = bar.add_task("", total=total, frames=0)
        for news in steps:
            if isinstance(news, Learned):
                return news
            assert isinstance(news, LessonStep)
            frames += 1
            done = news.step * len(recordings) + news.recording
            bar.update(task, description=PASSES[news.step], completed=done, frames=frames)
    raise AssertionError("the lessons end with what was learned")


def _write(out: Path, state: bytes) -> None:
    from camera_edge.durable import write_durably

    try:
        write_durably(out, state, mode=OWNER_ALONE)
    except OSError as exc:
        raise OutputError(
            f"cannot be written: {exc.strerror}", where=str(out), hint="free some space, or give another file"
        ) from exc
