"""Builds an analyzer's C as native code, on this machine and for a plain CPU.

Invariant: the same sources as the shipped module, built with `-O3 -mcpu=baseline`, which gains nothing from this CPU.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from camera_edge.errors import ModuleError
from camera_edge.worker.plan import AnalyzerPlan

FLAGS = ("-std=c11", "-O3", "-mcpu=baseline", "-ffp-contract=off", "-shared", "-fPIC")


class NativeModule:
    """An analyzer as a library of this process. `analyze` takes the address of a slot, as the sandboxed one does."""

    def __init__(self, library: ctypes.CDLL, plan: AnalyzerPlan) -> None:
        self._library = library
        self._library.native_analyze.argtypes = [ctypes.c_void_p]
        for key, value in plan.module.manifest.with_defaults(plan.params).items():
            self._set_param(key, value)
        if library.native_open() < 0:
            raise ModuleError("the native build does not open", where=plan.name)

    def analyze(self, address: int) -> int:
        """What the module returns: negative where it failed."""
        result: int = self._library.native_analyze(address)
        return result

    def _set_param(self, key: str, value: str | float) -> None:
        if isinstance(value, str):
            self._library.native_set_text(key.encode(), value.encode())
        else:
            self._library.native_set_number(key.encode(), ctypes.c_double(value))


@contextmanager
def native_module(plan: AnalyzerPlan) -> Iterator[NativeModule | None]:
    """Builds and loads it; None where ziglang is not installed. Raises ModuleError where it does not compile."""
    if importlib.util.find_spec("ziglang") is None:
        yield None
        return
    with (
        tempfile.TemporaryDirectory(prefix="camera-edge-native-") as folder,
        as_file(files("camera_edge") / "shipped" / "source") as sources,
    ):
        yield NativeModule(ctypes.CDLL(str(_compile(plan.name, sources, Path(folder)))), plan)


def _compile(name: str, sources: Path, folder: Path) -> Path:
    library = folder / f"{name}.so"
    files_ = [str(path) for path in sorted([*(sources / name).glob("*.c"), *(sources / "sdk/c").glob("*.c")])]
    command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, f"-I{sources / 'sdk/c'}", *files_, "-o", str(library)]
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(folder / "zig"), "ZIG_LOCAL_CACHE_DIR": str(folder / "zig")}
    done = subprocess.run(command, env={**os.environ, **caches}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ModuleError(f"the native build failed: {done.stderr.strip()}", where=name)
    return library
