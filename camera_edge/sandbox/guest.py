"""Owns one instance of a module: its store, its memory, what is laid into it and the arrays its calls go through.

Invariant: after `close()` nothing of the instance is touched again; one thread uses a guest at a time. A call leaves
with the guest's answer or a GuestFault, never with a foreign exception.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import POINTER, byref, c_uint64
from dataclasses import dataclass
from typing import Any

from wasmtime import Engine, Instance, InstancePre, Store, Trap, TrapCode, WasmtimeError
from wasmtime import _ffi as ffi
from wasmtime._func import maybe_raise_last_exn

from camera_edge.sandbox.answer import printable
from camera_edge.sandbox.manifest import Limits
from camera_edge.sandbox.memory import GuestMemory
from camera_edge.sandbox.ringmap import PAGE_BYTES, Copied, Mapped, Part, RingMap, lay
from camera_edge.sandbox.slot import read_slot
from camera_edge.sandbox.status import ABI_VERSION, GuestFault, Reason

# the start, from the instance to `open`, and `close` may take more than a frame
START_FRAMES = 10
TABLE_ELEMENTS_MAX = 65536
WORDS_BYTES_MAX = 300
_MEMORY_TRAPS = frozenset({TrapCode.MEMORY_OUT_OF_BOUNDS})


@dataclass(frozen=True, slots=True)
class Linked:
    """A program with its imports answered for one camera, instantiated in microseconds."""

    engine: Engine
    pre: InstancePre
    limits: Limits
    metered: bool = True


@dataclass(frozen=True, slots=True)
class Inbox:
    """Room in a rule module's memory for what it is told; `size_bytes` is a multiple of 65536."""

    size_bytes: int


