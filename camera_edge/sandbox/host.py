"""Answers the calls of one analyzer's guest: the functions of import module `camera_edge`.

Invariant: a function returns a status and never raises, for wasmtime-py keeps a raised exception in one slot for the
whole process. Every number a guest hands over is checked before it is used, and every call costs fuel.
"""

from __future__ import annotations

import logging
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from camera_edge.errors import CameraEdgeError, ModuleError
from camera_edge.sandbox.answer import (
    ATTRIBUTES_BYTES_MAX,
    KIND_BYTES_MAX,
    RECORD,
    Draft,
    LogLine,
    Metric,
    Record,
    inside,
    printable,
)
from camera_edge.sandbox.capability import Capabilities
from camera_edge.sandbox.manifest import Manifest
from camera_edge.sandbox.memory import U32, GuestError, GuestMemory
from camera_edge.sandbox.services import Grants, Services
from camera_edge.sandbox.status import RefusedError, Status

log = logging.getLogger(__name__)

MODULE = "camera_edge"
CALL_FUEL = 10_000
INFER_FUEL = 1_000_000
NAME_BYTES_MAX = 256
METRIC_NAME_BYTES_MAX = 64
LOG_BYTES_MAX = 1024
LOG_LINES_A_SECOND = 64
METRICS_MAX = 64

_METRIC_NAME = re.compile(rb"[A-Za-z0-9_.]+")


@dataclass(frozen=True, slots=True)
class HostFunction:
    """A function a guest may import: its types as in ABI.md, and the capability it needs."""

    params: tuple[str, ...]
    result: str
    needs: str | None = None


FUNCTIONS: Mapping[str, HostFunction] = {
    "param_number": HostFunction(("i32", "i32", "f64"), "f64"),
    "param_text": HostFunction(("i32", "i32", "i32", "i32"), "i32"),
    "emit": HostFunction(("i32",), "i32", "pixels"),
    "score": HostFunction(("f64",), "i32", "pixels"),
    "score_at": HostFunction(("i32", "f64"), "i32", "pixels"),
    "mask": HostFunction(("i32", "i32", "i32", "i32"), "i32", "pixels"),
    "infer": HostFunction(("i32", "i32", "f32", "f32", "f32", "f32", "i32", "i32"), "i32", "onnx:<model>"),
    "state_get": HostFunction(("i32", "i32", "i32"), "i32", "state:<bytes>"),
    "state_put": HostFunction(("i32", "i32", "i32"), "i32", "state:<bytes>"),
    "log": HostFunction(("i32", "i32", "i32"), "i32"),
    "metric": HostFunction(("i32", "i32", "f64"), "i32"),
}
# a refusal of one of these spoils the frame's answer
_OUTPUTS = frozenset({"emit", "score", "score_at", "mask"})
_SPOILING = frozenset({Status.BAD_POINTER, Status.BAD_VALUE, Status.TOO_LARGE})


class Instance(Protocol):
    """What the host needs of the instance that calls it; `memory` is None until its start function has run."""

    memory: GuestMemory | None

    def charge(self, fuel: int) -> None: ...


