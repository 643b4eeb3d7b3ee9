from __future__ import annotations

import pytest
import wasmtime

from camera_edge.sandbox import Manifest, ModuleFile
from camera_edge.worker.choice import Choice, choose

NOTHING: frozenset[str] = frozenset()


STATE_GET = '(import "camera_edge" "state_get" (func (param i32 i32 i32) (result i32)))'


def version(number: str, *asks: str, params: dict[str, str | float] | None = None, imports: str = "") -> ModuleFile:
    manifest = Manifest("m", number, 1, (), ("pixels", *asks), params=params)
    return ModuleFile(manifest, bytes(wasmtime.wat2wasm(f"(module {imports})")), number, "installed")


def chosen(choice: Choice) -> list[str]:
    """The versions to try, in order."""
    return [module.manifest.version for module in choice.order]


def test_the_newest_version_runs_where_it_was_granted_all_it_asks_for() -> None:
    choice = choose([version("2"), version("1")], NOTHING, {})
    assert (chosen(choice), choice.waiting) == (["2", "1"], ())


@pytest.mark.parametrize(
    ("asks", "granted"),
    [
        ("state:64", frozenset({"state:32"})),
        ("onnx:*", NOTHING),
        ("onnx:faces", frozenset({"onnx:cars"})),
        ("nn.load", NOTHING),
    ],
)
def test_a_new_version_that_asks_for_more_waits_and_says_so(asks: str, granted: frozenset[str]) -> None:
    choice = choose([version("2", asks), version("1")], granted, {})
    assert chosen(choice) == ["1", "2"]
    (reason,) = choice.waiting
    assert reason.startswith("m 2 waits: it asks for ") and reason.endswith("which is not granted; 1 runs")


def test_it_runs_once_it_is_granted_and_a_larger_state_is_enough() -> None:
    granted = frozenset({"onnx:cars", "state:4096"})
    choice = choose([version("2", "onnx:*", "state:64"), version("1")], granted, {})
    assert chosen(choice) == ["2", "1"]


def test_a_version_that_does_not_know_a_parameter_of_the_configuration_waits() -> None:
    old, new = version("1", params={"limit": 1.0}), version("2", params={"threshold": 1.0})
    choice = choose([new, old], NOTHING, {"limit": 2.0})
    assert chosen(choice) == ["1"]
    assert "m has no parameter 'limit'" in choice.waiting[0]


def test_of_versions_that_were_not_granted_all_the_newest_that_can_do_without_runs() -> None:
    new, old = version("2", "state:200", imports=STATE_GET), version("1", "state:100")
    choice = choose([new, old], NOTHING, {})
    assert chosen(choice) == ["1"]
    assert choice.waiting == (
        "m 2 waits: it asks for state:200, which is not granted; 1 runs",
        "m 1 runs without a grant: it asks for state:100, which is not granted",
    )


def test_where_none_can_do_without_the_newest_is_tried_and_says_why() -> None:
    new, old = version("2", "state:64", imports=STATE_GET), version("1", "state:64", imports=STATE_GET)
    assert chosen(choose([new, old], NOTHING, {})) == ["2"]


def test_two_versions_of_the_same_bytes_are_told_apart() -> None:
    choice = choose([version("2", "state:64"), version("1")], NOTHING, {})
    assert chosen(choice) == ["1", "2"]
    assert choice.waiting == ("m 2 waits: it asks for state:64, which is not granted; 1 runs",)


def test_nothing_of_another_role_is_fallen_back_to() -> None:
    rule = ModuleFile(Manifest("m", "2", 1, (), ("observations",)), version("2").wasm, "r", "installed")
    assert chosen(choose([rule, version("1")], NOTHING, {})) == ["2"]
