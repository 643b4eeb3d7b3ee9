"""`scripts/prove-portability`: the same modules on the same frames in several runtimes, and one hash each.

Invariant: 0 only where every runtime that is here gave what was recorded. One that is not here is named on stderr with
the reason, and nothing is claimed of it.

Exit codes: 0 all equal, 1 a difference or a runtime that fails, 64 and above as in `camera_edge/errors.py`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import msgspec

from camera_edge.errors import CameraEdgeError, OutputError, UsageError
from scripts.portability.runtimes import AbsentError, Engine, ReplayError, engines
from scripts.portability.tape import Reel, Replay, Tape, read_tape, write_tape
from scripts.portability.transcript import CALLS
from scripts.portability.verdict import RECORDED, Difference, differences, hash_of, recorded

FRAMES = 300
FRAMES_MAX = 3_000
# runtimes are one thread each
AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of one runtime: a replay, or why there is none."""

    name: str
    replay: Replay | None
    absent: str | None
    failed: str | None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint="scripts/prove-portability --help")


def main(arguments: Sequence[str]) -> int:
    try:
        asked = _options().parse_args(arguments)
        chosen = _chosen(asked.only)
        with _tape(asked) as folder:
            tape = read_tape(folder)
            for reel in tape.reels:
                calls = ", ".join(f"{count} {name}" for name, count in reel.heard.calls.items())
                _say(f"{reel.name}: {len(reel.frames)} frames of {reel.made_of} ({calls})")
            ran = _run(folder, chosen)
    except CameraEdgeError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return _report(tape, ran, json=asked.json)


def _options() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="scripts/prove-portability", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--frames", type=int, default=FRAMES, metavar="N", help=f"analysed frames of each source (default {FRAMES})")
    add("--source", metavar="SOURCE", help="as of `camera-edge analyze` (default: a drawn, seeded scene)")
    add("--module", type=Path, action="append", default=[], metavar="WASM", help="this module, not the shipped ones")
    add("--made-up", action="store_true", help="make up the answers of models even where their weights are here")
    add("--keep", type=Path, metavar="DIR", help="leave the tape in this new folder, for another machine")
    add("--tape", type=Path, metavar="DIR", help="replay this tape and record none")
    add("--only", action="append", default=[], metavar="RUNTIME", help="this runtime alone; may be repeated")
    add("--json", action="store_true", help="one JSON object on stdout")
    return parser


@contextmanager
def _tape(asked: argparse.Namespace) -> Iterator[Path]:
    """The folder of the tape that is asked for; recorded first, where it is not there yet."""
    if asked.tape is not None:
        yield asked.tape
        return
    if not 1 <= asked.frames <= FRAMES_MAX:
        raise UsageError(f"--frames {asked.frames}", hint=f"1 to {FRAMES_MAX}")
    with tempfile.TemporaryDirectory(prefix="camera-edge-tape-") as scratch:
        folder = asked.keep or Path(scratch) / "tape"
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise OutputError(f"cannot be made: {error.strerror}", where=str(folder), hint="name a new one") from error
        _record(folder, Path(scratch), asked)
        yield folder


def _record(folder: Path, scratch: Path, asked: argparse.Namespace) -> None:
    """A tape may come from elsewhere: what records one (OpenCV, onnxruntime) is not loaded to replay one."""
    from camera_edge.inference import Registry
    from camera_edge.sandbox import Cache, Runtime
    from scripts.portability.casting import Wishes, cast
    from scripts.portability.record import Studio, record_part

    wishes = Wishes(asked.module, asked.source, asked.frames, asked.made_up)
    studio = Studio(Runtime(), Cache(scratch / "cache"), folder)
    reels = tuple(record_part(studio, part, asked.frames) for part in cast(wishes, Registry(scratch / "models")))
    write_tape(folder, Tape(1, CALLS, reels))


def _chosen(only: Sequence[str]) -> list[Engine]:
    every = engines()
    names = [engine.name for engine in every]
    for name in only:
        if name not in names:
            raise UsageError(f"there is no runtime {name!r} here", hint=f"one of {', '.join(names)}")
    return [engine for engine in every if not only or engine.name in only]


def _run(folder: Path, chosen: list[Engine]) -> list[Ran]:
    def run(engine: Engine) -> Ran:
        try:
            return Ran(engine.name, engine.replay(folder), None, None)
        except AbsentError as error:
            return Ran(engine.name, None, str(error), None)
        except ReplayError as error:
            return Ran(engine.name, None, None, str(error))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        # the slowest comes last in the list and is started first
        waiting = [(engine, pool.submit(run, engine)) for engine in reversed(chosen)]
        return [future.result() for _, future in reversed(waiting)]


def _report(tape: Tape, ran: list[Ran], *, json: bool) -> int:
    found = [
        difference
        for each in ran
        if each.replay is not None
        for difference in differences(each.name, each.replay, tape.reels)
    ]
    for each in ran:
        if each.absent is not None:
            _say(f"{each.name}: skipped, {each.absent}")
        elif each.failed is not None:
            _say(f"{each.name}: FAILED, {each.failed}")
    for difference in found:
        _say(f"DIFFERENT: {difference}")
    proven = not found and any(each.replay is not None for each in ran) and all(each.failed is None for each in ran)
    if json:
        sys.stdout.write(_as_json(tape.reels, ran, found, equal=proven) + "\n")
    else:
        for each in ran:
            if each.replay is not None:
                sys.stdout.write(f"{each.name} {hash_of(each.replay.reels)}\n")
    return 0 if proven else 1


def _as_json(reels: tuple[Reel, ...], ran: list[Ran], found: list[Difference], *, equal: bool) -> str:
    document = {
        "equal": equal,
        RECORDED: hash_of(recorded(reels)),
        "runtimes": [
            {"name": each.name, "hash": hash_of(each.replay.reels), "version": each.replay.runtime}
            for each in ran
            if each.replay is not None
        ],
        "skipped": [{"name": each.name, "reason": each.absent} for each in ran if each.absent is not None],
        "failed": [{"name": each.name, "reason": each.failed} for each in ran if each.failed is not None],
        "differences": [
            {"runtime": each.runtime, "module": each.reel, "where": each.where, "frame": each.frame} for each in found
        ],
        "modules": [
            {
                "name": reel.name,
                "sha256": reel.module_sha256,
                "frames": len(reel.frames),
                "made_of": reel.made_of,
                "calls": reel.heard.calls,
                "fuel": reel.heard.fuel,
            }
            for reel in reels
        ],
    }
    return msgspec.json.encode(document).decode()


def _say(text: str) -> None:
    sys.stderr.write(f"[portability] {text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