class Host:
    """What the guest of one analyzer talks to. It outlives instances: the state store and the counts stay.

    `instance` is the present one, `draft` the answer to the present frame; None in between.
    """

    def __init__(self, manifest: Manifest, grants: Grants, services: Services) -> None:
        where = manifest.name
        self.manifest = manifest
        self.services = services
        self.granted = Capabilities.read(grants.capabilities, where=where).within(manifest.asked)
        self.params = manifest.with_defaults(grants.params)
        self.state = bytearray(grants.state)
        if len(self.state) > self.granted.state_bytes:
            hint = f"it was granted {self.granted.state_bytes}"
            raise ModuleError(f"a state of {len(self.state)} bytes is too large", where=where, hint=hint)
        self.instance: Instance | None = None
        self.draft: Draft | None = None
        self.media_us = 0
        self.logs: list[LogLine] = []
        self.metrics: list[Metric] = []
        self.calls: Counter[tuple[str, str]] = Counter()
        self._log_second = -1
        self._log_lines = 0
        self._copied_bytes = 0

    def grants(self, function: str) -> bool:
        needs = FUNCTIONS[function].needs
        if needs == "pixels":
            return self.granted.pixels
        if needs == "onnx:<model>":
            return bool(self.granted.models) and self.services.infer is not None
        return needs is None or self.granted.state_bytes > 0

    def function(self, name: str) -> Callable[..., int | float]:
        """The function to link under this name: it never raises."""
        if name == "param_number":
            return self._param_number
        return self._guarded(name, getattr(self, f"_{name}"))

    def present_memory(self) -> GuestMemory:
        """Raises GuestError while there is none, as in a module's start function."""
        memory = None if self.instance is None else self.instance.memory
        if memory is None:
            raise GuestError("the instance has no memory yet")
        return memory

    def take_logs(self) -> tuple[LogLine, ...]:
        lines = tuple(self.logs)
        self.logs.clear()
        return lines

    def take_metrics(self) -> tuple[Metric, ...]:
        metrics = tuple(self.metrics)
        self.metrics.clear()
        return metrics

    def say(self, level: int, data: bytes) -> Status:
        """Take a line for the log, where this second of media time has room for it."""
        second = self.media_us // 1_000_000
        if second != self._log_second:
            self._log_second, self._log_lines = second, 0
        if self._log_lines >= LOG_LINES_A_SECOND:
            return Status.TOO_MANY
        self._log_lines += 1
        self.logs.append(LogLine(level, printable(data[:LOG_BYTES_MAX])))
        # lines of frames that gave no answer wait here, the newest of them
        del self.logs[: -2 * LOG_LINES_A_SECOND]
        return Status.OK

    def read(self, pointer: int, length: int, *, longest: int | None = None) -> bytes:
        length &= U32
        if longest is not None and length > longest:
            raise RefusedError(Status.TOO_LARGE)
        data = self.present_memory().read(pointer, length)
        self._copied_bytes += length
        return data

    def write(self, pointer: int, data: bytes | memoryview) -> None:
        self.present_memory().write(pointer, data)
        self._copied_bytes += len(data)

    def pay(self, fuel: int) -> None:
        """Charge a call, and a unit for each byte that it copied."""
        if self.instance is not None:
            self.instance.charge(fuel + self._copied_bytes)
        self._copied_bytes = 0

    def _guarded(self, name: str, call: Callable[..., int]) -> Callable[..., int]:
        fuel = INFER_FUEL if name == "infer" else CALL_FUEL

        def answer(*args: int | float) -> int:
            try:
                result = int(call(*args))
            except GuestError:
                result = int(Status.BAD_POINTER)
            except RefusedError as refused:
                result = int(refused.status)
            except CameraEdgeError as error:
                log.warning("host function failed analyzer=%s name=%s error=%s", self.manifest.name, name, error)
                result = int(Status.FAILED)
            except Exception:
                log.exception("host function failed analyzer=%s name=%s", self.manifest.name, name)
                result = int(Status.INTERNAL)
            self.pay(fuel)
            self._note(name, result)
            return result

        return answer

    def _note(self, name: str, result: int) -> None:
        status = Status(min(result, 0))
        self.calls[name, status.name] += 1
        if name not in _OUTPUTS or self.draft is None:
            return
        if status in _SPOILING:
            self.draft.spoiled = f"{name} was refused: {status.name}"
        elif status is Status.TOO_MANY:
            self.draft.refused += 1

    def _now(self) -> Draft:
        if self.draft is None:
            raise RefusedError(Status.NOT_NOW)
        return self.draft

    def _name(self, pointer: int, length: int) -> str:
        try:
            return self.read(pointer, length, longest=NAME_BYTES_MAX).decode("utf-8")
        except UnicodeDecodeError as error:
            raise RefusedError(Status.BAD_VALUE) from error

    def _param_number(self, pointer: int, length: int, default: float) -> float:
        try:
            value = self.params.get(self._name(pointer, length))
        except (GuestError, RefusedError):
            value = None
        self.pay(CALL_FUEL)
        self.calls["param_number", Status.OK.name] += 1
        return float(value) if isinstance(value, int | float) else default

    def _param_text(self, pointer: int, length: int, buffer: int, capacity: int) -> int:
        value = self.params.get(self._name(pointer, length))
        if value is None:
            return Status.NOT_FOUND
        text = (value if isinstance(value, str) else f"{value:.15g}").encode()
        self.write(buffer, text[: capacity & U32])
        return len(text)

    def _emit(self, pointer: int) -> int:
        draft = self._now()
        draft.check_room()
        record = Record.unpack(self.read(pointer, RECORD.size))
        kind = self.read(record.kind_pointer, record.kind_bytes, longest=KIND_BYTES_MAX)
        attributes = self.read(record.attributes_pointer, record.attributes_bytes, longest=ATTRIBUTES_BYTES_MAX)
        draft.add_observation(record, kind, attributes)
        return Status.OK

    def _score(self, value: float) -> int:
        return self._score_at(0, value)

    def _score_at(self, lag: int, value: float) -> int:
        self._now().add_score(value, lag)
        return Status.OK

    def _mask(self, pointer: int, length: int, width: int, height: int) -> int:
        draft = self._now()
        draft.check_mask(length & U32, width, height)
        draft.set_mask(self.read(pointer, length), width, height)
        return Status.OK

    def _infer(self, pointer: int, length: int, *region_and_room: float) -> int:
        x, y, w, h, out, capacity = region_and_room
        self._now()
        model = self._name(pointer, length)
        if model not in self.granted.models:
            raise RefusedError(Status.NOT_GRANTED)
        room = int(capacity) & U32
        region = inside(x, y, w, h)
        self.present_memory().check(int(out), 4 * room)
        assert self.services.infer is not None, "infer is linked only where somebody runs models"
        outputs = self.services.infer(model, region).astype("<f4", copy=False).reshape(-1)
        if outputs.size > room:
            raise RefusedError(Status.TOO_LARGE)
        self.write(int(out), outputs.tobytes())
        return int(outputs.size)

    def _state_get(self, offset: int, buffer: int, capacity: int) -> int:
        offset, capacity = offset & U32, capacity & U32
        part = bytes(self.state[offset : offset + capacity])
        self.write(buffer, part)
        return len(part)

    def _state_put(self, offset: int, pointer: int, length: int) -> int:
        offset, length = offset & U32, length & U32
        if offset + length > self.granted.state_bytes:
            raise RefusedError(Status.TOO_LARGE)
        data = self.read(pointer, length)
        self.state.extend(bytes(max(0, offset - len(self.state))))
        self.state[offset : offset + length] = data
        return Status.OK

    def _log(self, level: int, pointer: int, length: int) -> int:
        if not 0 <= level <= 3:
            raise RefusedError(Status.BAD_VALUE)
        self.present_memory().check(pointer, length)
        return self.say(level, self.read(pointer, min(length & U32, LOG_BYTES_MAX)))

    def _metric(self, pointer: int, length: int, value: float) -> int:
        name = self.read(pointer, length, longest=METRIC_NAME_BYTES_MAX)
        if not _METRIC_NAME.fullmatch(name) or not math.isfinite(value):
            raise RefusedError(Status.BAD_VALUE)
        if len(self.metrics) >= METRICS_MAX:
            raise RefusedError(Status.TOO_MANY)
        self.metrics.append(Metric(name.decode("ascii"), value))
        return Status.OK
