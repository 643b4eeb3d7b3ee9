"""`camera-edge bench`: what the pipeline, the sandbox and a camera cost on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from camera_edge.cli.app import app

if TYPE_CHECKING:
    from camera_edge.bench import Figures


@app.command()
def bench(
    source: Annotated[
        Path | None, typer.Argument(metavar="[SOURCE]", help="A video file; without one a clip is generated.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """Measure the pipeline against a bare read loop, the sandbox against native code, and memory per camera."""
    from dataclasses import asdict

    from camera_edge.bench import BenchOptions, run_bench
    from camera_edge.cli.cache import module_cache
    from camera_edge.cli.talk import put_json, show, talk

    with module_cache() as sandboxing:
        figures = run_bench(BenchOptions(source, sandboxing, lambda step: talk.print(f"[dim]{step}[/]")))
    if json:
        put_json(asdict(figures))
        return
    for about, text in _lines(figures):
        show.print(f"[bold]{about:>22}[/]  {text}", soft_wrap=True)


def _lines(figures: Figures) -> list[tuple[str, str]]:
    """What is told of the figures: about what, and the text."""
    from dataclasses import asdict

    stages = ", ".join(f"{name} {value:.3f}" for name, value in asdict(figures.stages).items())
    latency, crowd = figures.frame_to_event_ms, figures.crowd
    wakes = ", ".join(f"{name} p50 {wake.p50:.2f}, p99 {wake.p99:.2f}" for name, wake in figures.wake_ms.items())
    native = "ziglang is absent" if figures.native_ms is None else f"{figures.native_ms:.3f} ms"
    times = "" if figures.native_ms is None else f" ({figures.sandbox_ms / figures.native_ms:.2f} ×)"
    pss = "not to be read by this user" if figures.pss_mb is None else f"{figures.pss_mb:.1f} MB"
    return [
        ("frames", f"{figures.frames}"),
        (
            "pipeline / read loop",
            f"{figures.pipeline_ms:.3f} / {figures.read_ms:.3f} ms CPU a frame = {figures.ratio:.3f}",
        ),
        ("stages", f"{stages} ms a frame"),
        (
            "sandbox",
            f"instantiate {figures.instantiate_us:.0f} + map {figures.map_us:.0f} µs, call {figures.call_us:.1f} µs",
        ),
        ("motion", f"sandboxed {figures.sandbox_ms:.3f} ms, native {native}{times}"),
        ("frame to event", f"p50 {latency.p50:.1f}, p95 {latency.p95:.1f}, p99 {latency.p99:.1f} ms"),
        ("waking", f"from asleep to the first verdict, a model's own time left out: {wakes} ms"),
        ("fuel", ", ".join(f"{name} {ratio:.2f} ×" for name, ratio in figures.metering.items())),
        (
            f"{crowd.sandboxes} sandboxes",
            f"{crowd.ring_mb:.0f} MiB of frames mapped into each: {crowd.started_mb:.1f} MB more than none, "
            f"{crowd.looked_mb:.1f} MB once each has looked at a frame; asleep {crowd.asleep_mb:.1f} MB, the "
            f"host's own ({crowd.awake_mappings} ranges of memory awake, {crowd.asleep_mappings} asleep)",
        ),
        (
            "package of 1 MB",
            f"verify {figures.install.verify_ms:.1f} + install {figures.install.install_ms:.1f} ms",
        ),
        ("memory per camera", f"{pss} (PSS, four cameras of 720p)"),
    ]
