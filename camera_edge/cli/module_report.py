"""Tells people about a module: what was built, what it is, what it costs, how its golden tests went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Column, Table

from camera_edge.cli.talk import show
from camera_edge.sandbox import ModuleFile
from camera_edge.workshop.golden import Outcome
from camera_edge.workshop.inspection import ImportedFunction, Inspection
from camera_edge.workshop.speed import ModuleSpeed, Spread

_LINE_MAX = 400


def show_built(wasm: Path, module: ModuleFile, imports: Sequence[ImportedFunction]) -> None:
    show.print(f"[bold]{escape(str(wasm))}[/]  {len(module.wasm)} bytes  sha256 {module.sha256}", soft_wrap=True)
    _show_imports(imports)


def show_inspection(module: Inspection) -> None:
    signer = f", signed by {module.signer}" if module.signer else ""
    if module.origin == "package" and module.signer is None:
        signer = ", NOT signed by a key that is trusted here"
    view = None if module.view is None else f"{module.view.format}, at most {module.view.max_width} pixels wide"
    limits = module.limits
    _show_rows(
        {
            "module": f"{module.name} {module.version} ({module.what}, {module.origin}{signer})",
            "sha256": f"{module.sha256} ({module.size_bytes} bytes)",
            **({} if module.revoked is None else {"REVOKED": f"sha256:{module.revoked}: it does not run here"}),
            "view": view or "none: it sees no pixels",
            "kinds": ", ".join(module.kinds),
            "parameters": _params(module.params),
            "limits": f"{limits.memory_bytes >> 10} KiB of memory, {limits.fuel_per_frame:,} fuel a frame, "
            f"{limits.observations} observations a frame",
            "asks for": ", ".join(module.asked),
            "granted": _granted(module),
        }
    )
    for name in module.idle:
        show.print(f"  [yellow]it asks for {escape(name)} and imports nothing that needs it[/]")
    _show_imports(module.imports)


def show_outcome(outcome: Outcome) -> None:
    faults = f", {outcome.faults} frames without an answer" if outcome.faults else ""
    if outcome.difference is None:
        done = "written" if outcome.written else "[green]ok[/]"
        show.print(f"{done}  {escape(outcome.case)}  {outcome.lines} lines{faults}", soft_wrap=True)
        return
    found = outcome.difference
    show.print(f"[red]differs[/]  {escape(outcome.case)}  line {found.line}: {escape(found.where)}", soft_wrap=True)
    show.print(f"  expected  {_line(found.expected)}", soft_wrap=True)
    show.print(f"  got       {_line(found.got)}", soft_wrap=True)


def show_speed(module: ModuleFile, speed: ModuleSpeed) -> None:
    part = speed.fuel.p99 / speed.fuel_limit
    native = speed.native_reason or "-"
    if speed.native_ns is not None and speed.guest_ns is not None:
        native = (
            f"{_us(speed.native_ns)}: the sandbox takes {speed.guest_ns.p50 / speed.native_ns.p50:.2f} times as long"
        )
    memory = "-" if speed.memory_bytes is None else f"{speed.memory_bytes >> 10} KiB, without its frames"
    _show_rows(
        {
            "module": f"{module.manifest.name} {module.manifest.version}, {speed.wasm_bytes} bytes, "
            f"{speed.frames} frames",
            "answer": f"{_us(speed.answer_ns)}, host calls and checks included",
            "own time": "-" if speed.guest_ns is None else _us(speed.guest_ns),
            "native": native,
            "fuel": f"p50 {speed.fuel.p50:,.0f}, p99 {speed.fuel.p99:,.0f}: {part:.1%} of its limit",
            "memory": memory,
            "start": f"{speed.start_ns / 1e3:.1f} µs for an instance with its frames",
            "wake": f"{_us(speed.wake_ns)} from asleep to the first answer",
        }
    )


def _show_imports(imports: Sequence[ImportedFunction]) -> None:
    if not imports:
        show.print("  imports nothing")
        return
    table = Table(Column("imports", no_wrap=True), "needs", "", box=None)
    for each in imports:
        fault = "" if each.fault is None else f"[red]refused: {escape(each.fault)}[/]"
        table.add_row(f"{escape(each.module)}.{escape(each.name)}", escape(each.needs or "-"), fault)
    show.print(table)


def _show_rows(rows: Mapping[str, str]) -> None:
    table = Table("", Column("", overflow="fold"), show_header=False, box=None)
    for label, value in rows.items():
        table.add_row(label, escape(value) or "-")
    show.print(table)


def _params(params: Mapping[str, str | float] | None) -> str:
    if params is None:
        return "any"
    return ", ".join(f"{name} = {value}" for name, value in params.items()) or "none"


def _granted(module: Inspection) -> str:
    if module.cameras is None:
        implied = "observations" if module.view is None else "pixels"
        return f"by default {implied} to a camera that names it, and nothing else; -c FILE shows a configuration's"
    if not module.cameras:
        return "no camera names it"
    texts = []
    for each in module.cameras:
        lacking = f" (not {', '.join(each.lacking)})" if each.lacking else ""
        texts.append(f"{each.camera}: {', '.join(each.granted) or 'nothing'}{lacking}")
    return "; ".join(texts)


def _us(spread: Spread) -> str:
    return f"p50 {spread.p50 / 1e3:,.1f} µs, p99 {spread.p99 / 1e3:,.1f} µs"


def _line(text: str | None) -> str:
    if text is None:
        return "(no line)"
    return escape(text if len(text) <= _LINE_MAX else text[:_LINE_MAX] + "…")
