"""Ctrl-C and SIGTERM while a guest calls the host."""

import signal
from collections.abc import Iterator

import pytest
from wasmtime import Config, Engine, FuncType, Linker, Module, Store

from camera_edge.cli.stopping import end_by_signals
from camera_edge.sandbox.raw import define

GUEST = '(module (import "m" "host" (func $host)) (func (export "go") (call $host)))'
NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Those of the test run come back."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    end_by_signals()
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_what_runs(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def test_a_host_function_is_left_to_its_end_first() -> None:
    done: list[str] = []

    def host() -> None:
        signal.raise_signal(signal.SIGTERM)
        done.append("host")

    engine = Engine(Config())
    linker = Linker(engine)
    define(linker, "m", "host", FuncType([], []), host)
    store = Store(engine)
    guest = linker.instantiate(store, Module(engine, GUEST))
    with pytest.raises(KeyboardInterrupt):
        guest.exports(store)["go"](store)  # type: ignore[operator]
        # the signal comes again
        signal.sigtimedwait([], 5)
    assert done == ["host"]
