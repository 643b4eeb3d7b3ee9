"""Models: what is known of them, where an operator's are kept, and how a granted one is run.

Invariant: onnxruntime is loaded only by making a `Session` or by adding a model, never by importing this package.
"""

from camera_edge.inference.catalogue import Catalogue, Entry
from camera_edge.inference.contract import Contract, Output, PictureInput, parse_contract
from camera_edge.inference.graph import Graph, TensorSpec, fingerprint, load_runtime
from camera_edge.inference.model import Model, OutputShape, model_params
from camera_edge.inference.registry import Registry
from camera_edge.inference.session import Session

__all__ = [
    "Catalogue",
    "Contract",
    "Entry",
    "Graph",
    "Model",
    "Output",
    "OutputShape",
    "PictureInput",
    "Registry",
    "Session",
    "TensorSpec",
    "fingerprint",
    "load_runtime",
    "model_params",
    "parse_contract",
]
