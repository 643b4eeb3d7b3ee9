"""Links host functions without wasmtime-py's conversion of each value, which takes half the time of a call.

Invariant: whatever a function raises becomes a trap of the guest that called it. Only what is no Exception (Ctrl-C) is
raised again where the guest was called, for wasmtime-py has one slot for that, which all guests share.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import wasmtime
from wasmtime import FuncType, Linker, Trap, TrapCode, WasmtimeError
from wasmtime import _ffi as ffi

from camera_edge.sandbox.status import GuestEndError, OutOfFuelError

log = logging.getLogger(__name__)

# the C side holds a number, this side the function, until the C side lets go
_keeping: dict[int, object] = {}


# bound here, for at the end of the process the names of a module go before the last guest does
def _let_go(number: int | None, keeping: dict[int, object] = _keeping) -> None:
    keeping.pop(number or 0, None)


_FORGET = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_let_go)
# the C side may call it until the process is gone
ctypes.pythonapi.Py_IncRef(ctypes.py_object(_FORGET))


def define(linker: Linker, module: str, name: str, kind: FuncType, function: Callable[..., Any]) -> None:
    """Like `Linker.define_func`. Raises WasmtimeError where the name is taken."""
    params = [str(param) for param in kind.params]
    results = [str(result) for result in kind.results]
    call = _callback(params, results, function)
    number = id(call)
    _keeping[number] = call
    module_bytes, name_bytes = module.encode(), name.encode()
    error = ffi.wasmtime_linker_define_func_unchecked(
        linker.ptr(),
        ctypes.create_string_buffer(module_bytes),
        len(module_bytes),
        ctypes.create_string_buffer(name_bytes),
        len(name_bytes),
        kind.ptr(),
        call,
        number,
        _FORGET,
    )
    if error:
        raise WasmtimeError._from_ptr(error)


def is_in_host_function(frame: FrameType | None) -> bool:
    """Whether native code waits for what this frame, or one that called it, gives."""
    while frame is not None:
        if frame.f_code is _CALL:
            return True
        frame = frame.f_back
    return False


def _callback(params: list[str], results: list[str], function: Callable[..., Any]) -> Any:
    """`params`, `results`: names of value types, which are also the fields of a raw value."""
    places = list(enumerate(params))
    result_field = results[0] if results else None

    def call(_environment: int, _caller: Any, values: Any, _count: int) -> int:
        try:
            result = function(*[getattr(values[place], field) for place, field in places])
            if result_field is not None:
                setattr(values[0], result_field, result)
        except OutOfFuelError:
            return _address(ffi.wasmtime_trap_new_code(TrapCode.OUT_OF_FUEL.value))
        except GuestEndError:
            return _address(ffi.wasmtime_trap_new_code(TrapCode.UNREACHABLE.value))
        except Exception:
            log.exception("host function failed name=%s", getattr(function, "__name__", function))
            return _address(Trap("a host function failed")._consume())
        except BaseException as raised:  # noqa: BLE001  # nothing may unwind through native code
            wasmtime._func.LAST_EXCEPTION = raised  # type: ignore[assignment]
            return _address(Trap("the host was interrupted")._consume())
        return 0

    return ffi.wasmtime_func_unchecked_callback_t(call)


# the code of `call`, which is one for all functions
_CALL = next(each for each in _callback.__code__.co_consts if isinstance(each, CodeType) and each.co_name == "call")


def _address(trap: Any) -> int:
    return ctypes.cast(trap, ctypes.c_void_p).value or 0
