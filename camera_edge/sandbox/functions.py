"""The functions of import module `camera_edge`, as a table: what ABI.md says of each.

Invariant: a function never returns a status that does not stand here (`host.py` holds it, `tests/sandbox/test_abi.py`
holds this table against the contract).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from camera_edge.sandbox.status import Status

MODULE = "camera_edge"


@dataclass(frozen=True, slots=True)
class HostFunction:
    """A function a guest may import, as ABI.md has it.

    takes: its parameters, each a name and a type. needs: the capability without which it is not linked.
    statuses: what it may return beside 0, a count and INTERNAL.
    """

    takes: str
    result: str
    needs: str | None = None
    statuses: frozenset[Status] = frozenset()

    @property
    def params(self) -> tuple[str, ...]:
        """The types of its parameters."""
        return tuple(param.split()[1] for param in self.takes.split(", "))


_POINTER, _VALUE, _LARGE = Status.BAD_POINTER, Status.BAD_VALUE, Status.TOO_LARGE
_UNKNOWN, _MANY, _NOW = Status.NOT_FOUND, Status.TOO_MANY, Status.NOT_NOW
_RECORD = frozenset({_POINTER, _VALUE, _MANY, _LARGE, _NOW})
_INFER = frozenset({_POINTER, _VALUE, Status.NOT_GRANTED, _MANY, _LARGE, _NOW, Status.FAILED})

FUNCTIONS: Mapping[str, HostFunction] = {
    "param_number": HostFunction("name_ptr i32, name_len i32, default f64", "f64"),
    "param_text": HostFunction(
        "name_ptr i32, name_len i32, buf i32, cap i32", "i32", None, frozenset({_POINTER, _VALUE, _UNKNOWN, _LARGE})
    ),
    "emit": HostFunction("record i32", "i32", "pixels", _RECORD),
    "score": HostFunction("value f64", "i32", "pixels", frozenset({_VALUE, _MANY, _NOW})),
    "score_at": HostFunction("lag i32, value f64", "i32", "pixels", frozenset({_VALUE, _MANY, _NOW})),
    "mask": HostFunction(
        "ptr i32, len i32, width i32, height i32", "i32", "pixels", frozenset({_POINTER, _VALUE, _NOW})
    ),
    "infer": HostFunction(
        "model_ptr i32, model_len i32, x f32, y f32, w f32, h f32, out i32, cap i32", "i32", "onnx:<model>", _INFER
    ),
    "regions": HostFunction("buf i32, cap i32", "i32", "pixels", frozenset({_POINTER, _UNKNOWN, _NOW, Status.FAILED})),
    "raise": HostFunction("record i32", "i32", "observations", _RECORD),
    "veto": HostFunction("event i32", "i32", "observations", frozenset({_UNKNOWN, _NOW})),
    "relabel": HostFunction(
        "event i32, kind_ptr i32, kind_len i32, score f32",
        "i32",
        "observations",
        frozenset({_POINTER, _VALUE, _UNKNOWN, _LARGE, _NOW}),
    ),
    "state_get": HostFunction("offset i32, buf i32, cap i32", "i32", "state:<bytes>", frozenset({_POINTER})),
    "state_put": HostFunction("offset i32, ptr i32, len i32", "i32", "state:<bytes>", frozenset({_POINTER, _LARGE})),
    "log": HostFunction("level i32, ptr i32, len i32", "i32", None, frozenset({_POINTER, _VALUE, _MANY})),
    "metric": HostFunction(
        "name_ptr i32, name_len i32, value f64", "i32", None, frozenset({_POINTER, _VALUE, _MANY, _LARGE})
    ),
}
