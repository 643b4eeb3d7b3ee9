"""`camera-edge check`: says whether a configuration would start, without starting anything."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from camera_edge.cli.app import app

if TYPE_CHECKING:
    from camera_edge.config import Config
    from camera_edge.worker.plan import CameraPlan, Supply


@app.command()
def check(
    config: Annotated[Path | None, typer.Option("-c", "--config", metavar="FILE", help="The YAML file.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of the file and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
    before_start: Annotated[bool, typer.Option("--before-start", hidden=True)] = False,
) -> None:
    """Check a configuration: keys, types, names, credentials, modules with their grants, models."""
    import json as json_format

    from camera_edge.cli.talk import put_json, talk
    from camera_edge.config import Config, load
    from camera_edge.errors import UsageError
    from camera_edge.packages.ready import damaged
    from camera_edge.worker.plan import Supply

    if schema:
        sys.stdout.write(json_format.dumps(Config.model_json_schema(by_alias=True), indent=2) + "\n")
        sys.stdout.flush()
        return
    if config is None:
        raise UsageError("no configuration named", hint="camera-edge check -c FILE")
    loaded = load(config)
    supply = Supply.of(loaded.state)
    named = {name for camera in loaded.cameras.values() for name in camera.analyzers}
    warnings = damaged(supply.modules, named)
    plans = _plans(config, loaded, supply, warnings if before_start else None)
    if before_start:
        # the rest is for who asks for it
        _warn(warnings)
    warnings += [text for plan in plans for text in _worth_knowing(plan)]
    if json:
        put_json({"ok": True, "cameras": [plan.camera for plan in plans], "warnings": warnings})
        return
    _warn(warnings)
    for plan in plans:
        analyzers = ", ".join(each.name for each in plan.analyzers)
        hidden = ", ".join(sorted(plan.redaction.required))
        talk.print(f"[bold]{plan.camera}[/] {plan.source}: analyzers {analyzers}; shown only where {hidden} answered")
    talk.print(f"{config}: [green]ok[/]")


def _warn(warnings: list[str]) -> None:
    from camera_edge.cli.talk import talk

    for warning in warnings:
        talk.print(f"[yellow]warning:[/] {escape(warning)}")


def _plans(path: Path, loaded: Config, supply: Supply, warnings: list[str] | None) -> list[CameraPlan]:
    """Of all cameras. `warnings` None: what is damaged is an error; else it is told there, and holds up one camera."""
    from camera_edge.errors import ConfigError, DamagedError, ModuleError
    from camera_edge.packages.ready import recheck
    from camera_edge.worker.plan import plan_camera

    plans = []
    for name, camera in loaded.cameras.items():
        try:
            recheck(supply.modules, camera.analyzers.keys())
            plans.append(plan_camera(name, camera.settings(), supply))
        except (ConfigError, ModuleError) as exc:
            if warnings is not None and isinstance(exc.__cause__ or exc, DamagedError):
                warnings.append(f"cameras.{name} does not run: {exc}")
                continue
            where = str(path) if exc.where is None else f"{path}: {exc.where}"
            raise ConfigError(exc.message, where=where, hint=exc.hint) from exc
    return plans


def _worth_knowing(plan: CameraPlan) -> list[str]:
    """Versions that wait or may not run, rules that never open an event."""
    from camera_edge.worker.plan import unreported_kinds

    waiting = [f"cameras.{plan.camera}: {text}" for text in plan.waiting]
    return waiting + [
        f"cameras.{plan.camera}.rules.{rule}: no analyzer of this camera reports {kind!r}"
        for rule, kind in unreported_kinds(plan)
    ]
