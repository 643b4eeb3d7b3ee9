"""`camera-edge analyze`: runs a camera's pipeline over recordings and tells what it saw.

Invariant: stdout carries results alone; every source starts fresh. What is wrong with one source leaves the others
their turn, and the first such fault decides the exit code; what is wrong with modules or folders ends the run.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from camera_edge.cli.app import app
from camera_edge.errors import (
    CameraEdgeError,
    ConfigError,
    ModelError,
    ModuleError,
    QuarantineError,
    SourceError,
    UndecodableError,
    UsageError,
)

if TYPE_CHECKING:
    from camera_edge.cli.dossier import DossierFile
    from camera_edge.cli.report import Report
    from camera_edge.sandbox import ModuleFile
    from camera_edge.worker.assembly import Sandboxing
    from camera_edge.worker.plan import AnalyzerPlan, CameraPlan, Supply
    from camera_edge.worker.recordings import RecordingNews


@app.command()
def analyze(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Videos, image folders, addresses.")],
    config: Annotated[Path | None, typer.Option("-c", "--config", metavar="FILE", help="Rules, zones, masks.")] = None,
    analyzer: Annotated[
        list[str] | None,
        typer.Option("--analyzer", metavar="SPEC", help="NAME[:key=value,…], or a .wasm file."),
    ] = None,
    rate: Annotated[str | None, typer.Option(metavar="FPS|native", help="Analysed frames a second.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write redacted clips here.")] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON Lines on stdout.")] = False,
    observations: Annotated[bool, typer.Option("--observations", help="With --json: every observation.")] = False,
    scores: Annotated[bool, typer.Option("--scores", help="With --json: every score.")] = False,
    masks: Annotated[Path | None, typer.Option("--masks", metavar="DIR", help="One PNG per analysed frame.")] = None,
    page: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.html", help="One page of all that was found, redacted.")
    ] = None,
) -> None:
    """Run the analyzers over recordings, as fast as they decode, without dropping a frame."""
    from camera_edge.cli.cache import module_cache
    from camera_edge.cli.dossier import DossierFile
    from camera_edge.cli.report import Report, Wanted
    from camera_edge.cli.stopping import end_by_signals
    from camera_edge.cli.talk import complain

    # asked to end, it ends as by Ctrl-C: clips in the making are given up and leave no file
    end_by_signals()
    wanted = Wanted(json=json, observations=observations, scores=scores, masks=masks, out=out)
    _refuse_half_orders(wanted)
    plans = _plans(sources, config, analyzer or [], parsed_rate(rate))
    problems: list[CameraEdgeError] = []
    with ExitStack() as stack:
        sandboxing = stack.enter_context(module_cache())
        report = stack.enter_context(Report(wanted, len(plans)))
        audience = _Audience(report, stack.enter_context(DossierFile(page)) if page is not None else None)
        for address, plan in plans:
            for problem in _analyze(address, plan, audience, sandboxing):
                complain(problem)
                problems.append(problem)
    if problems:
        raise typer.Exit(problems[0].exit_code)


@dataclass(frozen=True, slots=True)
class _Audience:
    """Who is told what an analysis finds."""

    report: Report
    dossier: DossierFile | None

    def begin(self, plan: CameraPlan) -> None:
        self.report.begin(plan)
        if self.dossier is not None:
            self.dossier.begin(plan)

    def tell(self, news: RecordingNews) -> None:
        # to the page first: who reads stdout may be gone
        if self.dossier is not None:
            self.dossier.tell(news)
        self.report.tell(news)

    def end(self, problems: list[CameraEdgeError]) -> list[CameraEdgeError]:
        if self.dossier is not None:
            self.dossier.end(problems)
        return problems


def _analyze(address: str, plan: CameraPlan, audience: _Audience, sandboxing: Sandboxing) -> list[CameraEdgeError]:
    """Runs one source; returns what was wrong with it."""
    from camera_edge.worker.recordings import EventEnded, RecordingRun, Summary

    audience.begin(plan)
    snapshots = audience.dossier is not None
    run = RecordingRun(address, plan, sandboxing, audience.report.clips, snapshots=snapshots)
    unwritten: list[CameraEdgeError] = []
    broken: list[CameraEdgeError] = []
    with closing(run.run()) as steps:
        try:
            for news in steps:
                audience.tell(news)
                if isinstance(news, EventEnded) and news.outcome is not None and news.outcome.problem is not None:
                    unwritten.append(news.outcome.problem)
                elif isinstance(news, Summary):
                    broken = [_broken(name, reason, plan) for name, reason in news.broken.items()]
        except (SourceError, UndecodableError) as exc:
            return audience.end([*unwritten[:1], *broken, exc])
    # a full disk fails every clip in the same way
    return audience.end([*unwritten[:1], *broken])


def _broken(name: str, reason: str, plan: CameraPlan) -> QuarantineError:
    return QuarantineError(
        f"analyzer {name} {reason}",
        where=plan.source,
        hint="its answers are incomplete; mend the module or leave it out",
    )


def _refuse_half_orders(wanted: Any) -> None:
    if (wanted.observations or wanted.scores) and not wanted.json:
        raise UsageError("--observations and --scores come as JSON Lines", hint="add --json")


def parsed_rate(text: str | None) -> float | str | None:
    """Frames a second, or `native`. Raises UsageError."""
    if text is None or text == "native":
        return text
    try:
        rate_hz = float(text)
    except ValueError:
        rate_hz = 0.0
    if not 0 < rate_hz <= 60:
        raise UsageError(f"--rate {text!r}", hint="give frames a second, above 0 and at most 60, or `native`")
    return rate_hz


def _plans(
    sources: list[str], config: Path | None, specs: list[str], rate: float | str | None
) -> list[tuple[str, CameraPlan]]:
    """A plan for each source, made before the first one is opened: a fault in one stops all."""
    from camera_edge.config import DEFAULT_STATE, load
    from camera_edge.packages.ready import recheck
    from camera_edge.worker.plan import Supply

    loaded = load(config) if config is not None else None
    state = loaded.state if loaded is not None else DEFAULT_STATE.expanduser()
    supply = Supply.of(state)
    recheck(supply.modules, _named(loaded, specs))
    names: set[str] = set()
    plans = []
    for source in sources:
        camera = _camera_name(source, names)
        overrides: dict[str, Any] = {"source": address_of(source)} | ({} if rate is None else {"rate": rate})
        plans.append((overrides["source"], _plan(camera, loaded, overrides, _Specs(specs, supply))))
    return plans


def address_of(source: str) -> str:
    """The address that a source of the command line stands for. Raises UsageError where it has secrets in the clear."""
    from camera_edge.address import safe_address
    from camera_edge.config import fill_in

    if safe_address(source) != source and "${" not in source:
        raise UsageError(
            f"{safe_address(source)} has credentials on the command line, where every user can read them",
            hint="write '${USER_NAME}:${PASSWORD}@' in single quotes and set both in the environment",
        )
    return fill_in(source)


def _named(loaded: Any, specs: list[str]) -> set[str]:
    """The modules that may run: those of the command line, or of the configuration."""
    if specs or loaded is None:
        return {text.partition(":")[0] for text in specs}
    return {name for camera in loaded.cameras.values() for name in camera.analyzers}


class _Specs:
    """The analyzers named on the command line, planned once."""

    def __init__(self, texts: list[str], supply: Supply) -> None:
        from camera_edge.cli.spec import parse_spec

        self.supply = supply
        self.specs = [parse_spec(text) for text in texts]

    def plans(self) -> list[AnalyzerPlan]:
        from camera_edge.worker.plan import with_redaction

        planned = [self._plan(spec) for spec in self.specs]
        names = [each.name for each in planned]
        if len(set(names)) < len(names):
            raise UsageError("two analyzers of one name", hint="name each once")
        return with_redaction(planned)

    def _plan(self, spec: Any) -> AnalyzerPlan:
        from camera_edge.sandbox import load_module, shipped, shipped_names
        from camera_edge.worker.plan import AnalyzerPlan, full_params, granted_models

        if spec.is_path:
            module = load_module(Path(spec.name))
            self.supply.modules.trust.refuse_revoked(module.sha256, where=spec.name)
            _refuse_impostor(module)
        elif spec.name in shipped_names():
            module = shipped(spec.name)
        elif installed := self.supply.modules.candidates(spec.name):
            module = installed[0]
        else:
            names = sorted({*shipped_names(), *self.supply.modules.names()})
            raise UsageError(
                f"there is no analyzer {spec.name!r}",
                hint=f"use one of {', '.join(names)}, or the path of a .wasm file",
            )
        try:
            granted = module.manifest.grant_all(spec.params)
            models = granted_models(module, spec.params, granted, self.supply.models)
            module.manifest.with_defaults(spec.params)
        except (ConfigError, ModelError, ModuleError) as exc:
            raise UsageError(exc.message, where=exc.where, hint=exc.hint) from None
        return AnalyzerPlan(
            name=module.manifest.name,
            module=module,
            capabilities=granted,
            params=full_params(spec.params, models),
            models=models,
            state=_state(spec.state),
        )


def _refuse_impostor(module: ModuleFile) -> None:
    """What moves is hidden by the shipped `motion`; another module must not take its place by its name alone."""
    from camera_edge.sandbox import shipped
    from camera_edge.settings import REDACTION_DEFAULT

    if module.manifest.name == REDACTION_DEFAULT and module.sha256 != shipped(REDACTION_DEFAULT).sha256:
        raise UsageError(
            f"this module calls itself {REDACTION_DEFAULT!r}, as the shipped one that says what is hidden",
            hint="give it another name in its analyzer.toml",
        )


def _plan(camera: str, loaded: Any, overrides: dict[str, Any], specs: _Specs) -> CameraPlan:
    from pydantic import ValidationError

    from camera_edge.config import CameraConfig
    from camera_edge.worker.plan import assemble, plan_camera

    base: dict[str, Any] = {}
    if loaded is not None:
        base = _camera_of(loaded, camera).model_dump(by_alias=True)
    try:
        chosen = CameraConfig.model_validate(base | overrides).settings()
    except ValidationError as exc:
        raise UsageError(str(exc.errors()[0]["msg"]), hint="see `camera-edge check --schema`") from None
    if specs.specs:
        return assemble(camera, chosen, specs.plans())
    return plan_camera(camera, chosen, specs.supply)


def _camera_of(loaded: Any, camera: str) -> Any:
    """The configured camera that a recording stands for: the one of its name, or the only one."""
    if camera in loaded.cameras:
        return loaded.cameras[camera]
    if len(loaded.cameras) == 1:
        return next(iter(loaded.cameras.values()))
    raise UsageError(
        f"the configuration has cameras {', '.join(loaded.cameras)}, and none is called {camera!r}",
        hint="name the recording after its camera, or give a configuration with one camera",
    )


def _camera_name(source: str, taken: set[str]) -> str:
    """A name for the source's events: of a file its stem, of anything else its last part; unique among the sources."""
    from camera_edge.address import safe_address

    shown = safe_address(source)
    path = Path(shown)
    stem = "synthetic" if shown.startswith("synthetic:") else (path.stem or path.name or "camera")
    clean = "".join(c if c.isalnum() or c in "-_" else "-" for c in stem.lower()).strip("-") or "camera"
    name, number = clean, 2
    while name in taken:
        name, number = f"{clean}-{number}", number + 1
    taken.add(name)
    return name


def _state(path: Path | None) -> bytes:
    if path is None:
        return b""
    try:
        return path.read_bytes()
    except OSError as exc:
        raise UsageError(
            f"the state file cannot be read: {exc.strerror}",
            where=str(path),
            hint="name a file that you may read",
        ) from exc
