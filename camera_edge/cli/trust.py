"""`camera-edge analyzer trust`: the public keys whose analyzers may be installed and run.

Invariant: what a command changes takes effect for modules that run at their next start, or when the hub looks again.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from camera_edge.cli.standing import Standing, look, sentences
from camera_edge.errors import UsageError

if TYPE_CHECKING:
    from camera_edge.packages import PublicKey
    from camera_edge.sandbox.shelf import Shelf

app = typer.Typer(help="Public keys whose analyzers may be installed and run.", no_args_is_help=True)

StateOption = Annotated[
    Path | None, typer.Option("--state", metavar="DIR", help="State folder [default: ~/.local/state/camera-edge].")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON value on stdout.")]


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="A public key in PEM.", metavar="KEY.pub")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What you call its owner.")],
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Trust a key. Compare its fingerprint with its owner over another way first."""
    from camera_edge.cli.talk import put_json, talk
    from camera_edge.packages import TrustStore
    from camera_edge.sandbox.trusted import read_key

    key = TrustStore(open_shelf(state)).add(read_key(file), name, where=str(file))
    if json:
        put_json(_as_json(key))
    talk.print(f"[bold]{key.name}[/] is trusted, fingerprint sha256 {key.fingerprint}")
    talk.print("  what it signed can be installed: camera-edge analyzer install PACKAGE")


@app.command("list")
def list_keys(state: StateOption = None, json: JsonOption = False) -> None:
    """List the trusted keys and the revoked digests."""
    from rich.table import Column, Table

    from camera_edge.cli.talk import put_json, show, talk
    from camera_edge.packages import TrustStore

    trust = TrustStore(open_shelf(state)).read()
    revoked = sorted(f"sha256:{digest}" for digest in trust.revoked)
    if json:
        put_json({"keys": [_as_json(key) for key in trust.keys], "revoked": revoked})
        return
    if not trust.keys:
        talk.print("no key is trusted: camera-edge analyzer trust add KEY.pub --name NAME")
    table = Table(Column("name", no_wrap=True), Column("fingerprint (sha256)", overflow="fold"))
    for key in trust.keys:
        table.add_row(key.name, key.fingerprint)
    if trust.keys:
        show.print(table)
    for digest in revoked:
        show.print(f"revoked {digest}")


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="The name you gave it.", metavar="NAME")],
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Trust a key no more: what it alone signed stays installed and may not run. Says what may instead."""
    from camera_edge.cli.talk import put_json, talk
    from camera_edge.packages import TrustStore

    shelf = open_shelf(state)
    before = look(shelf)
    TrustStore(shelf).remove(name)
    after = look(shelf)
    if json:
        put_json({"removed": name, **standing_json(before, after)})
    talk.print(f"[bold]{name}[/] is not trusted any more")
    tell(before, after)


def standing_json(before: Standing, after: Standing) -> dict[str, object]:
    """`withheld`: all that may not run; `may_run`: by name, what may where something was stopped; `damaged`."""
    return {"withheld": after.withheld, "may_run": after.may_run_since(before), "damaged": after.faults}


def tell(before: Standing, after: Standing) -> None:
    from rich.markup import escape

    from camera_edge.cli.talk import talk

    for sentence in sentences(before, after):
        talk.print(f"  {escape(sentence)}")
    warn(after.faults)


def warn(faults: Iterable[str]) -> None:
    """What stops nothing, and should be known."""
    from rich.markup import escape

    from camera_edge.cli.talk import talk

    for fault in faults:
        talk.print(f"[yellow]warning:[/] {escape(fault)}")


def open_shelf(state: Path | None) -> Shelf:
    """The shelf of a state folder, which need not be there yet. Raises UsageError where it is no folder."""
    from camera_edge.config import DEFAULT_STATE
    from camera_edge.sandbox.shelf import Shelf
    from camera_edge.settings import SHELF_FOLDER

    folder = (state or DEFAULT_STATE).expanduser()
    for path in (folder, folder / SHELF_FOLDER):
        if path.exists() and not path.is_dir():
            raise UsageError("this is no folder", where=str(path), hint="--state names the folder of a camera-edge")
    return Shelf(folder / SHELF_FOLDER)


def _as_json(key: PublicKey) -> dict[str, str]:
    return {"name": key.name, "fingerprint": key.fingerprint}
