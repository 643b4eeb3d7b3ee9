"""Runs an analyzer's C as native code in this process, to be timed against the sandbox.

Invariant: the same sources as the sandboxed module, for a CPU without extensions, which gains nothing from this one.
"""

from __future__ import annotations

import ctypes
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from camera_edge.errors import ModuleError
from camera_edge.toolchain.build import build_native, missing, sdk_folder
from camera_edge.toolchain.language import Language, language_of


class NativeModule:
    """An analyzer as a library of this process, opened with all its parameters."""

    def __init__(self, library: ctypes.CDLL, name: str, params: Mapping[str, str | float]) -> None:
        self.name = name
        self._library = library
        self._library.native_analyze.argtypes = [ctypes.c_void_p]
        for key, value in params.items():
            self._set_param(key, value)
        if library.native_open() < 0:
            raise ModuleError("the native build does not open", where=name)

    def analyze_ns(self, ring: memoryview, slot_offset: int) -> int:
        """Nanoseconds for the frame in this slot of a ring. Raises ModuleError where the module fails on it."""
        address = ctypes.addressof(ctypes.c_char.from_buffer(ring, slot_offset))
        started_ns = time.perf_counter_ns()
        result: int = self._library.native_analyze(address)
        spent_ns = time.perf_counter_ns() - started_ns
        if result < 0:
            raise ModuleError(f"the native build failed on a frame: analyze returned {result}", where=self.name)
        return spent_ns

    def _set_param(self, key: str, value: str | float) -> None:
        if isinstance(value, str):
            self._library.native_set_text(key.encode(), value.encode())
        else:
            self._library.native_set_number(key.encode(), ctypes.c_double(value))


@contextmanager
def native_module(
    name: str, params: Mapping[str, str | float], sources: Path | None = None
) -> Iterator[NativeModule | None]:
    """Builds and loads it from `sources`, by default those of the shipped module of this name.

    None where it is not in C, or where ziglang is not installed. Raises BuildError where it does not compile.
    """
    sources = sources or sdk_folder().parent / name
    if missing(Language.C) is not None or language_of(sources) is not Language.C:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="camera-edge-native-") as folder:
        library = Path(folder) / f"{name}.so"
        build_native(sources, library, sdk_folder())
        yield NativeModule(ctypes.CDLL(str(library)), name, params)
