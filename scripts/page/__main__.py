"""`scripts/results`: measures the suites with `camera-edge eval`, keeps figures and chosen pictures, and fills the
tables of wasm_analyzers/RESULTS.md.

Invariant: figures and pictures are those of one run of a suite; where that fails, the old ones stay.

Exit codes: 0 written, 64 and above as in `camera_edge/errors.py`.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from camera_edge.durable import write_durably
from camera_edge.errors import CameraEdgeError, UsageError
from scripts.page.figures import WAVING_TREES, Documents
from scripts.page.tables import filled

HOME = Path(__file__).resolve().parents[2] / "wasm_analyzers"
PAGE, RESULTS = HOME / "RESULTS.md", HOME / "results"
DATA = Path("..") / "shared" / "data" / "video"
TREES = Path("wallflower_wavingtrees") / "wavingtrees_160x120.mp4"
# of the pictures that a suite draws, those that the page shows
PICTURES = {
    "change": ("worst-cdnet_highway", "median-cdnet_highway"),
    "people": ("worst-opencv_vtest-PETS09-S2L1", "worst-mot15-TUD-Campus", "mistakes-opencv_vtest-PETS09-S2L1"),
    "events": ("events-intel_sample_videos-bottle-detection-mp4", "events-intel_sample_videos-car-detection-mp4"),
    "tamper": ("tamper-by-clip",),
    "normality": (
        "score-testing_02",
        "score-testing_06",
        "highest-usual-testing_02",
        "lowest-unusual-testing_02",
    ),
}
SUITES = (*PICTURES, WAVING_TREES)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint="scripts/results --help")


def main(arguments: Sequence[str]) -> int:
    try:
        asked = _options().parse_args(arguments)
        if not asked.tables:
            _measure(asked.data, asked.only or SUITES)
        page = filled(PAGE.read_text(encoding="utf-8"), read(RESULTS))
        write_durably(PAGE, page.encode())
    except CameraEdgeError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


def read(folder: Path) -> Documents:
    """The documents by the name of their suite."""
    return {path.stem: msgspec.json.decode(path.read_bytes()) for path in sorted(folder.glob("*.json"))}


def _options() -> argparse.ArgumentParser:
    parser = _Parser(prog="scripts/results", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA, metavar="DIR", help=f"recordings (default {DATA})")
    parser.add_argument(
        "--only", action="append", choices=SUITES, help="this suite; the figures of the others are kept"
    )
    parser.add_argument("--tables", action="store_true", help="measure nothing: fill the tables from the kept figures")
    return parser


def _measure(data: Path, suites: Sequence[str]) -> None:
    if not data.is_dir():
        raise UsageError("there is no such folder", where=str(data), hint="name the folder of the recordings")
    RESULTS.mkdir(exist_ok=True)
    for suite in suites:
        document = _of_trees(data) if suite == WAVING_TREES else _of_suite(suite, data)
        _keep(suite, document)
    _keep("machine", _machine())


def _of_suite(suite: str, data: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="camera-edge-results-") as plots:
        answer = _camera_edge("eval", suite, "--data", str(data), "--plots", plots, "--json")
        for name in PICTURES[suite]:
            shutil.copyfile(Path(plots) / f"{name}.svg", RESULTS / f"{name}.svg")
    document: dict[str, Any] = msgspec.json.decode(answer)
    return document


def _of_trees(data: Path) -> dict[str, Any]:
    """What is reported of trees in the wind, at a camera's default rate and of every frame."""
    runs = {}
    for rate in ("5", "native"):
        asked = ("--analyzer", "motion", "--analyzer", "tamper", "--rate", rate, "--json")
        lines = map(msgspec.json.decode, _camera_edge("analyze", str(data / TREES), *asked).splitlines())
        events = [each for each in lines if each["type"] == "event"]
        runs[f"{rate} a second" if rate.isdigit() else rate] = [
            {key: each[key] for key in ("kind", "opened_s", "closed_s")} for each in events
        ]
    return {"runs": runs}


def _camera_edge(*arguments: str) -> bytes:
    """What the command says on stdout; what it says beside that is shown. Raises CameraEdgeError where it fails."""
    done = subprocess.run([sys.executable, "-m", "camera_edge", *arguments], stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise CameraEdgeError(
            f"camera-edge {' '.join(arguments)} ended with {done.returncode}", hint="see what it said above"
        )
    return done.stdout


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "cpu": f"an {platform.machine()} virtual machine, CPU only",
        "system": platform.system(),
        "python": platform.python_version(),
    }


def _keep(name: str, document: dict[str, Any]) -> None:
    text = msgspec.json.format(msgspec.json.encode(document), indent=1)
    write_durably(RESULTS / f"{name}.json", text + b"\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
