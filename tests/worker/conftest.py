"""Plans and whole runs of a camera's pipeline over recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from camera_edge.config import CameraConfig
from camera_edge.sandbox import load_module, shipped
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.plan import AnalyzerPlan, CameraPlan, assemble


@pytest.fixture
def sandboxing(cache: Path) -> Sandboxing:
    return Sandboxing.of(cache / "camera-edge" / "modules", read_only=False)


@pytest.fixture
def plan() -> Callable[..., CameraPlan]:
    """A plan of modules by name or path, under a camera's settings."""

    def make(*modules: str | Path, **settings: Any) -> CameraPlan:
        chosen = CameraConfig.model_validate({"source": "recording"} | settings).settings()
        return assemble("camera", chosen, [_analyzer(module) for module in modules])

    return make


def _analyzer(name: str | Path) -> AnalyzerPlan:
    module = shipped(name) if isinstance(name, str) else load_module(name)
    return AnalyzerPlan(module.manifest.name, module, module.manifest.grant_all({}), {})
