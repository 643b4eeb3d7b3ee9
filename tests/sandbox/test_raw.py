import gc
import weakref

import pytest
import wasmtime
from wasmtime import Config, Engine, FuncType, Instance, Linker, Module, Store, Trap, TrapCode, ValType, WasmtimeError

from camera_edge.sandbox.raw import define
from camera_edge.sandbox.status import GuestEndError, OutOfFuelError

I32, I64, F32, F64 = ValType.i32, ValType.i64, ValType.f32, ValType.f64

GUEST = """(module
  (import "m" "all" (func $all (param i32 i64 f32 f64) (result f64)))
  (import "m" "none" (func $none))
  (func (export "all") (result f64)
    (call $all (i32.const -7) (i64.const -5000000000) (f32.const 0.5) (f64.const 1e300)))
  (func (export "none") (call $none)))"""


class Host:
    """What the guest called, and what it is answered."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, ...]] = []
        self.raises: type[BaseException] | None = None

    def all(self, *arguments: float) -> float:
        self.calls.append(arguments)
        return -2.25

    def none(self) -> None:
        if self.raises is not None:
            raise self.raises


def instance(host: Host) -> tuple[Store, Instance]:
    engine = Engine(Config())
    linker = Linker(engine)
    define(linker, "m", "all", FuncType([I32(), I64(), F32(), F64()], [F64()]), host.all)
    define(linker, "m", "none", FuncType([], []), host.none)
    store = Store(engine)
    return store, linker.instantiate_pre(Module(engine, GUEST)).instantiate(store)


def call(store: Store, guest: Instance, name: str) -> object:
    return guest.exports(store)[name](store)  # type: ignore[operator]


def test_values_of_every_type_arrive_and_return_with_their_sign() -> None:
    host = Host()
    store, guest = instance(host)
    gc.collect()
    assert call(store, guest, "all") == -2.25
    assert host.calls == [(-7, -5_000_000_000, 0.5, 1e300)]


def test_an_interruption_in_a_host_function_ends_the_call_and_is_raised_again() -> None:
    host = Host()
    store, guest = instance(host)
    call(store, guest, "none")
    host.raises = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        call(store, guest, "none")


def test_what_nobody_can_call_any_more_is_let_go() -> None:
    host = Host()
    store, guest = instance(host)
    gone = weakref.ref(host)
    del host
    assert gone() is not None
    store.close()
    del store, guest
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (OutOfFuelError, TrapCode.OUT_OF_FUEL),
        (GuestEndError, TrapCode.UNREACHABLE),
        (TypeError, None),
    ],
)
def test_an_exception_ends_the_guest_that_called_and_waits_for_nobody(
    raised: type[Exception], code: TrapCode | None, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host()
    store, guest = instance(host)
    host.raises = raised
    with pytest.raises((Trap, WasmtimeError)) as caught:
        call(store, guest, "none")
    assert getattr(caught.value, "trap_code", None) is code
    assert wasmtime._func.LAST_EXCEPTION is None
    assert [record.message for record in caplog.records] == ([] if code else ["host function failed name=none"])
    host.raises = None
    call(store, guest, "none")
