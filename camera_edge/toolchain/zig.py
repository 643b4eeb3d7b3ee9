"""Compiles modules in Zig.

Invariant: checks of bounds and overflow stay in: a module that is wrong traps, and does not answer wrongly.
"""

from __future__ import annotations

from pathlib import Path

from camera_edge.toolchain import ziglang
from camera_edge.toolchain.stage import MODULE, OUTPUT, SDK, Stage

FLAGS = (
    "-target",
    "wasm32-freestanding",
    "-OReleaseSafe",
    "-fno-entry",
    "-rdynamic",
    "-fstrip",
    "--stack",
    "131072",
)


def build(stage: Stage, entry: str, cache: Path | None = None) -> None:
    """Raises BuildError."""
    modules = ["--dep", "camera_edge", f"-Mroot={MODULE}/{entry}", f"-Mcamera_edge={SDK}/camera_edge.zig"]
    ziglang.run(stage, ["build-exe", *FLAGS, *modules, f"-femit-bin={OUTPUT}"], cache)
