"""Builds an analyzer's C as native code, on this machine and for a plain CPU, and times it on the same frames.

Invariant: the same sources as the shipped module, built with `-O3 -mcpu=baseline`, which gains nothing from this CPU.
"""

from __future__ import annotations

import ctypes
import importlib.util
import mmap
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from statistics import median

from camera_edge.capture import Frame
from camera_edge.errors import ModuleError
from camera_edge.frames import Ring, View
from camera_edge.worker.plan import AnalyzerPlan

FLAGS = ("-std=c11", "-O3", "-mcpu=baseline", "-ffp-contract=off", "-shared", "-fPIC")


def native_ms(plan: AnalyzerPlan, frames: Sequence[Frame]) -> float | None:
    """Median milliseconds of a native call of `analyze`; None where ziglang is not installed.

    Raises ModuleError where the sources do not compile.
    """
    if importlib.util.find_spec("ziglang") is None:
        return None
    with (
        tempfile.TemporaryDirectory(prefix="camera-edge-native-") as folder,
        as_file(files("camera_edge") / "shipped" / "source") as sources,
    ):
        library = ctypes.CDLL(str(_compile(plan.name, sources, Path(folder))))
        for key, value in plan.module.manifest.with_defaults(plan.params).items():
            _set_param(library, key, value)
        return _time(library, plan, frames)


def _compile(name: str, sources: Path, folder: Path) -> Path:
    library = folder / f"{name}.so"
    files_ = [str(path) for path in sorted([*(sources / name).glob("*.c"), *(sources / "sdk/c").glob("*.c")])]
    command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, f"-I{sources / 'sdk/c'}", *files_, "-o", str(library)]
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(folder / "zig"), "ZIG_LOCAL_CACHE_DIR": str(folder / "zig")}
    done = subprocess.run(command, env={**os.environ, **caches}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ModuleError(f"the native build failed: {done.stderr.strip()}", where=name)
    return library


def _set_param(library: ctypes.CDLL, key: str, value: str | float) -> None:
    if isinstance(value, str):
        library.native_set_text(key.encode(), value.encode())
    else:
        library.native_set_number(key.encode(), ctypes.c_double(value))


def _time(library: ctypes.CDLL, plan: AnalyzerPlan, frames: Sequence[Frame]) -> float:
    library.native_analyze.argtypes = [ctypes.c_void_p]
    picture = frames[0].picture
    times_ms: list[float] = []
    with (
        Ring(View.fit(plan.module.manifest.view.spec, picture.width, picture.height)) as ring,
        mmap.mmap(ring.fd, ring.size_bytes) as memory,
    ):
        first = ctypes.c_char.from_buffer(memory)
        address = ctypes.addressof(first)
        if library.native_open() < 0:
            raise ModuleError("the native build does not open", where=plan.name)
        for frame in frames:
            slot = ring.write(frame.picture, sequence=frame.id, media_us=frame.media_us)
            assert slot is not None, "every slot is given back"
            started_ns = time.thread_time_ns()
            result = library.native_analyze(address + slot.offset)
            times_ms.append((time.thread_time_ns() - started_ns) / 1e6)
            ring.release(slot)
            if result < 0:
                raise ModuleError(f"the native build failed on frame {frame.id}", where=plan.name)
        del first
    return median(times_ms)
