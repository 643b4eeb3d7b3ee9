"""All commands, gathered: importing this module fills the tree of `app`."""

from camera_edge.cli import analyze, bench, check, demo, doctor, events, model, run, worker
from camera_edge.cli.app import app

app.add_typer(events.app, name="events")
app.add_typer(model.app, name="model")

__all__ = ["analyze", "app", "bench", "check", "demo", "doctor", "events", "model", "run", "worker"]
