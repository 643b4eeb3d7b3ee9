"""`camera-edge events`: reads the store of an appliance, also while it runs."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from camera_edge.errors import OutputError, UsageError

if TYPE_CHECKING:
    from camera_edge.store import EventRow, Store

app = typer.Typer(help="Events and their clips.", no_args_is_help=True)

StateOption = Annotated[
    Path | None, typer.Option("--state", metavar="DIR", help="State folder [default: ~/.local/state/camera-edge].")
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


@app.command("list")
def list_events(
    camera: Annotated[str | None, typer.Option(help="Only this camera.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 50,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """List events, the newest first."""
    from rich.table import Table

    from camera_edge.cli.talk import put_json, show, talk

    with _store(state) as store:
        rows = store.events(limit=limit, camera=camera, kind=kind)
    if json:
        for row in rows:
            put_json(as_json(row))
        return
    if not rows:
        talk.print("no events yet")
        return
    table = Table("opened (UTC)", "camera", "kind", "score", "seconds", "state", "clip", "id", box=None)
    for row in rows:
        table.add_row(*_cells(row))
    show.print(table)


@app.command("show")
def show_event(
    event_id: Annotated[str, typer.Argument(metavar="ID")], state: StateOption = None, json: JsonOption = False
) -> None:
    """Show one event and where its files are."""
    from camera_edge.cli.talk import put_json, show

    with _store(state) as store:
        row = _event(store, event_id)
    if json:
        put_json(as_json(row))
        return
    for key, value in as_json(row).items():
        show.print(f"[bold]{key:>14}[/]  {value}")


@app.command()
def export(
    event_id: Annotated[str, typer.Argument(metavar="ID")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the copies go.")],
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Copy the clip, snapshot and metadata of an event, each compared with its SHA-256."""
    from camera_edge.cli.talk import put_json, talk
    from camera_edge.store import ClipState

    folder = _folder(state)
    with _store(state) as store:
        row = _event(store, event_id)
    if row.clip is None:
        raise OutputError(f"event {event_id} has no clip", hint="`events show` says in what state it is")
    if row.clip.state is not ClipState.STORED:
        raise OutputError(f"the clip of event {event_id} is {row.clip.state.value}", hint="only its row is left")
    copies = []
    for file in row.clip.files:
        source = folder / file.path
        target = out / source.name
        _copy_checked(source, target, file.sha256)
        copies.append(str(target))
        talk.print(f"{target}  sha256 {file.sha256}")
    if json:
        put_json({"id": event_id, "files": copies})


def as_json(row: EventRow) -> dict[str, Any]:
    """One event as scripts read it."""
    from camera_edge.clock import iso_utc

    event, clip = row.event, row.clip
    return {
        "id": event.id,
        "camera": event.camera,
        "rule": event.rule,
        "kind": event.kind,
        "analyzer": event.analyzer,
        "score": event.score,
        "state": row.state.value,
        "opened_utc": iso_utc(row.opened_utc_ns),
        "closed_utc": iso_utc(row.closed_utc_ns) if row.closed_utc_ns is not None else None,
        "opened_s": event.opened_us / 1e6,
        "closed_s": event.closed_us / 1e6 if event.closed_us is not None else None,
        "zones": list(event.zones),
        "tracks": list(event.tracks),
        "why": event.why,
        "box": list(event.box.sides) if event.box is not None else None,
        "clip_state": clip.state.value if clip else None,
        "clip": clip.clip.path if clip and clip.clip else None,
        "snapshot": clip.snapshot.path if clip and clip.snapshot else None,
        "metadata": clip.metadata.path if clip else None,
    }


def _cells(row: EventRow) -> list[str]:
    event = as_json(row)
    seconds = f"{event['closed_s'] - event['opened_s']:.1f}" if event["closed_s"] is not None else ""
    where = event["clip"] if event["clip_state"] == "stored" else event["clip_state"]
    return [
        str(cell or "")
        for cell in (
            event["opened_utc"],
            event["camera"],
            event["kind"],
            f"{event['score']:.2f}",
            seconds,
            event["state"],
            where,
            event["id"],
        )
    ]


def _folder(state: Path | None) -> Path:
    from camera_edge.config import DEFAULT_STATE

    return (state or DEFAULT_STATE).expanduser().absolute()


def _store(state: Path | None) -> Store:
    from camera_edge.store import Store

    return Store.open_to_read(_folder(state))


def _event(store: Store, event_id: str) -> EventRow:
    row = store.event(event_id)
    if row is None:
        raise UsageError(f"there is no event {event_id}", hint="`camera-edge events list` names them")
    return row


def _copy_checked(source: Path, target: Path, sha256: str) -> None:
    import hashlib

    partial = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, partial)
        with partial.open("rb") as copied:
            found = hashlib.file_digest(copied, "sha256").hexdigest()
        if found != sha256:
            raise OutputError("its content is not what was stored", where=str(source), hint="do not rely on this clip")
        partial.replace(target)
    except OSError as exc:
        raise OutputError(
            f"cannot be copied to {target.parent}: {exc.strerror}",
            where=str(source),
            hint="make sure that it exists and that --out can be written",
        ) from exc
    finally:
        # gone where the copy is whole
        with suppress(OSError):
            partial.unlink(missing_ok=True)
