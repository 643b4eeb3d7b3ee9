"""`camera-edge check`: says whether a configuration would start, without starting anything."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from camera_edge.cli.app import app


@app.command()
def check(
    config: Annotated[Path | None, typer.Option("-c", "--config", metavar="FILE", help="The YAML file.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of the file and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """Check a configuration: keys, types, names, credentials, modules, models."""
    import json as json_format

    from camera_edge.cli.talk import put_json, talk
    from camera_edge.config import Config, load
    from camera_edge.errors import ConfigError, ModuleError, UsageError
    from camera_edge.packages.ready import recheck
    from camera_edge.worker.plan import Supply, plan_camera, unreported_kinds

    if schema:
        sys.stdout.write(json_format.dumps(Config.model_json_schema(by_alias=True), indent=2) + "\n")
        sys.stdout.flush()
        return
    if config is None:
        raise UsageError("no configuration named", hint="camera-edge check -c FILE")
    loaded = load(config)
    supply = Supply.of(loaded.state)
    try:
        recheck(supply.modules, {name for camera in loaded.cameras.values() for name in camera.analyzers})
        plans = [plan_camera(name, camera.settings(), supply) for name, camera in loaded.cameras.items()]
    except (ConfigError, ModuleError) as exc:
        where = str(config) if exc.where is None else f"{config}: {exc.where}"
        raise ConfigError(exc.message, where=where, hint=exc.hint) from exc
    warnings = [f"cameras.{plan.camera}: {text}" for plan in plans for text in plan.waiting]
    warnings += [
        f"cameras.{plan.camera}.rules.{rule}: no analyzer of this camera reports {kind!r}"
        for plan in plans
        for rule, kind in unreported_kinds(plan)
    ]
    if json:
        put_json({"ok": True, "cameras": [plan.camera for plan in plans], "warnings": warnings})
        return
    for warning in warnings:
        talk.print(f"[yellow]warning:[/] {warning}")
    for plan in plans:
        analyzers = ", ".join(each.name for each in plan.analyzers)
        hidden = ", ".join(sorted(plan.redaction.required))
        talk.print(f"[bold]{plan.camera}[/] {plan.source}: analyzers {analyzers}; shown only where {hidden} answered")
    talk.print(f"{config}: [green]ok[/]")
