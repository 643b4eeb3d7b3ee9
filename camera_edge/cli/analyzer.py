"""`camera-edge analyzer`: begins, builds, inspects, replays, tests and measures modules; `packages.py` has the rest.

Invariant: stdout carries results alone. Heavy libraries are imported when a command runs.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from camera_edge.cli import packages
from camera_edge.cli.trust import JsonOption, StateOption
from camera_edge.cli.wishes import read_rate, read_recording, read_wishes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from camera_edge.worker.assembly import Sandboxing
    from camera_edge.worker.plan import Supply
    from camera_edge.workshop.workpiece import Workpiece

app = typer.Typer(
    help="Analyzers and rule modules: write, build, test, measure; pack, sign, verify, install.", no_args_is_help=True
)

ModuleArgument = Annotated[
    str | None,
    typer.Argument(
        help="A module's folder, a .wasm file, a package in a file or folder, or a name [default: this folder].",
        metavar="[MODULE]",
    ),
]
FolderArgument = Annotated[Path, typer.Argument(help="A module's folder.", metavar="[DIR]")]
ModuleOption = Annotated[
    str | None, typer.Option("--module", metavar="MODULE", help="As of `inspect` [default: this folder].")
]
ParamOption = Annotated[list[str] | None, typer.Option("--param", metavar="KEY=VALUE", help="Of the module.")]
ZoneOption = Annotated[
    list[str] | None, typer.Option("--zone", metavar="NAME=X,Y,X,Y,…", help="Corners, as parts of the picture.")
]
RateOption = Annotated[
    str | None, typer.Option("--rate", metavar="FPS|native", help="Analyzers: frames a second [default: 5].")
]
FramesOption = Annotated[int | None, typer.Option("--frames", min=1, metavar="N", help="So many at most.")]
StartOption = Annotated[
    str | None, typer.Option("--start", metavar="DATE", help="Rule modules: when it began, 2026-01-05T08:00.")
]
TimeZoneOption = Annotated[
    str | None, typer.Option("--time-zone", metavar="ZONE", help="Rule modules: of the camera, Europe/Berlin.")
]


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The module's name, and its folder's.", metavar="NAME")],
    lang: Annotated[str, typer.Option("--lang", metavar="LANGUAGE", help="c, zig, rust or assemblyscript.")],
    rule: Annotated[bool, typer.Option("--rule", help="A rule module: it sees observations, no pixels.")] = False,
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where the folder is made.")] = Path(),
    json: JsonOption = False,
) -> None:
    """Begin a module: a folder with manifest, source, golden tests and a README, made from the SDK's example."""
    from camera_edge.cli.talk import put_json, talk
    from camera_edge.errors import UsageError
    from camera_edge.toolchain import Language, missing
    from camera_edge.workshop.scaffold import Scaffold, begin

    known = [each.value for each in Language]
    if lang not in known:
        raise UsageError(f"there is no SDK for {lang!r}", hint=f"use one of: {', '.join(known)}")
    workshop = begin(Scaffold(name, Language(lang), rule, folder))
    files = sorted(str(path.relative_to(workshop.folder)) for path in workshop.folder.rglob("*") if path.is_file())
    if json:
        put_json({"folder": str(workshop.folder), "name": name, "language": lang, "files": files})
    talk.print(f"made [bold]{workshop.folder}[/]: {', '.join(files)}", soft_wrap=True)
    if (reason := missing(Language(lang))) is not None:
        talk.print(f"  [yellow]warning:[/] it cannot be built here yet: {reason}", soft_wrap=True)
    talk.print(f"  next: cd {workshop.folder}; camera-edge analyzer build; camera-edge analyzer test")


@app.command()
def build(
    folder: FolderArgument = Path(),
    install: Annotated[bool, typer.Option("--install", help="Get a compiler that npm has, before.")] = False,
    json: JsonOption = False,
) -> None:
    """Compile a module: NAME.wasm in its folder. Says what it imports, and what that needs."""
    from camera_edge import toolchain
    from camera_edge.cli.module_report import show_built
    from camera_edge.cli.talk import put_json
    from camera_edge.sandbox import Runtime, load_module
    from camera_edge.sandbox.admission import check_module
    from camera_edge.workshop.inspection import imports_of
    from camera_edge.workshop.workpiece import open_workshop

    workshop = open_workshop(folder)
    if install:
        toolchain.install(toolchain.language_of(folder))
    toolchain.build(folder, workshop.wasm, toolchain.sdk_folder())
    module = load_module(workshop.wasm)
    imports = imports_of(module)
    if not json:
        # first: what it imports shows why it may be refused
        show_built(workshop.wasm, module, imports)
    check_module(module.wasm, module.manifest, Runtime())
    if json:
        put_json(
            {
                "path": str(workshop.wasm),
                "size_bytes": len(module.wasm),
                "sha256": module.sha256,
                "imports": [_builtins(each) for each in imports],
            }
        )


