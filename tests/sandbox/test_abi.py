"""`wasm_analyzers/ABI.md` is the contract: whatever it states in a table is held against the code here."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from camera_edge.frames import HEADER, HEADER_BYTES, SLOT_ALIGNMENT
from camera_edge.picture import PixelFormat
from camera_edge.sandbox import Analyzer, answer, capability, guest, host, manifest, wasi
from camera_edge.sandbox.runtime import _EXPORTS
from camera_edge.sandbox.status import ABI_VERSION, Status

ABI = Path(__file__).parents[2] / "wasm_analyzers" / "ABI.md"
Row = list[str]


def table(first_column: str) -> list[Row]:
    """The rows of each table whose head begins with this word, cells stripped of backticks."""
    rows: list[Row] = []
    wanted = False
    for line in ABI.read_text().splitlines():
        if not line.startswith("|"):
            wanted = False
            continue
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        if cells[0] == first_column:
            wanted = True
        elif wanted and not set(line) <= set("|-"):
            rows.append(cells)
    return rows


def limit(text: str) -> int:
    number, _, unit = text.replace(",", "").partition(" ")
    return int(number) * {"": 1, "MiB": 1 << 20}[unit]


def test_each_host_function_has_the_type_and_the_capability_of_the_contract() -> None:
    documented = {}
    for name, signature, needs, _ in (row for row in table("function") if len(row) == 4):
        params, _, result = signature.partition(" -> ")
        types = tuple(re.findall(r"\b(i32|i64|f32|f64)\b", params))
        documented[name] = (types, result, None if needs == "–" else needs)
    assert documented == {n: (f.params, f.result, f.needs) for n, f in host.FUNCTIONS.items()}


def test_each_status_that_a_function_is_said_to_return_exists() -> None:
    for name, *_, returns in (row for row in table("function") if len(row) == 4):
        named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", returns)) - {"UTF"}
        assert named <= set(Status.__members__), name


def test_the_statuses_are_those_of_the_contract() -> None:
    documented = {row[1]: int(row[0]) for row in table("value")}
    assert documented == {status.name: int(status) for status in Status}


def test_the_exports_are_those_of_the_contract() -> None:
    documented = {}
    for name, signature, needed, _ in table("export"):
        if name != "memory":
            params, _, result = signature.partition(" -> ")
            documented[name] = (params.count("i32"), result.count("i32"), needed == "yes")
    assert documented == {n: (len(p), len(r), needed) for n, (p, r, needed) in _EXPORTS.items()}


SIZES = {"u32": "I", "i32": "i", "u64": "Q", "i64": "q", "f32": "f"}


def layout(fields: list[Row]) -> str:
    at, codes = 0, "<"
    for offset, kind, *_ in fields:
        assert int(offset) == at
        codes += SIZES[kind]
        at += struct.calcsize("<" + SIZES[kind])
    return codes


def test_the_slot_header_is_laid_out_as_in_the_contract() -> None:
    rows = table("offset")
    header = rows[: [row[2] for row in rows].index("kind_ptr")]
    assert layout(header).removesuffix("Q") == HEADER.format.removesuffix("8x")
    assert HEADER_BYTES == 64 == struct.calcsize(layout(header))
    assert f"aligned to {SLOT_ALIGNMENT} bytes" in ABI.read_text()


def test_the_emit_record_is_laid_out_as_in_the_contract() -> None:
    rows = table("offset")
    record = rows[[row[2] for row in rows].index("kind_ptr") :]
    assert layout(record) == answer.RECORD.format
    assert [row[2] for row in record][2:8] == ["score", "track", "x", "y", "w", "h"]


def test_the_formats_are_those_of_the_contract() -> None:
    (meaning,) = (row[3] for row in table("offset") if row[2] == "format")
    assert meaning == ", ".join(f"{int(f)} {f.name.lower()}" for f in PixelFormat)


def test_the_limits_are_those_of_the_contract() -> None:
    documented = {row[3]: (limit(row[1]), limit(row[2])) for row in table("limit")}
    defaults = manifest.Limits()
    assert documented == {
        "memory_bytes": (defaults.memory_bytes, manifest.MEMORY_BYTES_MAX),
        "fuel_per_frame": (defaults.fuel_per_frame, manifest.FUEL_MAX),
        "observations": (defaults.observations, manifest.OBSERVATIONS_MAX),
    }


@pytest.mark.parametrize(
    "sentence",
    [
        f"`camera_edge_abi()` must return {ABI_VERSION}",
        f"A call into the host costs {host.CALL_FUEL:,} and one for each",
        f"`compute` cost {host.INFER_FUEL:,}",
        f"at most {answer.ATTRIBUTES_BYTES_MAX}",
        f"At most {answer.SCORES_MAX} scores a frame",
        f"(0 to {answer.LAG_MAX})",
        f"Text beyond {host.LOG_BYTES_MAX} bytes is cut. {host.LOG_LINES_A_SECOND} lines in a second",
        f"a name of at most {host.METRIC_NAME_BYTES_MAX} bytes",
        f"At most {host.METRICS_MAX} a frame",
        f"(highest {capability.STATE_BYTES_MAX >> 20} MiB)",
        f"have {guest.START_FRAMES} times the fuel of a frame",
    ],
)
def test_each_number_in_the_text_is_the_one_in_the_code(sentence: str) -> None:
    assert sentence in ABI.read_text().replace("\n", " ")


def test_the_wasi_functions_that_are_answered_are_those_of_the_contract() -> None:
    rows = (row for row in table("function") if len(row) == 2)
    assert {name for row in rows for name in row[0].split(", ")} == wasi.KNOWN


def test_the_manifest_in_the_contract_is_one() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", ABI.read_text(), re.DOTALL)
    read = manifest.read_manifest(example.encode(), where="ABI.md")
    assert read.name == "objects" and read.limits.observations == 256
    keys = set(re.findall(r"^\[?([a-z_]+)", example, re.MULTILINE))
    for struct_type in (manifest.Manifest, manifest.Limits, manifest.ViewAsked):
        assert {field.name for field in msgspec.structs.fields(struct_type)} <= keys


def test_the_functions_of_the_contract_can_be_imported(analyzer: Callable[..., Analyzer]) -> None:
    imports = "".join(
        f'(import "camera_edge" "{name}" (func (param {" ".join(f.params)}) (result {f.result})))'
        for name, f in host.FUNCTIONS.items()
        if f.needs in (None, "pixels", "state:<bytes>")
    )
    analyzer(imports, asks=("pixels", "state:16"))
