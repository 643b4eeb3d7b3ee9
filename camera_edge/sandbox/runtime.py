"""Compiles modules, or takes them from the cache, and checks that they are analyzers.

Invariant: whatever could make two machines answer differently is off: threads, relaxed SIMD, time. The allocator is the
on-demand one: the pooling one would show a mapped frame to the next tenant of its memory.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from wasmtime import Config, Engine, Module, WasmtimeError

from camera_edge.errors import ModuleError
from camera_edge.installed import installed_version
from camera_edge.sandbox.answer import printable
from camera_edge.sandbox.cache import Cache
from camera_edge.sandbox.manifest import Manifest
from camera_edge.sandbox.module import ModuleFile
from camera_edge.sandbox.sections import FunctionType, Interface, Kind, read_interface

# address space for each guest: with all 32 bits reserved, bounds checks are the hardware's
_RESERVED_BYTES = 4 << 30
_RESERVED_BYTES_NARROW = 512 << 20
# kernels with 39 bits of addresses (some 64-bit ARM boards) have room for a hundred sandboxes of 4 GiB and no more
_NARROW_BITS = 42
REASON_BYTES_MAX = 300

# name: (parameters, results, needed); of `analyze` and `observe` each kind of module needs its own
_EXPORTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], bool]] = {
    "camera_edge_abi": ((), ("i32",), True),
    "analyze": (("i32",), ("i32",), False),
    "observe": (("i32", "i32"), ("i32",), False),
    "open": ((), ("i32",), False),
    "close": ((), (), False),
    "_initialize": ((), (), False),
    "camera_edge_ring": (("i32",), ("i32",), False),
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
    interface: Interface
    engine: Engine = field(repr=False)
    compiled: Module = field(repr=False)
    metered: bool = True

    @property
    def manifest(self) -> Manifest:
        return self.file.manifest

    @property
    def name(self) -> str:
        return self.file.manifest.name


class Runtime:
    """The engine of this process; one is enough.

    `target`: another than this CPU's; "pulley64" is wasmtime's interpreter. A foreign CPU's name ends the process.
    `metered` False: guests have no budget, to measure what it costs; nothing else may run so.
    """

    def __init__(self, target: str | None = None, *, metered: bool = True) -> None:
        self.metered = metered
        self.engine = Engine(_config(target, metered))
        # a compiled module names the engine, its settings and the CPU's features; an empty one is nothing else
        self.fingerprint = hashlib.sha256(bytes(Module(self.engine, b"\0asm\1\0\0\0").serialize())).hexdigest()

    @property
    def version(self) -> str:
        """For the record of an event."""
        return f"wasmtime {installed_version('wasmtime')}"

    def load(self, file: ModuleFile, cache: Cache) -> Program:
        """The module, compiled. Raises ModuleError where it is none, is no analyzer, or may not be compiled here."""
        compiled = self._cached(file, cache)
        if compiled is None:
            if cache.read_only:
                raise ModuleError(
                    f"analyzer {file.manifest.name!r} is not compiled",
                    where=str(cache.folder),
                    hint="the hub compiles what the configuration names; its log says why it could not",
                )
            compiled = self.compile(file)
            cache.keep(self.fingerprint, file.sha256, bytes(compiled.serialize()))
        # never by wasmtime's own types: its C interface ends the process where one of them holds a v128
        interface = read_interface(file.wasm, where=file.manifest.name)
        check_exports(interface, file.manifest)
        return Program(file, interface, self.engine, compiled, self.metered)

    def compile(self, file: ModuleFile) -> Module:
        """Without a cache. Raises ModuleError."""
        try:
            return Module(self.engine, file.wasm)
        except WasmtimeError as error:
            reason = printable(str(error).strip().splitlines()[-1].strip().encode()[:REASON_BYTES_MAX])
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


def _config(target: str | None, metered: bool) -> Config:
    config = Config()
    if target is not None:
        config.target = target
    config.consume_fuel = metered
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


def check_exports(interface: Interface, manifest: Manifest) -> None:
    """Raises ModuleError for the first export that is missing or of another type."""
    where, called = manifest.name, "observe" if manifest.is_rule else "analyze"
    exports = {export.name: export for export in interface.exports}
    memory = exports.get("memory")
    if memory is None or memory.kind is not Kind.MEMORY:
        raise ModuleError("exports no memory", where=where, hint="see wasm_analyzers/ABI.md")
    for name, (params, results, needed) in _EXPORTS.items():
        export, wanted = exports.get(name), FunctionType(params, results)
        if export is None and not needed and name != called:
            continue
        if export is None or export.function != wanted:
            fault = "does not export" if export is None else "has another type for"
            raise ModuleError(f"{fault} {name} {wanted}", where=where, hint="see wasm_analyzers/ABI.md")
