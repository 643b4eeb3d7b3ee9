"""`scripts/prove-portability`: what is equal is called equal, what is not is found, what is not here is not claimed."""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
from pathlib import Path

import pytest

from camera_edge.sandbox import shipped_names
from camera_edge.sandbox.functions import FUNCTIONS
from scripts.portability.casting import DATA, DETECTORS
from scripts.portability.runtimes import engines
from scripts.portability.transcript import CALLS, Call, write_fields
from tests.scripts.conftest import Prove, Run, write_module

TALKATIVE = Path(__file__).with_name("talkative.wat")
NATIVE, PULLEY, NODE = [engine.name for engine in engines()[:3]]
SMALL = "synthetic:?pace=0&fps=5&size=128x72&seconds=2"
# fails on the third frame
FALTERING = """(module (memory (export "memory") 1) (global $frames (mut i32) (i32.const 3))
  (func (export "camera_edge_abi") (result i32) (i32.const 1))
  (func (export "analyze") (param i32) (result i32)
    (global.set $frames (i32.sub (global.get $frames) (i32.const 1)))
    (i32.div_u (i32.const 0) (global.get $frames))))"""
ALL_FUNCTIONS = {name for name, function in FUNCTIONS.items() if function.needs != "observations"}


@pytest.fixture(scope="module")
def talkative(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_module(tmp_path_factory.mktemp("modules") / "talkative", TALKATIVE.read_text(), "state:64", "onnx:*")


@pytest.fixture
def tape(prove: Prove, talkative: Path, tmp_path: Path) -> Path:
    """Ten frames of `talkative`, with made-up answers in the shapes of two detectors."""
    folder = tmp_path / "tape"
    run = prove("--module", talkative, "--source", SMALL, "--made-up", "--keep", folder, "--only", NATIVE)
    assert run.code == 0, run.err
    return folder


def only(*names: str) -> list[str]:
    return [word for name in names for word in ("--only", name)]


def hashes(run: Run) -> dict[str, str]:
    return dict(line.split(" ") for line in run.out.splitlines())


def fake_node(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """The first `node` that is found; `$NODE` in the script is the real one."""
    node = folder / "bin" / "node"
    node.parent.mkdir()
    node.write_text(f"#!/bin/sh\nNODE={shutil.which('node') or 'missing'}\n{script}\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{node.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def needs_node() -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed: apt-get install nodejs")


def test_shipped_modules_are_the_same_in_every_runtime_that_is_here(prove: Prove) -> None:
    run = prove("--frames", "40", "--made-up", "--json")
    assert run.code == 0, run.err
    result = run.json
    skipped = {each["name"]: each["reason"] for each in result["skipped"]}
    ran = {each["name"]: each["hash"] for each in result["runtimes"]}
    assert set(ran) | set(skipped) == {engine.name for engine in engines()} and {NATIVE, PULLEY} <= set(ran)
    assert set(ran.values()) == {result["recorded"]} and result["equal"] is True
    assert {module["name"].partition("-")[0] for module in result["modules"]} == set(shipped_names())
    assert all(module["frames"] == 40 and module["calls"]["score"] > 0 for module in result["modules"])
    # a scene in which nothing is tampered with, and in which what is usual is still being learned
    quiet = {module["name"] for module in result["modules"] if not module["calls"].get("emit")}
    assert quiet <= {"normality", "tamper"}
    if skipped:
        pytest.skip("; ".join(f"{name}: {reason}" for name, reason in skipped.items()))


def test_real_weights_are_used_where_they_are(prove: Prove) -> None:
    if not all((DATA / "models" / detector.weights).is_file() for detector in DETECTORS):
        pytest.skip("the models in ../shared/data are not here")
    run = prove("--frames", "6", "--json", *only(NATIVE))
    assert run.code == 0, run.err
    made_of = [module["made_of"] for module in run.json["modules"] if module["name"].startswith("objects")]
    assert len(made_of) == 2 and not any("made-up" in each for each in made_of)


def test_both_hosts_answer_every_function_alike_and_give_true_pixels(prove: Prove, tape: Path) -> None:
    run = prove("--tape", tape, "--json")
    assert run.code == 0, run.err
    for module in run.json["modules"]:
        assert set(module["calls"]) == ALL_FUNCTIONS | {"analyze"}
    if run.json["skipped"]:
        pytest.skip("; ".join(f"{each['name']}: {each['reason']}" for each in run.json["skipped"]))


def test_the_same_frames_give_the_same_hash_again(prove: Prove, talkative: Path) -> None:
    asked = ["--module", talkative, "--source", SMALL, "--made-up", *only(NATIVE)]
    assert hashes(prove(*asked)) == hashes(prove(*asked)) != {}


def test_a_changed_answer_is_found_at_its_frame(prove: Prove, tape: Path, needs_node: None) -> None:
    """The guest logs what the model says; three answers a frame are read, the fifth frame begins with the 13th."""
    description = json.loads((tape / "tape.json").read_text())
    reel = description["reels"][0]
    answers_a_frame = len(reel["answers"]) // len(reel["frames"])
    with (tape / reel["name"] / "answers.bin").open("r+b") as answers:
        answers.seek(4 * sum(reel["answers"][: 4 * answers_a_frame]))
        answers.write(struct.pack("<f", 1e9))
    run = prove("--tape", tape, "--json", *only(NATIVE, PULLEY, NODE))
    assert run.code == 1 and run.json["equal"] is False
    found = [(each["runtime"], each["module"], each["frame"]) for each in run.json["differences"]]
    assert found == [(name, reel["name"], 5) for name in (NATIVE, PULLEY, NODE)]
    assert "at frame 5 of 10" in run.err


def test_a_changed_module_is_found(prove: Prove, tape: Path) -> None:
    changed = TALKATIVE.read_text().replace("$log (i32.const 7)", "$log (i32.const 8)")
    other = write_module(tape.parent / "other" / "talkative", changed, "state:64", "onnx:*")
    for reel in tape.glob("talkative-*"):
        shutil.copy(other, reel / "module.wasm")
    run = prove("--tape", tape, *only(NATIVE))
    assert run.code == 1 and run.err.count("DIFFERENT") == 2 and "at frame 1 of 10" in run.err


def test_one_runtime_that_departs_is_named_alone(
    prove: Prove, tape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, needs_node: None
) -> None:
    own = tmp_path / "own"
    flip = f"{sys.executable} -c \"import sys; f = open(sys.argv[1], 'r+b'); f.seek(70); f.write(b'!')\""
    script = f'cp -r "$2" {own} && {flip} {own}/talkative-fastestdet/slots.bin && exec "$NODE" "$1" {own}'
    fake_node(tmp_path, monkeypatch, script)
    run = prove("--tape", tape, *only(NATIVE, NODE))
    assert run.code == 1 and hashes(run)[NATIVE] != hashes(run)[NODE]
    assert "node-v8 differs in talkative-fastestdet, first at frame 1 of 10" in run.err
    assert run.err.count("DIFFERENT") == 1


def test_other_fuel_is_a_difference(prove: Prove, tape: Path) -> None:
    description = json.loads((tape / "tape.json").read_text())
    description["reels"][1]["heard"]["fuel"] += 1
    (tape / "tape.json").write_text(json.dumps(description))
    run = prove("--tape", tape, *only(NATIVE))
    assert run.code == 1 and "units of fuel" in run.err


def test_what_is_not_here_is_skipped_with_a_reason(
    prove: Prove, tape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    run = prove("--tape", tape)
    assert run.code == 0, run.err
    assert set(hashes(run)) == {NATIVE, PULLEY}
    for engine in engines()[2:]:
        assert f"{engine.name}: skipped, no `" in run.err and "apt-get install" in run.err


def test_without_debian_there_is_no_aarch64(
    prove: Prove, tape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "wasmtime-aarch64" not in [engine.name for engine in engines()[1:]]:
        pytest.skip("this machine is aarch64 itself")
    for name in ("dirname", "awk", "sha256sum", "cut", "cat", "sh"):
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    (tmp_path / "qemu-aarch64").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "qemu-aarch64").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run = prove("--tape", tape, *only(NATIVE, "wasmtime-aarch64"))
    assert run.code == 0 and "wasmtime-aarch64: skipped, no aarch64 Python: apt-get is not installed" in run.err


def test_a_runtime_that_is_here_and_fails_is_a_failure(
    prove: Prove, tape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_node(tmp_path, monkeypatch, "echo out of order >&2; exit 3")
    run = prove("--tape", tape, *only(NATIVE, NODE))
    assert run.code == 1 and set(hashes(run)) == {NATIVE}
    assert "node-v8: FAILED, node-v8: out of order" in run.err


def test_a_runtime_that_talks_nonsense_is_a_failure(
    prove: Prove, tape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_node(tmp_path, monkeypatch, "echo '{}'")
    assert prove("--tape", tape, *only(NODE)).code == 1


def test_a_module_that_fails_proves_nothing(prove: Prove, tmp_path: Path) -> None:
    run = prove("--module", write_module(tmp_path / "faltering", FALTERING), "--source", SMALL)
    assert run.code == 70 and run.out == "" and "frame 2" in run.err


def test_what_is_asked_of_others_than_the_host_is_not_taped(prove: Prove, tmp_path: Path) -> None:
    clock = '(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))'
    module = write_module(tmp_path / "wasi", FALTERING.replace("(module", f"(module {clock}"))
    run = prove("--module", module, "--source", SMALL)
    assert run.code == 70 and "imports wasi_snapshot_preview1.sched_yield, which is not taped" in run.err


@pytest.mark.parametrize("damage", ["tape.json", "talkative-yolox_nano/slots.bin"])
def test_a_damaged_tape_is_refused(prove: Prove, tape: Path, damage: str, needs_node: None) -> None:
    data = (tape / damage).read_bytes()
    (tape / damage).write_bytes(data[:-1])
    run = prove("--tape", tape, *only(NATIVE, NODE))
    assert run.code != 0 and run.out == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--only", "abacus"], 64),
        (["--frames", "0"], 64),
        (["--frames", "many"], 64),
        (["--tape", "no-such-folder"], 64),
        (["--keep", "."], 73),
        (["--source", "no-such-file.mp4"], 74),
    ],
)
def test_what_cannot_be_done_is_said_with_its_exit_code(prove: Prove, arguments: list[str], code: int) -> None:
    run = prove(*arguments)
    assert run.code == code and run.out == "" and run.err.startswith("error: ")


def test_every_function_of_a_pixel_analyzer_can_be_taped() -> None:
    widths = {"text": ("i32", "i32"), "record": ("i32",), "u32": ("i32",), "room": ("i32",)}
    for name in ALL_FUNCTIONS:
        params = [param for kind in CALLS[name].fields for param in widths.get(kind, (kind,))]
        assert (tuple(params), CALLS[name].answer) == (FUNCTIONS[name].params, FUNCTIONS[name].result), name


class TestTranscript:
    """Bytes and no addresses."""

    memory = b"....thing..thing"

    def read(self, pointer: int, length: int) -> bytes | None:
        return self.memory[pointer : pointer + length] if pointer + length <= len(self.memory) else None

    def test_what_a_pointer_means_counts_and_not_the_pointer(self) -> None:
        texts = Call(("text", "room"))
        first, second = (write_fields(texts, (pointer, 5, room), self.read) for pointer, room in ((4, 0), (11, 8)))
        assert first == second == b"\x05\0\0\0thing"
        assert write_fields(texts, (5, 5, 0), self.read) != first

    def test_bytes_outside_of_the_memory_are_told_from_none(self) -> None:
        texts = Call(("text",))
        assert write_fields(texts, (-1, 2), self.read) == b"\xff\xff\xff\xff"
        assert write_fields(texts, (4, 0), self.read) == b"\0\0\0\0"

    def test_every_nan_is_the_same_nan_and_zeros_have_signs(self) -> None:
        reals = Call(("f32", "f64"))
        (odd,) = struct.unpack("<d", bytes.fromhex("010000000000f8ff"))
        assert write_fields(reals, (odd, odd), self.read) == bytes.fromhex("0000c07f000000000000f87f")
        assert write_fields(reals, (-0.0, 0.0), self.read) == bytes.fromhex("000000800000000000000000")
