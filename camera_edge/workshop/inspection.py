"""Says what a module is, what it asks for, what it imports, and which capability each import needs.

Invariant: the module is read, not compiled and not run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from camera_edge.config import Config
from camera_edge.sandbox import Capabilities, Manifest, ModuleFile
from camera_edge.sandbox.admission import import_fault, needed
from camera_edge.sandbox.answer import printable
from camera_edge.sandbox.capability import NN_LOAD
from camera_edge.sandbox.nn import MODULE as WASI_NN
from camera_edge.sandbox.sections import read_interface

# what naming a module for a camera grants
IMPLIED = frozenset({"pixels", "observations"})
ANALYZER, RULE_MODULE = "analyzer", "rule module"


@dataclass(frozen=True, slots=True)
class ImportedFunction:
    """`needs` None: it needs no capability. `fault`: why it is not linked, whatever is granted; None: it can be."""

    module: str
    name: str
    needs: str | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class CameraGrant:
    """What one camera of a configuration grants. `lacking`: what the module asks for beyond that."""

    camera: str
    granted: tuple[str, ...]
    lacking: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ViewLooked:
    format: str
    max_width: int


@dataclass(frozen=True, slots=True)
class LimitsSet:
    memory_bytes: int
    fuel_per_frame: int
    observations: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """`params` None: it takes any. `cameras`: those that name the module; None: no configuration was given.

    `revoked`: the digest by which it may not run. `view` None: a rule module sees no pixels. `idle`: what it
    asks for, and imports nothing that needs it.
    """

    name: str
    version: str
    what: str
    origin: str
    signer: str | None
    revoked: str | None
    sha256: str
    size_bytes: int
    view: ViewLooked | None
    kinds: tuple[str, ...]
    params: Mapping[str, str | float] | None
    limits: LimitsSet
    asked: tuple[str, ...]
    idle: tuple[str, ...]
    imports: tuple[ImportedFunction, ...]
    cameras: tuple[CameraGrant, ...] | None


def inspect(module: ModuleFile, config: Config | None, revoked: str | None = None) -> Inspection:
    """`revoked`: one of its digests that is revoked. Raises ModuleError where the binary cannot be read."""
    manifest = module.manifest
    imports = imports_of(module)
    return Inspection(
        name=manifest.name,
        version=manifest.version,
        what=RULE_MODULE if manifest.is_rule else ANALYZER,
        origin=module.origin,
        signer=module.signer,
        revoked=revoked,
        sha256=module.sha256,
        size_bytes=len(module.wasm),
        view=None if manifest.is_rule else ViewLooked(manifest.view.format, manifest.view.max_width),
        kinds=manifest.kinds,
        params=manifest.params,
        limits=LimitsSet(manifest.limits.memory_bytes, manifest.limits.fuel_per_frame, manifest.limits.observations),
        asked=manifest.capabilities,
        idle=_idle(manifest, imports),
        imports=imports,
        cameras=None if config is None else _cameras(module, config),
    )


def imports_of(module: ModuleFile) -> tuple[ImportedFunction, ...]:
    """What the module imports, in the order of the binary. Raises ModuleError where it cannot be read."""
    manifest = module.manifest
    return tuple(
        ImportedFunction(_shown(each.module), _shown(each.name), needed(each, manifest), import_fault(each, manifest))
        for each in read_interface(module.wasm, where=manifest.name).imports
    )


def _shown(name: str) -> str:
    """Harmless in a terminal."""
    return printable(name.encode("utf-8", "replace"))


def _idle(manifest: Manifest, imports: tuple[ImportedFunction, ...]) -> tuple[str, ...]:
    needs = {each.needs.partition("<")[0] for each in imports if each.needs is not None}
    if any(each.module == WASI_NN for each in imports):
        needs.add(NN_LOAD)
    return tuple(each for each in manifest.capabilities if each not in IMPLIED and not each.startswith(tuple(needs)))


def _cameras(module: ModuleFile, config: Config) -> tuple[CameraGrant, ...]:
    """Cameras that name the module, in the order of the configuration. Naming it grants pixels or observations."""
    manifest, grants = module.manifest, []
    for camera, settings in config.cameras.items():
        named = settings.analyzers.get(manifest.name)
        if named is None:
            continue
        granted = sorted(IMPLIED & set(manifest.capabilities)) + named.grant
        lacking = Capabilities.read(granted, where=f"cameras.{camera}").lacks(manifest.asked)
        grants.append(CameraGrant(camera, tuple(granted), tuple(lacking)))
    return tuple(grants)