class Guest:
    """One instance. `start()` brings it to life up to its frames, then come `open`, `analyze` and `say_goodbye`.

    `space` is what the guest makes room for: the frames of a pixel analyzer, or the inbox of a rule module, whose calls
    are `observe` instead of `analyze`.
    """

    def __init__(self, linked: Linked, space: RingMap | Inbox) -> None:
        self.memory: GuestMemory | None = None
        self._linked = linked
        self._limits = linked.limits
        self._space = space
        self._memory_bytes_max = linked.limits.memory_bytes + space.size_bytes
        self._store: Store | None = Store(linked.engine)
        self._store.set_limits(self._memory_bytes_max, TABLE_ELEMENTS_MAX, 1, 4, 1)
        self._context = self._store._context()
        # made once: every call of the guest into the host comes by here several times
        self._fuel = c_uint64(0)
        self._fuel_at = byref(self._fuel)
        self._memory_at: Any = None
        self._budget = 0
        self._trap = POINTER(ffi.wasm_trap_t)()
        self._memory_handle: Any = None
        self._calls: dict[str, _Call] = {}
        self._frames: Mapped | Copied | None = None
        self._space_address = 0

    def start(self) -> None:
        """All that comes before `open`. Raises GuestFault."""
        self.instantiate()
        if "_initialize" in self._calls:
            self._run("_initialize")
        version = self.abi_version()
        if version != ABI_VERSION:
            raise GuestFault(Reason.ERROR, f"it speaks ABI {version}, this version of camera-edge ABI {ABI_VERSION}")
        self.make_room()

    def instantiate(self) -> None:
        """Memory, data and start function."""
        self._refill(START_FRAMES * self._limits.fuel_per_frame)
        assert self._store is not None, "a guest is started once"
        try:
            instance = self._linked.pre.instantiate(self._store)
        except Trap as trap:
            raise GuestFault(_reason(trap), f"its start function trapped: {_words(trap)}") from trap
        except WasmtimeError as error:
            raise GuestFault(Reason.MEMORY, _cause(str(error))) from error
        self._memory_handle = self._export(instance, b"memory").memory
        self._memory_at = byref(self._memory_handle)
        self.memory = GuestMemory(self._memory_address(), self._memory_bytes)
        for name, kind in _CALLED.items():
            item = self._export(instance, name.encode())
            if item is not None:
                self._calls[name] = _Call(item.func, kind)

    def abi_version(self) -> int:
        """The cheapest call there is."""
        return self._run("camera_edge_abi")

    def make_room(self) -> None:
        """Ask for space, and lay the frames there."""
        self._space_address = self._place()
        if isinstance(self._space, RingMap):
            self._frames = lay(self._space, self._memory_address() + self._space_address)

    @property
    def copies(self) -> bool:
        """Frames are copied into this guest, not mapped."""
        return isinstance(self._frames, Copied)

    def open(self) -> int:
        """What the guest's `open` returns, 0 where it has none."""
        return self._run("open") if "open" in self._calls else 0

    def analyze(self, slot_offset: int) -> int:
        """One frame, with a fresh budget and the true pixels. Returns what the guest returns, or raises GuestFault."""
        self.refresh(slot_offset)
        return self.look_at(slot_offset)

    def refresh(self, slot_offset: int) -> None:
        """What comes before a frame: the true pixels and a fresh budget. Raises GuestFault."""
        frames = self._frames
        if frames is None:
            raise GuestFault(Reason.ERROR, "the guest was not started")
        if isinstance(frames, Copied):
            frames.refresh(self._parts(slot_offset))
        else:
            frames.refresh()
        self._refill(self._limits.fuel_per_frame)

    def look_at(self, slot_offset: int) -> int:
        """The guest's own part of a frame, after `refresh`."""
        return self._run("analyze", self._space_address + slot_offset)

    def observe(self, batch: Callable[[int], bytes]) -> int:
        """What a rule module says to a batch; `batch(address)` gives its bytes for where they will lie.

        Returns what the guest returns, or raises GuestFault.
        """
        if self.memory is None:
            raise GuestFault(Reason.ERROR, "the guest was not started")
        self._refill(self._limits.fuel_per_frame)
        data = batch(self._space_address)
        self.memory.write(self._space_address, data)
        return self._run("observe", self._space_address, len(data))

    def say_goodbye(self) -> None:
        """The guest's own `close`. Raises GuestFault."""
        if "close" in self._calls:
            self._refill(START_FRAMES * self._limits.fuel_per_frame)
            self._run("close")

    def close(self) -> None:
        """Drop the instance and all its memory, the mapped frames too. Idempotent."""
        if self._store is not None:
            self.memory = None
            self._calls.clear()
            self._store.close()
            self._store = None

    @property
    def fuel_used(self) -> int:
        """Since the last refill."""
        return self._budget - self._fuel_left()

    def charge(self, fuel: int) -> bool:
        """Take fuel for a host call. False: there was not so much, and none is left."""
        left = self._fuel_left()
        self._set_fuel(left - fuel if left > fuel else 0)
        return left >= fuel

    def _memory_address(self) -> int:
        data = ffi.wasmtime_memory_data(self._context, self._memory_at)
        return ctypes.cast(data, ctypes.c_void_p).value or 0

    def _memory_bytes(self) -> int:
        if self._store is None:
            return 0
        size: int = ffi.wasmtime_memory_data_size(self._context, self._memory_at)
        return size

    def _export(self, instance: Instance, name: bytes) -> Any:
        item = ffi.wasmtime_extern_t()
        found = ffi.wasmtime_instance_export_get(
            self._context, byref(instance._instance), ctypes.c_char_p(name), len(name), byref(item)
        )
        return item.of if found else None

    def _parts(self, slot_offset: int) -> tuple[Part, ...]:
        """What a guest may look at in a frame: the slot, the one before, the map of zones."""
        assert isinstance(self._space, RingMap), "rule modules have no frames"
        slot = read_slot(self._space, slot_offset)
        parts = [Part(slot_offset, slot.size_bytes)]
        if slot.previous:
            parts.append(Part(slot_offset + slot.previous, slot.size_bytes))
        if slot.zones:
            parts.append(Part(slot_offset + slot.zones, slot.width * slot.height))
        return tuple(parts)

    def _place(self) -> int:
        """The address in the guest's memory where its space begins."""
        size = self._space.size_bytes
        if "camera_edge_ring" in self._calls:
            address = self._run("camera_edge_ring", size)
            if address < 0 and address & 0xFFFFFFFF > self._memory_bytes() - size:
                raise GuestFault(Reason.MEMORY, f"it has no {size} bytes for the {self._space_name}")
            address &= 0xFFFFFFFF
        else:
            address = self._memory_bytes()
            grown = c_uint64(0)
            error = ffi.wasmtime_memory_grow(
                self._context, byref(self._memory_handle), size // PAGE_BYTES, byref(grown)
            )
            if error:
                WasmtimeError._from_ptr(error)
                raise GuestFault(Reason.MEMORY, f"its memory cannot grow by the {size} bytes of the {self._space_name}")
        if address % PAGE_BYTES or address + size > self._memory_bytes():
            raise GuestFault(Reason.MEMORY, f"camera_edge_ring gave {address:#x}, which is not {size} bytes on a page")
        return address

    @property
    def _space_name(self) -> str:
        return "frame ring" if isinstance(self._space, RingMap) else "inbox"

    def _run(self, name: str, *arguments: int) -> int:
        if self._store is None:
            raise GuestFault(Reason.ERROR, "the guest is closed")
        call = self._calls.get(name)
        if call is None:
            raise GuestFault(Reason.ERROR, f"it exports no {name}")
        call.set(arguments)
        error = ffi.wasmtime_func_call(
            self._context, call.func, call.args, call.args_count, call.results, call.results_count, byref(self._trap)
        )
        if error:
            fault = WasmtimeError._from_ptr(error)
            # only what is no Exception gets past the host-function wall: Ctrl-C in the middle of a host call
            maybe_raise_last_exn()
            raise GuestFault(Reason.TRAP, _cause(str(fault)))
        if self._trap:
            self._raise_trap(name)
        return call.result

    def _raise_trap(self, name: str) -> None:
        trap = Trap._from_ptr(self._trap)
        self._trap = POINTER(ffi.wasm_trap_t)()
        reason = _reason(trap)
        if reason is Reason.TRAP and self._memory_bytes() > self._memory_bytes_max - PAGE_BYTES:
            reason = Reason.MEMORY
        raise GuestFault(reason, f"{name} trapped: {_words(trap)}")

    def _refill(self, fuel: int) -> None:
        self._budget = fuel
        self._set_fuel(fuel)

    def _set_fuel(self, fuel: int) -> None:
        if self._store is None or not self._linked.metered:
            return
        error = ffi.wasmtime_context_set_fuel(self._context, fuel)
        if error:
            raise WasmtimeError._from_ptr(error)

    def _fuel_left(self) -> int:
        if self._store is None:
            return 0
        if not self._linked.metered:
            return self._budget
        error = ffi.wasmtime_context_get_fuel(self._context, self._fuel_at)
        if error:
            raise WasmtimeError._from_ptr(error)
        return self._fuel.value


