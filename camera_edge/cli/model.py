"""`camera-edge model`: adds models to the registry in the state folder, lists and shows them.

Invariant: numpy, OpenCV and onnxruntime are imported when a command runs, not when the tree of commands is built.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from camera_edge.inference import Contract, Entry, Model, Registry

app = typer.Typer(help="ONNX models that analyzers may be granted.", no_args_is_help=True)

StateOption = Annotated[
    Path | None, typer.Option("--state", metavar="DIR", help="State folder [default: ~/.local/state/camera-edge].")
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="An ONNX file.", metavar="FILE")],
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What configs call it.")] = None,
    contract: Annotated[
        Path | None, typer.Option("--contract", metavar="FILE", help="TOML; needed where the catalogue has none.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take the name from the model that has it.")] = False,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Copy a model in. Its SHA-256 must be in the catalogue, or a contract say what it takes and gives."""
    from camera_edge.cli.talk import put_json, talk

    model = _registry(state).add(file, name, _read_contract(contract), replace=replace)
    if json:
        put_json(_as_json(model))
    talk.print(f"added [bold]{model.name}[/] ({model.size_bytes} bytes, sha256 {model.sha256})")
    talk.print(f"  grant it to an analyzer: grant: \\[onnx:{model.name}]")


@app.command("list")
def list_models(
    known: Annotated[bool, typer.Option("--known", help="List the catalogue: what needs no contract.")] = False,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """List the models that were added or are shipped, or with --known those that the catalogue describes."""
    from camera_edge.cli.talk import put_json, talk

    if known:
        _list_known(json)
        return
    models = _registry(state).list()
    if json:
        put_json([_as_json(model) for model in models])
        return
    _print_models(models)
    if all(model.is_shipped for model in models):
        talk.print("no model was added yet; `camera-edge model list --known` names public ones")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A model's name.", metavar="NAME")],
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Show one model and compare its file with its SHA-256."""
    from camera_edge.cli.talk import put_json

    model = _registry(state).get(name)
    if json:
        put_json(_as_json(model))
        return
    _print_model(model)


def _registry(state: Path | None) -> Registry:
    from camera_edge.config import DEFAULT_STATE
    from camera_edge.inference import Registry

    return Registry((state or DEFAULT_STATE).expanduser() / "models")


def _read_contract(path: Path | None) -> Contract | None:
    from camera_edge.errors import UsageError
    from camera_edge.inference import Catalogue, parse_contract

    if path is None:
        return None
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(f"the contract cannot be read: {error.strerror}", where=str(path)) from error
    return parse_contract(text, where=str(path), lists=Catalogue.shipped().class_names)


def _as_json(model: Model) -> dict[str, object]:
    import msgspec

    document: dict[str, object] = msgspec.to_builtins(model.contract)
    del document["contract"]
    return {
        "name": model.name,
        "sha256": model.sha256,
        "size_bytes": model.size_bytes,
        "shipped": model.is_shipped,
        "path": str(model.path),
        **document,
        "outputs": msgspec.to_builtins(model.outputs),
    }


def _list_known(json: bool) -> None:
    import msgspec
    from rich.table import Column, Table

    from camera_edge.cli.talk import put_json, show, talk
    from camera_edge.inference import Catalogue

    entries: list[Entry] = list(Catalogue.shipped())
    if json:
        put_json([msgspec.to_builtins(entry) for entry in entries])
        return
    table = Table(
        Column("name", no_wrap=True), "what", Column("licence", no_wrap=True), Column("upstream", overflow="fold")
    )
    for entry in entries:
        table.add_row(entry.name, entry.summary, entry.licence, entry.source)
    show.print(table)
    talk.print("download one from upstream, then: camera-edge model add FILE")


def _print_models(models: list[Model]) -> None:
    from rich.table import Column, Table

    from camera_edge.cli.talk import show

    table = Table(Column("name", no_wrap=True), "from", "input", "decoder", "classes", "licence", "sha256")
    for model in models:
        output = model.contract.output
        origin, classes = _origin(model), str(len(output.class_names))
        licence, digest = model.contract.licence, model.sha256[:12]
        table.add_row(model.name, origin, _input_text(model), output.decoder, classes, licence, digest)
    show.print(table)


def _print_model(model: Model) -> None:
    from rich.markup import escape
    from rich.table import Column, Table

    from camera_edge.cli.talk import show

    output = model.contract.output
    rows = {
        "name": model.name,
        "from": _origin(model),
        "file": str(model.path),
        "sha256": f"{model.sha256} (compared)",
        "bytes": str(model.size_bytes),
        "source": model.contract.source,
        "licence": model.contract.licence,
        "input": _input_text(model),
        "outputs": ", ".join(f"{tensor.name} {'x'.join(map(str, tensor.shape))}" for tensor in model.outputs),
        "decoder": output.decoder,
        "strides": ", ".join(map(str, output.strides)),
        "classes": ", ".join(output.class_names),
    }
    table = Table("", Column("", overflow="fold"), show_header=False, box=None)
    for label, value in rows.items():
        table.add_row(label, escape(value) or "-")
    show.print(table)


def _origin(model: Model) -> str:
    return "shipped" if model.is_shipped else "added"


def _input_text(model: Model) -> str:
    picture = model.contract.input
    if picture is None:
        return "tensors (wasi-nn)"
    return f"{picture.width}x{picture.height} {picture.channels} {picture.fit}"
