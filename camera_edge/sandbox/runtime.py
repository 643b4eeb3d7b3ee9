"""Compiles modules, or takes them from the cache, and checks that they are analyzers.

Invariant: whatever could make two machines answer differently is off: threads, relaxed SIMD, time. The allocator is the
on-demand one: the pooling one would show a mapped frame to the next tenant of its memory.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.metadata
from dataclasses import dataclass, field

from wasmtime import Config, Engine, FuncType, MemoryType, Module, ValType, WasmtimeError

from camera_edge.errors import ModuleError
from camera_edge.sandbox.cache import Cache
from camera_edge.sandbox.manifest import Manifest
from camera_edge.sandbox.module import ModuleFile

# address space for each guest: with all 32 bits reserved, bounds checks are the hardware's
_RESERVED_BYTES = 4 << 30
_RESERVED_BYTES_NARROW = 512 << 20
# kernels with 39 bits of addresses (some 64-bit ARM boards) have room for a hundred sandboxes of 4 GiB and no more
_NARROW_BITS = 42

_I32 = ValType.i32()
# name: (parameters, results, needed)
_EXPORTS: dict[str, tuple[list[ValType], list[ValType], bool]] = {
    "camera_edge_abi": ([], [_I32], True),
    "analyze": ([_I32], [_I32], True),
    "open": ([], [_I32], False),
    "close": ([], [], False),
    "_initialize": ([], [], False),
    "camera_edge_ring": ([_I32], [_I32], False),
}
# linked, but not told by the compiler as an error: what the engine refuses comes with its own words
_OFF = (
    "wasm_threads",
    "wasm_relaxed_simd",
    "wasm_memory64",
    "wasm_multi_memory",
    "wasm_gc",
    "wasm_function_references",
    "wasm_exceptions",
    "wasm_stack_switching",
    "wasm_wide_arithmetic",
    "wasm_custom_page_sizes",
    "shared_memory",
)


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled module, ready to be linked for any number of cameras."""

    file: ModuleFile
    engine: Engine = field(repr=False)
    compiled: Module = field(repr=False)

    @property
    def manifest(self) -> Manifest:
        return self.file.manifest

    @property
    def name(self) -> str:
        return self.file.manifest.name


class Runtime:
    """The engine of this process; one is enough."""

    def __init__(self) -> None:
        self.engine = Engine(_config())
        # a compiled module names the engine, its settings and the CPU's features; an empty one is nothing else
        self.fingerprint = hashlib.sha256(bytes(Module(self.engine, b"\0asm\1\0\0\0").serialize())).hexdigest()

    @property
    def version(self) -> str:
        """For the record of an event."""
        return f"wasmtime {importlib.metadata.version('wasmtime')}"

    def load(self, file: ModuleFile, cache: Cache) -> Program:
        """The module, compiled. Raises ModuleError where it is none, is no analyzer, or may not be compiled here."""
        compiled = self._cached(file, cache)
        if compiled is None:
            if cache.read_only:
                raise ModuleError(
                    f"analyzer {file.manifest.name!r} is not compiled",
                    where=str(cache.folder),
                    hint="start the hub again: it compiles what the configuration names",
                )
            compiled = self.compile(file)
            cache.keep(self.fingerprint, file.sha256, bytes(compiled.serialize()))
        _check_exports(compiled, file.manifest.name)
        return Program(file, self.engine, compiled)

    def compile(self, file: ModuleFile) -> Module:
        """Without a cache. Raises ModuleError."""
        try:
            return Module(self.engine, file.wasm)
        except WasmtimeError as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise ModuleError(
                f"cannot be compiled: {reason}",
                where=file.manifest.name,
                hint="an analyzer is a core WebAssembly module; wasm_analyzers/ABI.md says which features it may use",
            ) from error

    def _cached(self, file: ModuleFile, cache: Cache) -> Module | None:
        path = cache.find(self.fingerprint, file.sha256)
        if path is None:
            return None
        try:
            # mapped from the file, so that workers share the code's memory
            return Module.deserialize_file(self.engine, str(path))
        except WasmtimeError as error:
            if cache.read_only:
                hint = "delete it and start the hub again"
                raise ModuleError("the compiled module is damaged", where=str(path), hint=hint) from error
            return None


def _config() -> Config:
    config = Config()
    config.consume_fuel = True
    config.memory_may_move = False
    config.memory_reservation = _RESERVED_BYTES if _address_bits() > _NARROW_BITS else _RESERVED_BYTES_NARROW
    # the compiler's threads would outlive the compilation, and start before a worker has confined itself
    config.parallel_compilation = False
    for feature in _OFF:
        setattr(config, feature, False)
    return config


def _address_bits() -> int:
    """How many bits of addresses this process has: the C library lies close to the top."""
    libc = ctypes.CDLL(None)
    return (ctypes.cast(libc.mmap, ctypes.c_void_p).value or 0).bit_length()


def _check_exports(compiled: Module, name: str) -> None:
    exports = {export.name: export.type for export in compiled.exports}
    if "observe" in exports and "analyze" not in exports:
        raise ModuleError("this is a rule module", where=name, hint="this version runs pixel analyzers only")
    if not isinstance(exports.get("memory"), MemoryType):
        raise ModuleError("exports no memory", where=name, hint="see wasm_analyzers/ABI.md")
    for export, (params, results, needed) in _EXPORTS.items():
        kind = exports.get(export)
        if kind is None and not needed:
            continue
        if not isinstance(kind, FuncType) or kind.params != params or kind.results != results:
            wanted = f"({', '.join(map(str, params))}) -> ({', '.join(map(str, results))})"
            fault = "does not export" if kind is None else "has another type for"
            raise ModuleError(f"{fault} {export} {wanted}", where=name, hint="see wasm_analyzers/ABI.md")
