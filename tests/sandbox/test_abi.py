"""`wasm_analyzers/ABI.md` is the contract: whatever it states in a table is held against the code here.

`abi_v1.txt` holds what version 1 promises, one promise a line. Lines are added to it; none is changed or taken away.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from camera_edge.frames import HEADER, HEADER_BYTES, SLOT_ALIGNMENT
from camera_edge.picture import PixelFormat
from camera_edge.sandbox import (
    Analyzer,
    Answer,
    Grants,
    Manifest,
    Phase,
    Services,
    answer,
    batch,
    capability,
    guest,
    manifest,
    nn,
    slot,
    wasi,
)
from camera_edge.sandbox import host as host_functions
from camera_edge.sandbox.functions import FUNCTIONS
from camera_edge.sandbox.host import Host
from camera_edge.sandbox.memory import U32
from camera_edge.sandbox.runtime import _EXPORTS
from camera_edge.sandbox.status import ABI_VERSION, RefusedError, Status

ABI = Path(__file__).parents[2] / "wasm_analyzers" / "ABI.md"
FROZEN = Path(__file__).with_name("abi_v1.txt")
RECORDS = ("slot", "batch", "observation", "event", "emit")
Row = list[str]


def text() -> str:
    """The contract, its lines joined, so that a sentence is found wherever it is broken."""
    return " ".join(ABI.read_text().split())


def tables(first_column: str) -> list[list[Row]]:
    """The tables whose head begins with this word, in order: their rows, cells stripped of backticks."""
    found: list[list[Row]] = []
    inside = False
    for line in ABI.read_text().splitlines():
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == first_column:
            inside = True
            found.append([])
        elif inside and not set(line) <= set("|-"):
            found[-1].append(cells)
    return found


def table(first_column: str) -> list[Row]:
    (rows,) = tables(first_column)
    return rows


def functions() -> list[Row]:
    """The functions of import module `camera_edge`: name, type, capability, returns."""
    rows, _wasi = tables("function")
    return rows


def record(name: str) -> list[Row]:
    """The fields of a record: offset, type, name, meaning."""
    return dict(zip(RECORDS, tables("offset"), strict=True))[name]


def words(text: str) -> set[str]:
    """The names of statuses or errors in a cell."""
    return set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", text)) - {"UTF", "ONNX"}


def limit(text: str) -> int:
    number, _, unit = text.replace(",", "").partition(" ")
    return int(number) * {"": 1, "MiB": 1 << 20}[unit]


def promises() -> list[str]:
    """What the contract promises, without the words that explain it."""
    lines = [f"export {name} {kind} {needed}" for name, kind, needed, _ in table("export")]
    lines += [f"{of} {' '.join(row[:3])}".rstrip() for of in RECORDS for row in record(of)]
    lines += [
        f"function {name} {signature} needs {needs} returns {' '.join(sorted(words(returns)))}".rstrip()
        for name, signature, needs, returns in functions()
    ]
    lines += [f"status {value} {name}" for value, name, _ in table("value")]
    lines += [f"wasi-nn {name} ({params}) returns {' '.join(sorted(words(e)))}" for name, params, e in table("wasi-nn")]
    lines += [f"wasi-nn error {value} {name}" for value, name, _ in table("error")]
    lines += [f"wasi {name}" for names, _ in tables("function")[1] for name in names.split(", ")]
    lines += [f"parameter {name}" for names, _, _ in table("parameter") for name in names.split(", ")]
    lines += [f"parameter {name}" for name in sorted(set(re.findall(r"`(camera\.[a-z]+)`", text())))]
    lines += [f"limit {key} {default} at most {highest}" for _, default, highest, key in table("limit")]
    lines += [f"capability {name}" for name, _ in table("capability")]
    (formats,) = (row[3] for row in record("slot") if row[2] == "format")
    (phases,) = (row[3] for row in record("event") if row[2] == "phase")
    return [*lines, f"formats {formats}", f"phases {phases}"]


def test_nothing_of_version_1_is_taken_away_or_renamed() -> None:
    frozen, documented = FROZEN.read_text().splitlines(), promises()
    gone = [line for line in frozen if line not in documented]
    assert not gone, f"promised by version 1, and no longer in {ABI.name}"
    added = [line for line in documented if line not in frozen]
    assert not added, f"new in {ABI.name}: append it to {FROZEN.name}, from then on it stays"


def test_each_host_function_is_documented_with_the_names_and_types_of_its_parameters_and_its_capability() -> None:
    documented = {name: (signature, needs) for name, signature, needs, _ in functions()}
    assert documented == {n: (f"({f.takes}) -> {f.result}", f.needs or "–") for n, f in FUNCTIONS.items()}


def test_each_host_function_is_documented_with_the_statuses_that_it_may_return() -> None:
    documented = {name: words(returns) - {"OK"} for name, _, _, returns in functions()}
    assert documented == {name: {status.name for status in f.statuses} for name, f in FUNCTIONS.items()}


def test_a_status_that_is_not_documented_for_a_function_cannot_leave_it(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Host):
        def _score(self, _value: float) -> int:
            raise RefusedError(Status.NOT_FOUND)

    module = Manifest(name="guest", version="1", abi=1, kinds=(), capabilities=("pixels",))
    score = Broken(module, Grants(frozenset({"pixels"})), Services()).function("score")
    assert [score(1.0), score(1.0)] == [Status.INTERNAL] * 2
    assert caplog.messages == ["host function broke the contract name=score status=NOT_FOUND"]


def test_the_statuses_are_those_of_the_contract() -> None:
    assert {row[1]: int(row[0]) for row in table("value")} == {status.name: int(status) for status in Status}


def test_the_refused_outputs_are_those_of_the_contract() -> None:
    (statuses, outputs) = re.findall(r"([A-Z_, and]+) from ([a-z_, or`]+) are \*refused outputs\*", text())[0]
    assert words(statuses) == {status.name for status in host_functions._SPOILING}
    assert set(re.findall("`([a-z_]+)`", outputs)) == host_functions._OUTPUTS


def test_the_exports_are_those_of_the_contract() -> None:
    documented = {name: (signature, needed == "yes") for name, signature, needed, _ in table("export")}
    assert documented.pop("memory") == ("memory", True)
    assert documented == {
        name: (f"({', '.join(params)}) -> {', '.join(results) or '()'}", needed)
        for name, (params, results, needed) in _EXPORTS.items()
    }
    needed = {name: who for name, _, who, _ in table("export")}
    assert (needed["analyze"], needed["observe"]) == ("analyzers", "rule modules")


SIZES = {"u32": "I", "i32": "i", "u64": "Q", "i64": "q", "f32": "f"}


def layout(fields: list[Row]) -> str:
    """The fields as `struct` writes them; each must begin where the one before ends."""
    at, codes = 0, "<"
    for offset, kind, *_ in fields:
        assert int(offset) == at
        code = SIZES.get(kind) or f"{kind.split()[0]}x"
        codes += code
        at += struct.calcsize("<" + code)
    return codes


@pytest.mark.parametrize(
    ("name", "packed", "size_bytes"),
    [
        ("batch", batch.HEADER, 64),
        ("observation", batch.SIGHTING, 64),
        ("event", batch.EVENT, 80),
        ("emit", answer.RECORD, 40),
    ],
)
def test_each_record_is_laid_out_as_in_the_contract(name: str, packed: struct.Struct, size_bytes: int) -> None:
    assert layout(record(name)) == packed.format
    assert packed.size == size_bytes
    assert re.search(rf"\b{size_bytes} bytes", text())


def test_the_slot_header_is_laid_out_as_in_the_contract() -> None:
    assert layout(record("slot")).removesuffix("Q") == HEADER.format.removesuffix("8x")
    assert HEADER_BYTES == 64 == struct.calcsize(layout(record("slot")))
    assert HEADER.format.startswith(slot.HEADER.format)
    assert f"aligned to {SLOT_ALIGNMENT} bytes" in text()


def test_an_emit_record_is_read_in_the_order_of_the_contract() -> None:
    fields = [row[2].replace("_ptr", "_pointer").replace("_len", "_bytes") for row in record("emit")]
    assert fields == list(answer.Record.__slots__)


def test_the_formats_and_phases_are_those_of_the_contract() -> None:
    (formats,) = (row[3] for row in record("slot") if row[2] == "format")
    assert formats == ", ".join(f"{int(f)} {f.name.lower()}" for f in PixelFormat)
    (phases,) = (row[3] for row in record("event") if row[2] == "phase")
    assert phases == ", ".join(f"{int(phase)} {phase.name.lower().replace('_', ' ')}" for phase in Phase)


def test_the_limits_are_those_of_the_contract() -> None:
    documented = {row[3]: (limit(row[1]), limit(row[2])) for row in table("limit")}
    defaults = manifest.Limits()
    assert documented == {
        "memory_bytes": (defaults.memory_bytes, manifest.MEMORY_BYTES_MAX),
        "fuel_per_frame": (defaults.fuel_per_frame, manifest.FUEL_MAX),
        "observations": (defaults.observations, manifest.OBSERVATIONS_MAX),
    }
    assert set(documented) == {field.name for field in msgspec.structs.fields(manifest.Limits)}


@pytest.mark.parametrize(
    "sentence",
    [
        f"`camera_edge_abi()` must return {ABI_VERSION}",
        f"A call into the host costs {host_functions.CALL_FUEL:,} and one for each byte that it copies",
        f"cost {host_functions.INFER_FUEL:,}",
        f"together {host_functions.INFERENCES_MAX} run in one frame",
        f"each byte of attributes costs {host_functions.ATTRIBUTE_BYTE_FUEL}",
        f"at most {answer.ATTRIBUTES_BYTES_MAX}, and {answer.ATTRIBUTES_MAX} members",
        f"At most {answer.SCORES_MAX} scores a frame",
        f"(0 to {answer.LAG_MAX})",
        f"Text beyond {host_functions.LOG_BYTES_MAX} bytes is cut.",
        f"{host_functions.LOG_LINES_A_SECOND} lines in a second of media time",
        f"a name of at most {host_functions.METRIC_NAME_BYTES_MAX} bytes",
        f"At most {host_functions.METRICS_MAX} a frame",
        f"(highest {capability.STATE_BYTES_MAX >> 20} MiB)",
        f"have {guest.START_FRAMES} times the fuel of a frame",
        f"It is at most {batch.INBOX_BYTES:,} bytes long",
        f"(the first {batch.ZONES_MAX})",
        f"At most {nn.GRAPHS_MAX} graphs, {nn.CONTEXTS_MAX} contexts, {nn.DIMENSIONS_MAX} dimensions",
        f"names of {nn.NAME_BYTES_MAX} bytes; {nn.HELD_BYTES_MAX >> 20} MiB",
    ],
)
def test_each_number_in_the_text_is_the_one_in_the_code(sentence: str) -> None:
    assert sentence in text()


def test_the_wasi_functions_that_are_answered_are_those_of_the_contract() -> None:
    _camera_edge, rows = tables("function")
    assert {name for row in rows for name in row[0].split(", ")} == set(wasi.KNOWN)


def test_the_wasi_nn_functions_and_errors_are_those_of_the_contract(analyzer: Callable[..., Analyzer]) -> None:
    documented = {name: len(params.split(", ")) for name, params, _ in table("wasi-nn")}

    class Nobody:
        def read(self, pointer: int, length: int, /) -> bytes:
            raise NotImplementedError

        def write(self, pointer: int, data: bytes, /) -> None:
            raise NotImplementedError

        def say(self, level: int, data: bytes, /) -> object:
            raise NotImplementedError

        def log_defect(self, module: str, name: str, /) -> None:
            raise NotImplementedError

    table_of_code = nn.functions(Nobody(), nn.Models())
    assert documented == {name: function.parameters for name, function in table_of_code.items()}
    errors = {row[1]: int(row[0]) for row in table("error")}
    assert errors == {errno.name: int(errno) for errno in nn.NnErrno}
    for name, _, returns in table("wasi-nn"):
        assert words(returns) <= set(errors), name


def test_the_manifest_in_the_contract_is_one() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", ABI.read_text(), re.DOTALL)
    read = manifest.read_manifest(example.encode(), where="ABI.md")
    assert read.name == "objects" and read.limits.observations == 256
    keys = set(re.findall(r"^\[?([a-z_]+)", example, re.MULTILINE))
    for struct_type in (manifest.Manifest, manifest.Limits, manifest.ViewAsked):
        assert {field.name for field in msgspec.structs.fields(struct_type)} <= keys


def test_the_capabilities_are_those_of_the_contract() -> None:
    for name, meaning in table("capability"):
        example = name.replace("<model>", "m").replace("<bytes>", "64").replace("<source>", "s")
        if meaning == "reserved":
            assert capability._RESERVED.fullmatch(example), name
        else:
            assert capability.Capabilities.read([example], where="test") != capability.Capabilities(), name


@pytest.mark.parametrize("asks", [("pixels", "state:16", "onnx:tiny"), ("observations", "state:16")])
def test_the_functions_of_the_contract_can_be_imported(
    analyzer: Callable[..., Analyzer], rule_module: Callable[..., object], asks: tuple[str, ...]
) -> None:
    needs = {None, *(name.replace("16", "<bytes>").replace("tiny", "<model>") for name in asks)}
    imports = "".join(
        f'(import "camera_edge" "{name}" (func (param {" ".join(f.params)}) (result {f.result})))'
        for name, f in FUNCTIONS.items()
        if f.needs in needs
    )
    if "observations" in asks:
        rule_module(imports, asks=asks)
    else:
        analyzer(imports, asks=asks, services=Services(lambda _model, _region: pytest.fail("nobody asked")))


def test_a_number_beyond_31_bits_is_a_count_and_no_status(
    analyzer: Callable[..., Analyzer], look: Callable[..., Answer | None]
) -> None:
    # what the text says of pointers and lengths: they are unsigned
    assert U32 == 0xFFFFFFFF
    guest = analyzer(
        """(import "camera_edge" "log" (func $log (param i32 i32 i32) (result i32)))
        (func (export "analyze") (param i32) (result i32)
          (drop (call $log (i32.const 1) (i32.const 0) (i32.const -1))) (i32.const 0))"""
    )
    assert look(guest) is not None
    assert [(call.result, call.count) for call in guest.counters.host_calls] == [("BAD_POINTER", 1)]
