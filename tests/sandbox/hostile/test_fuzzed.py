"""Modules and manifests with a few bytes changed: refused with a reason, or run like any other. The seed is fixed."""

from __future__ import annotations

import contextlib
import random

import pytest

from camera_edge.errors import ModuleError
from camera_edge.sandbox import Cache, Runtime, shipped, shipped_names
from camera_edge.sandbox.manifest import Limits, read_manifest
from tests.sandbox.hostile.binaries import Binary, mutants
from tests.sandbox.hostile.cases import FRAMES, Case, Ending, analyze, must_pass
from tests.sandbox.hostile.outputs import record
from tests.sandbox.hostile.pointers import DATA
from tests.sandbox.hostile.yard import Account, Yard, build

EACH = 30
CHATTY = analyze(
    record(),
    "(drop (call $emit (i32.const 512)))",
    "(drop (call $score (f64.const 1)))",
    "(drop (call $random_get (i32.const 600) (i32.const 64)))",
    must_pass("(call $log (i32.const 1) (i32.const 0) (i32.const 4))"),
    uses=("emit", "score", "log", "wasi.random_get"),
    more=DATA + '(table 2 funcref) (func (export "open") (result i32) (i32.const 0)) (func (export "close"))',
)
MANIFEST = b"""name = "a"
version = "1.2.3"
abi = 1
kinds = ["person", "vehicle"]
capabilities = ["pixels", "onnx:tiny", "state:64"]
[view]
format = "gray8"
max_width = 320
[limits]
memory_bytes = 8388608
fuel_per_frame = 50000000
[params]
min_score = 0.4
name = "text"
"""


@pytest.fixture(params=["chatty", "plain", "motion"])
def good(request: pytest.FixtureRequest) -> bytes:
    """A module that nothing is wrong with."""
    if request.param == "chatty":
        return build(CHATTY)
    if request.param == "plain":
        return bytes(Binary())
    if "motion" not in shipped_names():
        pytest.skip("the package was not built: no modules are shipped")
    return shipped("motion").wasm


@pytest.mark.parametrize("seed", range(4))
def test_a_module_with_changed_bytes_harms_only_itself(
    good: bytes, seed: int, tools: tuple[Runtime, Cache], truth: list[tuple[Account, Account]]
) -> None:
    limits = Limits(fuel_per_frame=200_000)
    cases = [
        Case(f"mutant {number}", wasm, Ending.HARMLESS, limits=limits)
        for number, wasm in enumerate(mutants(good, seed, EACH))
    ]
    with Yard(*tools) as yard:
        offenders = [yard.let_in(case) for case in cases]
        assert [yard.frame(number, offenders) for number in range(FRAMES)] == truth
        assert all(offender.refusal or len(offender.answers) == FRAMES for offender in offenders)
        assert sum(offender.guest is None for offender in offenders) >= EACH // 3


@pytest.mark.parametrize("seed", range(5))
def test_a_manifest_with_changed_bytes_is_read_or_refused(seed: int) -> None:
    noise = random.Random(seed)
    refused = 0
    for _ in range(200):
        text = bytearray(MANIFEST)
        for _ in range(noise.randint(1, 4)):
            at = noise.randrange(len(text))
            if noise.random() < 0.5:
                text[at] = noise.randrange(256)
            else:
                text[at:at] = noise.choice(
                    [b"[", b'"', b"\n", b"=", b"9" * 5000, b"\\u0000", b"{", b"]", b"\xff", b"e9"]
                )
        with contextlib.suppress(ModuleError):
            read_manifest(bytes(text), where="fuzzed")
            refused -= 1
        refused += 1
    assert refused > 100
