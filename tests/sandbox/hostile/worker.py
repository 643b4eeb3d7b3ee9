"""A process that lets all offenders in at once, and says how it went.

Usage: python -m tests.sandbox.hostile.worker [copied]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from camera_edge.sandbox import Cache, Runtime
from tests.sandbox.hostile.cases import FRAMES
from tests.sandbox.hostile.corpus import CORPUS
from tests.sandbox.hostile.yard import Yard, baseline


def main(copied: bool) -> int:
    with tempfile.TemporaryDirectory() as folder:
        runtime, cache = Runtime(), Cache(Path(folder) / "cache")
        truth = baseline(runtime, cache)
        with Yard(runtime, cache, copied=copied) as yard:
            offenders = [yard.let_in(case) for case in CORPUS]
            told = [yard.frame(number, offenders) for number in range(FRAMES)]
    if told != truth:
        sys.stderr.write("the witnesses said something else\n")
        return 1
    sys.stdout.write(f"{len(offenders)} offenders, {FRAMES} frames, the witnesses said the same\n")
    return 0


if __name__ == "__main__":
    sys.exit(main("copied" in sys.argv[1:]))
