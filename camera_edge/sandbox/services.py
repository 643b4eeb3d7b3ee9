"""What the worker hands to the sandbox of one analyzer: what it may do, with which parameters, and who runs models.

Invariant: values and callables only; the sandbox knows nothing of cameras, models or files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from camera_edge.observation import Box
from camera_edge.sandbox.nn import Graph

Infer = Callable[[str, Box], NDArray[np.float32]]
# None: the analyzer that is asked for gave no answer for this frame
RegionsOf = Callable[[], Sequence[Box] | None]


@dataclass(frozen=True, slots=True)
class Services:
    """Who runs models for a guest; None: nobody does.

    `infer(model, region)` runs a model on a region of the full frame that is being analysed, and gives all its outputs
    as one float32 array, one after the other. `graph(model)` gives one for wasi-nn, `load(onnx)` makes one of bytes of
    the guest's own. All raise CameraEdgeError, which the guest sees as a status. `regions()` says where the analyzer
    that this one follows saw something in the frame; None: it follows none.
    """

    infer: Infer | None = None
    graph: Callable[[str], Graph] | None = None
    load: Callable[[bytes], Graph] | None = None
    regions: RegionsOf | None = None


@dataclass(frozen=True, slots=True)
class Grants:
    """`capabilities` as in the manifest, with names of models; `state` is what the guest's store holds at the start."""

    capabilities: frozenset[str] = frozenset()
    params: Mapping[str, str | float] = field(default_factory=dict)
    state: bytes = b""
