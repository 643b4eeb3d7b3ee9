"""Answers the calls of one analyzer's guest: the functions of import module `camera_edge`.

Invariant: a function returns a status, or ends its guest where that cannot pay; it raises nothing else. Every number a
guest hands over is checked before it is used, and every call is paid for before it is answered.
"""

from __future__ import annotations

import logging
import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from camera_edge.errors import CameraEdgeError, ModuleError
from camera_edge.sandbox.answer import (
    ATTRIBUTES_BYTES_MAX,
    BOX,
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
from camera_edge.sandbox.effort import Effort
from camera_edge.sandbox.functions import FUNCTIONS
from camera_edge.sandbox.manifest import Manifest
from camera_edge.sandbox.memory import U32, GuestError, GuestMemory, NoMemoryError
from camera_edge.sandbox.ruling import RulingDraft
from camera_edge.sandbox.services import Grants, Services
from camera_edge.sandbox.status import GuestEndError, OutOfFuelError, RefusedError, Status

log = logging.getLogger(__name__)

CALL_FUEL = 10_000
INFER_FUEL = 1_000_000
ATTRIBUTE_BYTE_FUEL = 10
NAME_BYTES_MAX = 256
METRIC_NAME_BYTES_MAX = 64
LOG_BYTES_MAX = 1024
LOG_LINES_A_SECOND = 64
METRICS_MAX = 64
# a model may take a thousand times as long as its fuel says, so the fuel alone bounds nothing
INFERENCES_MAX = 64
# models that a guest brings, in one frame or before its first: well below what the hub takes for a hanging worker
OWN_MODELS_S = 2.0

_METRIC_NAME = re.compile(rb"[A-Za-z0-9_.]+")


# a refusal of one of these spoils the frame's answer
_OUTPUTS = frozenset({"emit", "score", "score_at", "mask", "raise", "veto", "relabel"})
_SPOILING = frozenset({Status.BAD_POINTER, Status.BAD_VALUE, Status.TOO_LARGE, Status.NOT_FOUND})


class Instance(Protocol):
    """What the host needs of the instance that calls it; `memory` is None until its start function has run."""

    memory: GuestMemory | None

    def charge(self, fuel: int) -> bool: ...


class Host:
    """What the guest of one analyzer talks to. It outlives instances: the state store and the counts stay.

    `instance` is the present one, `draft` the answer to the present frame or batch; None in between.
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
        self.draft: Draft | RulingDraft | None = None
        self.media_us = 0
        self.logs: list[LogLine] = []
        self.metrics: list[Metric] = []
        self.calls: Counter[tuple[str, str]] = Counter()
        self._inferences = 0
        self._defects: set[str] = set()
        self.granted_models, self._own_models = Effort(), Effort()
        self.ended: str | None = None
        """Why the host ended the guest, where that was not for fuel."""
        self._inferring: tuple[Instance | None, Draft | RulingDraft | None] = (None, None)
        self._log_second = -1
        self._log_lines = 0
        self._copied_bytes = 0

    def grants(self, function: str) -> bool:
        needs = FUNCTIONS[function].needs
        if needs == "pixels":
            return self.granted.pixels
        if needs == "observations":
            return self.granted.observations
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
            raise NoMemoryError("the instance has no memory yet")
        return memory

    def begin_frame(self) -> None:
        self.granted_models, self._own_models = Effort(), Effort()
        self.ended = None

    def note_inference(self, spent: Effort, *, own: bool) -> None:
        """How long a model ran for the guest: one of its own, which it pays for, or one that the operator granted.

        Raises GuestEndError where its own take more than their time.
        """
        if not own:
            self.granted_models += spent
            return
        self._own_models += spent
        if self._own_models.wall_ns > OWN_MODELS_S * 1e9:
            self.ended = f"models of its own took more than {OWN_MODELS_S:g} s"
            raise GuestEndError

    def may_infer(self) -> bool:
        """Whether the guest may run one more model in this frame, or before its first; it is counted."""
        if self._inferring[0] is not self.instance or self._inferring[1] is not self.draft:
            self._inferring, self._inferences = (self.instance, self.draft), 0
        self._inferences += 1
        return self._inferences <= INFERENCES_MAX

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
        # the bytes were made, so they are paid for, wherever the guest wants them
        self._copied_bytes += len(data)
        self.present_memory().write(pointer, data)

    def pay(self, fuel: int) -> None:
        """Charge this much. Raises OutOfFuelError, which ends the guest, where it has less.

        Without that end it could go on calling: wasmtime looks at the fuel in loops and at the entry of functions only.
        """
        if self.instance is not None and not self.instance.charge(fuel):
            raise OutOfFuelError

    def pay_for_bytes(self) -> None:
        """Charge a unit for each byte that the present call copied. Raises OutOfFuelError."""
        copied, self._copied_bytes = self._copied_bytes, 0
        if copied:
            self.pay(copied)

    def _guarded(self, name: str, call: Callable[..., int]) -> Callable[..., int]:
        fuel = INFER_FUEL if name == "infer" else CALL_FUEL

        def answer(*args: int | float) -> int:
            self.pay(fuel)
            words = ""
            try:
                result = int(call(*args))
            except GuestError:
                result = int(Status.BAD_POINTER)
            except RefusedError as refused:
                result, words = int(refused.status), refused.words
            except CameraEdgeError as error:
                result = int(Status.FAILED)
                if self._first(name, Status.FAILED):
                    log.warning("host function failed analyzer=%s name=%s error=%s", self.manifest.name, name, error)
            except Exception:
                result = int(Status.INTERNAL)
                if self._first(name, Status.INTERNAL):
                    log.exception("host function failed analyzer=%s name=%s", self.manifest.name, name)
            result = self._note(name, result, words)
            self.pay_for_bytes()
            return result

        return answer

    def _first(self, name: str, status: Status) -> bool:
        """A guest decides how often it calls: the host's log gets the first failure, the counters all."""
        return not self.calls[name, status.name]

    def log_defect(self, module: str, name: str) -> None:
        """A host function of another module failed with the present exception: the first time, it is logged."""
        if name not in self._defects:
            self._defects.add(name)
            log.exception("host function failed analyzer=%s name=%s.%s", self.manifest.name, module, name)

    def _note(self, name: str, result: int, words: str) -> int:
        """Count the call, and what it does to the answer. A status that the contract does not name is a defect."""
        status = Status.OK if result >= 0 else Status(result)
        if status < 0 and status is not Status.INTERNAL and status not in FUNCTIONS[name].statuses:
            if self._first(name, Status.INTERNAL):
                log.error("host function broke the contract name=%s status=%s", name, status.name)
            status = Status.INTERNAL
            result = int(status)
        self.calls[name, status.name] += 1
        if name in _OUTPUTS and self.draft is not None:
            if status in _SPOILING:
                self.draft.spoiled = f"{name} was refused: {status.name}" + (f", {words}" if words else "")
            elif status is Status.TOO_MANY:
                self.draft.refused += 1
        return result

    def _now(self) -> Draft:
        if not isinstance(self.draft, Draft):
            raise RefusedError(Status.NOT_NOW)
        return self.draft

    def _ruling_now(self) -> RulingDraft:
        if not isinstance(self.draft, RulingDraft):
            raise RefusedError(Status.NOT_NOW)
        return self.draft

    def _name(self, pointer: int, length: int) -> str:
        try:
            return self.read(pointer, length, longest=NAME_BYTES_MAX).decode("utf-8")
        except UnicodeDecodeError as error:
            raise RefusedError(Status.BAD_VALUE) from error

    def _param_number(self, pointer: int, length: int, default: float) -> float:
        self.pay(CALL_FUEL)
        try:
            value = self.params.get(self._name(pointer, length))
        except (GuestError, RefusedError):
            value = None
        self.calls["param_number", Status.OK.name] += 1
        self.pay_for_bytes()
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
        draft.add_observation(*self._record(pointer))
        return Status.OK

    def _record(self, pointer: int) -> tuple[Record, bytes, bytes]:
        """A record of `emit` or `raise`, its kind, its attributes."""
        record = Record.unpack(self.read(pointer, RECORD.size))
        kind = self.read(record.kind_pointer, record.kind_bytes, longest=KIND_BYTES_MAX)
        attributes = self.read(record.attributes_pointer, record.attributes_bytes, longest=ATTRIBUTES_BYTES_MAX)
        # reading JSON takes about that much longer than copying it
        self._copied_bytes += (ATTRIBUTE_BYTE_FUEL - 1) * len(attributes)
        return record, kind, attributes

    def _raise(self, pointer: int) -> int:
        self._ruling_now().raise_event(*self._record(pointer))
        return Status.OK

    def _veto(self, event: int) -> int:
        self._ruling_now().veto(event & U32)
        return Status.OK

    def _relabel(self, event: int, pointer: int, length: int, score: float) -> int:
        self._ruling_now().relabel(event & U32, self.read(pointer, length, longest=KIND_BYTES_MAX), score)
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
        if not self.may_infer():
            raise RefusedError(Status.TOO_MANY)
        started = Effort.now()
        outputs = self.services.infer(model, region).astype("<f4", "C", copy=False).reshape(-1)
        self.note_inference(Effort.now() - started, own=False)
        if outputs.size > room:
            raise RefusedError(Status.TOO_LARGE)
        # as it is: a detector's answer is a megabyte, and once is enough to copy it
        self.write(int(out), outputs.data.cast("B") if outputs.size else b"")
        return int(outputs.size)

    def _regions(self, buffer: int, capacity: int) -> int:
        self._now()
        if self.services.regions is None:
            return Status.NOT_FOUND
        boxes = self.services.regions()
        if boxes is None:
            return Status.FAILED
        room = boxes[: capacity & U32]
        self.write(buffer, b"".join(BOX.pack(box.x, box.y, box.w, box.h) for box in room))
        return len(boxes)

    def _state_get(self, offset: int, buffer: int, capacity: int) -> int:
        offset, capacity = offset & U32, capacity & U32
        length = max(0, min(capacity, len(self.state) - offset))
        self.present_memory().check(buffer, length)
        self.write(buffer, bytes(memoryview(self.state)[offset : offset + length]))
        return length

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
