"""Says whether a module is an analyzer that asks, in its manifest, for all that it imports.

Invariant: nothing of the module is compiled or run here. Its bytes are read, and validated by the engine that would run
it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from wasmtime import Module, WasmtimeError

from camera_edge.errors import ModuleError
from camera_edge.sandbox import functions, nn, wasi
from camera_edge.sandbox.answer import printable
from camera_edge.sandbox.capability import NN_LOAD, OBSERVATIONS, PIXELS, Capabilities
from camera_edge.sandbox.functions import FUNCTIONS
from camera_edge.sandbox.manifest import Manifest
from camera_edge.sandbox.module import ModuleFile
from camera_edge.sandbox.runtime import REASON_BYTES_MAX, Runtime, check_exports
from camera_edge.sandbox.sections import FunctionType, Import, Interface, Kind, read_interface

_ABI = "see wasm_analyzers/ABI.md"
# a function, and the parameter that says of whom it tells
REGIONS = "regions"
# either lets a guest use wasi-nn
_NN_NEEDS = ("onnx:", "nn.load")


def check_module(wasm: bytes, manifest: Manifest, runtime: Runtime) -> Interface:
    """What the module imports and exports. Raises ModuleError for the first thing that it may not be or do."""
    interface = read_interface(wasm, where=manifest.name)
    for wanted in interface.imports:
        fault = import_fault(wanted, manifest)
        if fault is not None:
            name = printable(f"{wanted.module}.{wanted.name}".encode())
            raise ModuleError(f"imports {name}: {fault}", where=manifest.name, hint=_ABI)
    check_exports(interface, manifest)
    try:
        Module.validate(runtime.engine, wasm)
    except WasmtimeError as error:
        reason = printable(str(error).strip().splitlines()[-1].strip().encode()[:REASON_BYTES_MAX])
        raise ModuleError(f"the module is not valid: {reason}", where=manifest.name, hint=_ABI) from error
    return interface


def needed(wanted: Import, manifest: Manifest) -> str | None:
    """The capability without which this import is not linked, as ABI.md writes it; None where it needs none.

    Either of two gives wasi-nn: the one that the manifest asks for counts.
    """
    if wanted.module == nn.MODULE:
        return "nn.load" if _asks(manifest, "nn.load") and not _asks(manifest, "onnx:") else "onnx:<model>"
    known = FUNCTIONS.get(wanted.name) if wanted.module == functions.MODULE else None
    return None if known is None else known.needs


def follows(module: ModuleFile, params: Mapping[str, str | float], wake_on: str | None) -> str | None:
    """The analyzer whose sightings the module asks for: the one that its parameter `regions` names, else its waker.

    None where it asks for none. Raises ModuleError where the binary cannot be read.
    """
    named = params.get(REGIONS)
    wanted = named if isinstance(named, str) and named else wake_on
    if wanted is None:
        return None
    imports = read_interface(module.wasm, where=module.manifest.name).imports
    return wanted if any((each.module, each.name) == (functions.MODULE, REGIONS) for each in imports) else None


def ungranted(module: ModuleFile, capabilities: Collection[str]) -> list[str]:
    """The imports of a module that are not linked under this grant, each with what it needs.

    Raises ModuleError where the binary cannot be read.
    """
    manifest = module.manifest
    given = Capabilities.read(capabilities, where=manifest.name).within(manifest.asked)
    lacking = []
    for wanted in read_interface(module.wasm, where=manifest.name).imports:
        needs = needed(wanted, manifest)
        if needs is not None and not _gives(given, needs):
            lacking.append(f"{wanted.module}.{wanted.name}, which needs {needs}")
    return lacking


def _gives(given: Capabilities, needs: str) -> bool:
    return {
        PIXELS: given.pixels,
        OBSERVATIONS: given.observations,
        "onnx:<model>": bool(given.models),
        NN_LOAD: given.nn_load,
        "state:<bytes>": given.state_bytes > 0,
    }[needs]


def import_fault(wanted: Import, manifest: Manifest) -> str | None:
    """Why a module of this manifest may not import this; None where it may."""
    if wanted.kind is not Kind.FUNCTION or wanted.function is None:
        return "an analyzer imports functions only"
    if wanted.module == wasi.MODULE:
        return None if wasi.may_be(wanted.name, wanted.function) else "it has another type there"
    if wanted.module == nn.MODULE:
        return None if _asks(manifest, *_NN_NEEDS) else "its manifest does not ask for a model"
    if wanted.module != functions.MODULE:
        return "there is nothing of that name"
    known = FUNCTIONS.get(wanted.name)
    if known is None:
        return "there is no such function in ABI 1"
    if wanted.function != FunctionType(known.params, (known.result,)):
        return f"its type is ({', '.join(known.params)}) -> {known.result}"
    if known.needs is not None and not _asks(manifest, known.needs.partition("<")[0]):
        return f"its manifest does not ask for {known.needs}"
    return None


def _asks(manifest: Manifest, *families: str) -> bool:
    return any(asked.startswith(families) for asked in manifest.capabilities)
