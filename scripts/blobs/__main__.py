"""`scripts/train-blobs`: draws scenes, trains the model `blobs` on them, writes it, and measures what was written.

Invariant: nothing but drawn scenes is learned from; the scenes that are measured have another seed.

Exit codes: 0 written, 64 and above as in `camera_edge/errors.py`.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from camera_edge.durable import write_durably
from camera_edge.errors import CameraEdgeError, OutputError, UsageError
from scripts.blobs.windows import Windows, draw_windows, joined, kind_shares

WINDOWS, EPOCHS, SEED, HELD_OUT = 56_000, 8, 3, 6_000
MODEL = Path("models") / "blobs.onnx"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint="scripts/train-blobs --help")


def main(arguments: Sequence[str]) -> int:
    try:
        asked = _options().parse_args(arguments)
        _check(asked)
        if not asked.measure:
            _train(asked)
        _report(asked)
    except CameraEdgeError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


def _options() -> argparse.ArgumentParser:
    parser = _Parser(prog="scripts/train-blobs", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add = parser.add_argument
    add("--windows", type=int, default=WINDOWS, metavar="N", help=f"windows to learn from (default {WINDOWS})")
    add("--held-out", type=int, default=HELD_OUT, metavar="N", help=f"windows to measure on (default {HELD_OUT})")
    add("--epochs", type=int, default=EPOCHS, metavar="N", help=f"times each is seen (default {EPOCHS})")
    add("--seed", type=int, default=SEED, metavar="N", help=f"of the scenes (default {SEED})")
    add(
        "--weights-seed",
        type=int,
        default=0,
        metavar="N",
        help="of the weights and of the order of windows (default 0)",
    )
    add("--processes", type=int, default=2, metavar="N", help="that draw (default 2)")
    add("--out", type=Path, default=MODEL, metavar="FILE", help=f"the model (default {MODEL})")
    add("--measure", action="store_true", help="train nothing: measure the model that is there")
    add("--json", action="store_true", help="the figures as one JSON object on stdout")
    return parser


def _check(asked: argparse.Namespace) -> None:
    for name in ("windows", "held_out", "epochs", "processes"):
        if getattr(asked, name) < 1:
            raise UsageError(f"--{name.replace('_', '-')} {getattr(asked, name)}", hint="1 or more")
    if asked.measure and not asked.out.is_file():
        raise UsageError("there is no such model", where=str(asked.out), hint="train it first: leave out --measure")


def _train(asked: argparse.Namespace) -> None:
    """PyTorch is loaded only here, so that a model can be measured without it."""
    import torch

    from scripts.blobs.export import to_onnx
    from scripts.blobs.net import BlobNet
    from scripts.blobs.training import train

    windows = _draw(asked.windows, asked.seed, asked.processes)
    torch.set_num_threads(1)
    torch.manual_seed(asked.weights_seed)
    net = BlobNet()
    started = time.monotonic()
    for epoch in train(net, windows, asked.epochs, asked.weights_seed):
        _say(f"epoch {epoch.number} of {asked.epochs}: loss {epoch.loss:.3f}, {time.monotonic() - started:.0f} s")
    try:
        write_durably(asked.out, to_onnx(net, kind_shares(windows)))
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror}", where=str(asked.out), hint="name another") from error


def _report(asked: argparse.Namespace) -> None:
    from scripts.blobs.measuring import measure

    measured = measure(asked.out, _draw(asked.held_out, asked.seed + 1_000_000, asked.processes))
    data = asked.out.read_bytes()
    facts = {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data), **msgspec.to_builtins(measured)}
    if asked.json:
        sys.stdout.write(msgspec.json.encode(facts).decode() + "\n")
        return
    for name, value in facts.items():
        text = ", ".join(f"{key} {share}" for key, share in value.items()) if isinstance(value, dict) else value
        sys.stdout.write(f"{name}: {text}\n")


def _draw(count: int, seed: int, processes: int) -> Windows:
    batches: list[Windows] = []
    drawn = 0
    for batch in draw_windows(count, seed, processes):
        batches.append(batch)
        drawn += len(batch.figures)
        if drawn * 10 // count > (drawn - len(batch.figures)) * 10 // count:
            _say(f"{drawn} of {count} windows drawn")
    return joined(batches)


def _say(line: str) -> None:
    sys.stderr.write(f"[train-blobs] {line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