@app.command()
def inspect(
    module: ModuleArgument = None,
    config: Annotated[Path | None, typer.Option("-c", "--config", metavar="FILE", help="Whose grants to show.")] = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Show what a module is, what it asks for, is granted and imports, its limits, hash and signer, and if revoked."""
    from camera_edge.cli.module_report import show_inspection
    from camera_edge.cli.talk import put_json
    from camera_edge.config import load
    from camera_edge.workshop import inspection

    loaded = load(config) if config is not None else None
    if loaded is not None and state is None:
        state = loaded.state
    supply = _supply(state)
    piece = _find(module, supply)
    looked_at = inspection.inspect(piece.module, loaded, supply.modules.trust.revokes(*piece.digests))
    if json:
        put_json(_builtins(looked_at))
        return
    show_inspection(looked_at)


@app.command()
def replay(
    clips: Annotated[
        list[str], typer.Argument(metavar="CLIP...", help="Recordings; for a rule module JSON Lines of observations.")
    ],
    module: ModuleOption = None,
    param: ParamOption = None,
    rate: RateOption = None,
    frames: FramesOption = None,
    zone: ZoneOption = None,
    start: StartOption = None,
    time_zone: TimeZoneOption = None,
    copy: Annotated[bool, typer.Option("--copy", help="Copy frames into the module instead of mapping them.")] = False,
    store: Annotated[
        Path | None, typer.Option("--store", metavar="FILE", help="What its store holds at the start.")
    ] = None,
    state: StateOption = None,
    json: Annotated[bool, typer.Option("--json", help="JSON Lines, as always.")] = False,
) -> None:
    """Run one module alone over recordings: a JSON line a frame, the same bytes every time."""
    from camera_edge.cli.talk import put_json
    from camera_edge.errors import QuarantineError
    from camera_edge.workshop.daytime import DayTime
    from camera_edge.workshop.lines import FaultLine
    from camera_edge.workshop.rehearsal import Rehearsal, rehearse

    supply = _supply(state)
    piece = _runnable(module, supply)
    _refuse_idle_options(piece, rate, start or time_zone)
    wishes, rate_hz, day_time = read_wishes(param, zone, store), read_rate(rate), DayTime.read(start, time_zone)
    faults = 0
    with _sandboxing() as sandboxing:
        for clip in clips:
            _warn_of_lost_frames(piece, clip)
            rehearsal = Rehearsal(read_recording(clip), wishes, rate_hz, frames, copy, day_time)
            for line in rehearse(piece.module, rehearsal, sandboxing, supply.models):
                put_json(_builtins(line))
                faults += isinstance(line, FaultLine)
    if faults:
        raise QuarantineError(
            f"no answer for {faults} frames", where=piece.module.manifest.name, hint="lines of type `fault` say why"
        )


@app.command()
def test(
    folder: FolderArgument = Path(),
    update: Annotated[bool, typer.Option("--update", help="Keep what it says now as golden lines.")] = False,
    keep_faults: Annotated[
        bool, typer.Option("--keep-faults", help="With --update: keep frames without an answer too.")
    ] = False,
    state: StateOption = None,
    json: Annotated[bool, typer.Option("--json", help="JSON Lines on stdout, one for each golden test.")] = False,
) -> None:
    """Compare what a module says with golden/NAME.jsonl, for each golden/NAME.toml. Exit code 1: it differs.

    A module that is older than its sources is refused: build it first.
    """
    from camera_edge.cli.module_report import show_outcome
    from camera_edge.cli.talk import put_json
    from camera_edge.errors import UsageError
    from camera_edge.workshop.golden import cases, run_case, write_case
    from camera_edge.workshop.workpiece import open_workshop, refuse_stale

    if keep_faults and not update:
        raise UsageError("--keep-faults says what --update keeps", hint="add --update, or leave it out")
    supply = _supply(state)
    workshop = open_workshop(folder)
    found = cases(workshop)
    if workshop.wasm.is_file():
        refuse_stale(workshop.wasm)
    module = _runnable(str(folder), supply).module
    differ = 0
    with _sandboxing() as sandboxing:
        for path in found:
            if update:
                outcome = write_case(path, module, sandboxing, supply.models, keep_faults=keep_faults)
            else:
                outcome = run_case(path, module, sandboxing, supply.models)
            differ += not outcome.passed
            if json:
                put_json(_builtins(outcome) | {"passed": outcome.passed})
            else:
                show_outcome(outcome)
    if differ:
        raise typer.Exit(1)


@app.command()
def bench(
    module: ModuleArgument = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="CLIP", help="A recording; for a rule module observations.")
    ] = None,
    param: ParamOption = None,
    rate: RateOption = None,
    frames: FramesOption = 100,
    zone: ZoneOption = None,
    start: StartOption = None,
    time_zone: TimeZoneOption = None,
    native: Annotated[
        bool,
        typer.Option(
            "--native",
            help="Compare with the C in the module's folder, compiled for this machine. It then runs OUTSIDE of the "
            "sandbox, with your rights: for code that you trust. Shipped modules are always compared.",
        ),
    ] = False,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Measure what a module costs here: time, fuel and memory; with --native beside its C as native code."""
    from rich.markup import escape

    from camera_edge.cli.module_report import show_speed
    from camera_edge.cli.talk import put_json, talk
    from camera_edge.workshop.daytime import DayTime
    from camera_edge.workshop.speed import Measurement, take
    from camera_edge.workshop.trial import Trial, plan_trial

    supply = _supply(state)
    piece = _runnable(module, supply)
    _refuse_idle_options(piece, rate, start or time_zone)
    if native:
        _warn_of_native(piece)
    wishes = read_wishes(param, zone, None)
    clip = source if source is None else read_recording(source)
    wanted = Measurement(clip, read_rate(rate), frames, DayTime.read(start, time_zone), native)
    talk.print(
        f"[dim]measuring {piece.module.manifest.name} with {escape(source or 'a drawn yard')}[/]", soft_wrap=True
    )
    with _sandboxing() as sandboxing:
        trial = Trial(plan_trial(piece.module, wishes, supply.models), sandboxing, wishes.zones)
        speed = take(piece, trial, wanted)
    if json:
        put_json({"name": piece.module.manifest.name, **_builtins(speed)})
        return
    show_speed(piece.module, speed)


def _supply(state: Path | None) -> Supply:
    from camera_edge.config import DEFAULT_STATE
    from camera_edge.worker.plan import Supply

    return Supply.of((state or DEFAULT_STATE).expanduser())


def _find(name: str | None, supply: Supply) -> Workpiece:
    """The module to look at; one that is installed is verified again."""
    from rich.markup import escape

    from camera_edge.cli.talk import talk
    from camera_edge.packages.ready import recheck
    from camera_edge.workshop.workpiece import find

    piece = find(name, supply.modules)
    if piece.module.origin == "installed":
        recheck(supply.modules, {piece.module.manifest.name})
        # again: a version that was found damaged is passed over
        piece = find(name, supply.modules)
    if (changed := piece.changed_since) is not None:
        talk.print(f"[yellow]warning:[/] {escape(changed.name)} is newer than the module: build it again")
    return piece


def _runnable(name: str | None, supply: Supply) -> Workpiece:
    """The module to run. Raises ModuleError where it is revoked."""
    piece = _find(name, supply)
    supply.modules.trust.refuse_revoked(*piece.digests, where=piece.module.manifest.name)
    return piece


def _refuse_idle_options(piece: Workpiece, rate: str | None, time: str | None) -> None:
    """What this kind of module would not notice."""
    from camera_edge.errors import UsageError

    is_rule = piece.module.manifest.is_rule
    if is_rule and rate is not None:
        raise UsageError("a rule module looks at every frame of its observations", hint="leave out --rate")
    if not is_rule and time is not None:
        raise UsageError("an analyzer is told no time of day", hint="leave out --start and --time-zone")


def _warn_of_lost_frames(piece: Workpiece, clip: str) -> None:
    from camera_edge.cli.trust import warn
    from camera_edge.workshop.sighted import lacks_empty_frames

    if piece.module.manifest.is_rule and lacks_empty_frames(Path(clip)):
        warn([f"{clip} has observations and no scores: frames in which nothing was seen are not in it (add --scores)"])


def _warn_of_native(piece: Workpiece) -> None:
    from rich.markup import escape

    from camera_edge.cli.talk import talk
    from camera_edge.errors import UsageError

    if piece.module.origin == "shipped":
        return
    if piece.sources is None:
        raise UsageError("there is no source to compare with", hint="name the module's folder, or leave out --native")
    talk.print(
        f"[yellow]warning:[/] the C in {escape(str(piece.sources))} runs outside of the sandbox, with your rights"
    )


@contextmanager
def _sandboxing() -> Iterator[Sandboxing]:
    from camera_edge.cli.cache import module_cache

    with module_cache() as sandboxing:
        yield sandboxing


def _builtins(value: object) -> dict[str, object]:
    import msgspec

    built: dict[str, object] = msgspec.to_builtins(value)
    return built


# one group for those who write modules and those who run them
app.registered_commands += packages.app.registered_commands
app.registered_groups += packages.app.registered_groups
