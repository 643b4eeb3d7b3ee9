"""Reads what a module asks for and an operator grants: `pixels`, `observations`, `onnx:<model>`, `nn.load`,
`state:<bytes>`.

Invariant: what a module did not ask for it does not get, and neither what it was not granted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from camera_edge.errors import ModuleError

PIXELS = "pixels"
OBSERVATIONS = "observations"
ANY_MODEL = "onnx:*"
MODEL = "model"
NN_LOAD = "nn.load"
STATE_BYTES_MAX = 16 << 20

_MODEL = re.compile(r"onnx:([A-Za-z0-9][A-Za-z0-9_.-]*|\*)")
_STATE = re.compile(r"state:([1-9][0-9]{0,8})")
_RESERVED = re.compile(r"telemetry:.+")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """A set of capabilities, read. `models` may hold `*` where it was asked for."""

    pixels: bool = False
    observations: bool = False
    models: frozenset[str] = frozenset()
    nn_load: bool = False
    state_bytes: int = 0

    @classmethod
    def read(cls, names: Iterable[str], *, where: str) -> Capabilities:
        """Raises ModuleError for a name that does not exist, is reserved, or asks for too much."""
        plain, models, state_bytes = set(), set(), 0
        for name in names:
            if name in (PIXELS, OBSERVATIONS, NN_LOAD):
                plain.add(name)
            elif model := _MODEL.fullmatch(name):
                models.add(model[1])
            elif state := _STATE.fullmatch(name):
                state_bytes = int(state[1])
            else:
                known = "pixels, observations, onnx:<model>, nn.load and state:<bytes>"
                hint = "this version does not have it yet" if _RESERVED.fullmatch(name) else f"there are {known}"
                raise ModuleError(f"unknown capability {name!r}", where=where, hint=hint)
        if state_bytes > STATE_BYTES_MAX:
            raise ModuleError(f"a state of {state_bytes} bytes", where=where, hint=f"{STATE_BYTES_MAX} at most")
        return cls(PIXELS in plain, OBSERVATIONS in plain, frozenset(models), NN_LOAD in plain, state_bytes)

    def within(self, asked: Capabilities) -> Capabilities:
        """What of this grant the module asked for."""
        models = self.models - {"*"}
        if "*" not in asked.models:
            models &= asked.models
        return Capabilities(
            pixels=self.pixels and asked.pixels,
            observations=self.observations and asked.observations,
            models=frozenset(models),
            nn_load=self.nn_load and asked.nn_load,
            state_bytes=min(self.state_bytes, asked.state_bytes),
        )

    def lacks(self, asked: Capabilities) -> list[str]:
        """What the module asks for beyond this grant, as the names that would grant it."""
        lacking = []
        if asked.pixels and not self.pixels:
            lacking.append(PIXELS)
        if asked.observations and not self.observations:
            lacking.append(OBSERVATIONS)
        if "*" in asked.models and not self.models:
            lacking.append("onnx:<model>")
        lacking += [f"onnx:{model}" for model in sorted(asked.models - self.models - {"*"})]
        if asked.nn_load and not self.nn_load:
            lacking.append(NN_LOAD)
        if asked.state_bytes > self.state_bytes:
            lacking.append(f"state:{asked.state_bytes}")
        return lacking


def all_asked(names: Iterable[str], params: Mapping[str, str | float]) -> frozenset[str]:
    """The grant that gives a module all it asks for; `onnx:*` becomes the models that parameters name."""
    granted = {name for name in names if name != ANY_MODEL}
    if ANY_MODEL in names:
        granted |= {f"onnx:{model}" for model in models_named(params).values()}
    return frozenset(granted)


def models_named(params: Mapping[str, str | float]) -> dict[str, str]:
    """Parameters that name a model: `model`, which comes first, and those that end in `_model`."""
    named = [name for name in sorted(params) if name == MODEL or name.endswith(f"_{MODEL}")]
    named.sort(key=lambda name: name != MODEL)
    return {name: model for name in named if isinstance(model := params[name], str) and model}
