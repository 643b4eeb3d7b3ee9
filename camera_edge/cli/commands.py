"""All commands, gathered: importing this module fills the tree of `app`."""

from camera_edge.cli import analyze, analyzer, bench, check, demo, doctor, eval, events, learn, model, run, worker
from camera_edge.cli.app import app

app.add_typer(analyzer.app, name="analyzer")
app.add_typer(events.app, name="events")
app.add_typer(model.app, name="model")

__all__ = [
    "analyze",
    "analyzer",
    "app",
    "bench",
    "check",
    "demo",
    "doctor",
    "eval",
    "events",
    "learn",
    "model",
    "run",
    "worker",
]
