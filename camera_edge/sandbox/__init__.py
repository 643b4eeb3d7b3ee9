"""WebAssembly analyzers in their sandboxes: the only door to wasmtime."""

from camera_edge.sandbox.analyzer import Analyzer, Counters, FaultCount, HostCalls
from camera_edge.sandbox.answer import Answer, LogLine, Metric
from camera_edge.sandbox.cache import Cache
from camera_edge.sandbox.manifest import Manifest
from camera_edge.sandbox.module import ModuleFile, load_module, shipped, shipped_names
from camera_edge.sandbox.quarantine import Policy
from camera_edge.sandbox.ringmap import RingMap
from camera_edge.sandbox.runtime import Program, Runtime
from camera_edge.sandbox.services import Grants, Services
from camera_edge.sandbox.status import Reason

__all__ = [
    "Analyzer",
    "Answer",
    "Cache",
    "Counters",
    "FaultCount",
    "Grants",
    "HostCalls",
    "LogLine",
    "Manifest",
    "Metric",
    "ModuleFile",
    "Policy",
    "Program",
    "Reason",
    "RingMap",
    "Runtime",
    "Services",
    "load_module",
    "shipped",
    "shipped_names",
]