class _Call:
    """The raw call: through `Func.__call__` it takes ten times as long."""

    __slots__ = ("_func", "args", "args_count", "func", "results", "results_count")

    def __init__(self, func: Any, kind: tuple[int, int]) -> None:
        self.args_count, self.results_count = kind
        # a copy, for the union it comes from goes
        self._func = ffi.wasmtime_func_t.from_buffer_copy(func)
        self.func = byref(self._func)
        self.args = (ffi.wasmtime_val_t * max(1, self.args_count))()
        for argument in self.args:
            argument.kind = ffi.WASMTIME_I32
        self.results = (ffi.wasmtime_val_t * max(1, self.results_count))()

    def set(self, arguments: tuple[int, ...]) -> None:
        for place, argument in enumerate(arguments):
            self.args[place].of.i32 = argument

    @property
    def result(self) -> int:
        value: int = self.results[0].of.i32 if self.results_count else 0
        return value


# how many i32 each takes and gives; runtime.py has checked the types
_CALLED = {
    "_initialize": (0, 0),
    "camera_edge_abi": (0, 1),
    "camera_edge_ring": (1, 1),
    "open": (0, 1),
    "analyze": (1, 1),
    "observe": (2, 1),
    "close": (0, 0),
}


def _reason(trap: Trap) -> Reason:
    if trap.trap_code is TrapCode.OUT_OF_FUEL:
        return Reason.FUEL
    return Reason.MEMORY if trap.trap_code in _MEMORY_TRAPS else Reason.TRAP


def _words(trap: Trap) -> str:
    code = trap.trap_code
    return code.name.lower().replace("_", " ") if code else _cause(trap.message)


def _cause(text: str) -> str:
    """wasmtime's last line says why; the lines before it hold names that the guest chose."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return printable(lines[-1].encode()[:WORDS_BYTES_MAX]) if lines else "no message"
