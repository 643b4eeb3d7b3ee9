"""WebAssembly analyzers in their sandboxes: the only door to wasmtime."""

from camera_edge.sandbox.admission import follows, ungranted
from camera_edge.sandbox.analyzer import Analyzer
from camera_edge.sandbox.answer import Answer, LogLine, Metric
from camera_edge.sandbox.batch import Batch, EventNow, Phase, Sighting
from camera_edge.sandbox.cache import Cache
from camera_edge.sandbox.capability import Capabilities, models_named
from camera_edge.sandbox.manifest import Manifest
from camera_edge.sandbox.module import ModuleFile, load_module, shipped, shipped_names
from camera_edge.sandbox.quarantine import Policy
from camera_edge.sandbox.ringmap import RingMap, unmappable
from camera_edge.sandbox.rulemodule import RuleModule
from camera_edge.sandbox.ruling import Relabel, Ruling
from camera_edge.sandbox.runtime import Program, Runtime
from camera_edge.sandbox.services import Grants, RegionsOf, Services
from camera_edge.sandbox.shelf import Shelf
from camera_edge.sandbox.status import Reason
from camera_edge.sandbox.tenant import Counters, FaultCount, HostCalls, Tenant

__all__ = [
    "Analyzer",
    "Answer",
    "Batch",
    "Cache",
    "Capabilities",
    "Counters",
    "EventNow",
    "FaultCount",
    "Grants",
    "HostCalls",
    "LogLine",
    "Manifest",
    "Metric",
    "ModuleFile",
    "Phase",
    "Policy",
    "Program",
    "Reason",
    "RegionsOf",
    "Relabel",
    "RingMap",
    "RuleModule",
    "Ruling",
    "Runtime",
    "Services",
    "Shelf",
    "Sighting",
    "Tenant",
    "follows",
    "load_module",
    "models_named",
    "shipped",
    "shipped_names",
    "ungranted",
    "unmappable",
]
