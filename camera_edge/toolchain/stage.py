"""Lays a module and the SDK out under fixed names in a folder of its own, and runs compilers there.

Invariant: a compiler sees relative paths that are the same for every module, so that no name of a folder can reach what
it writes; it never writes beside the sources.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from camera_edge.errors import BuildError
from camera_edge.toolchain.language import Language

MODULE = "module"
SDK = "sdk"
OUTPUT = "out"
LONGEST_S = 600
# sources, and what sources may include; pictures and recordings of tests stay where they are
_TAKEN = frozenset({".c", ".h", ".inc", ".zig", ".rs", ".ts", ".json", ".txt", ".bin"})
_LEFT_OUT = frozenset({"node_modules", "example", "example_rule"})


@dataclass(frozen=True, slots=True)
class Stage:
    """A folder with `module/` and `sdk/` in it. `source` is where the module came from, for messages."""

    root: Path
    source: Path

    @property
    def output(self) -> Path:
        """Where a compiler is told to write; `OUTPUT` is its relative name."""
        return self.root / OUTPUT

    def run(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Run a compiler in `root`. Raises BuildError with its words."""
        try:
            done = subprocess.run(
                command,
                cwd=self.root,
                env={**os.environ, **(environment or {})},
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=LONGEST_S,
            )
        except OSError as error:
            raise BuildError(f"{command[0]} cannot be run: {error.strerror}", where=str(self.source)) from error
        except subprocess.TimeoutExpired as error:
            raise BuildError(f"the compiler was not done after {LONGEST_S} s", where=str(self.source)) from error
        if done.returncode != 0:
            words = (done.stderr.strip() or done.stdout.strip()).replace(f"{MODULE}/", "")
            # `.` and `..` have no name of their own
            source = self.source.resolve()
            raise BuildError(f"{source.name} does not compile:\n{words}", where=str(source))

    def deliver(self, target: Path) -> None:
        """Move what was compiled to `target`, whole or not at all. Raises BuildError."""
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as aside:
                fresh = Path(aside) / target.name
                shutil.copyfile(self.output, fresh)
                fresh.chmod(0o644)
                fresh.replace(target)
        except OSError as error:
            raise BuildError(f"cannot be written: {error.strerror}", where=str(target)) from error


@contextmanager
def staged(folder: Path, sdk: Path, language: Language) -> Iterator[Stage]:
    """The module in `folder` with its language's SDK beside it. Raises BuildError."""
    if not (sdk / language.value).is_dir():
        raise BuildError(f"there is no SDK for {language.value} here", where=str(sdk), hint="install the package again")
    with tempfile.TemporaryDirectory(prefix="camera-edge-build-") as work:
        stage = Stage(Path(work), folder)
        try:
            _copy(folder, stage.root / MODULE)
            _copy(sdk / language.value, stage.root / SDK)
        except OSError as error:
            raise BuildError(f"cannot be read: {error}", where=str(folder)) from error
        yield stage


def build_inputs(folder: Path) -> Iterator[Path]:
    """The files of a module's or an SDK's folder that a compiler gets to see. Raises OSError."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            # a link to a folder may lead back here
            if path.name not in _LEFT_OUT and not path.name.startswith(".") and not path.is_symlink():
                yield from build_inputs(path)
        elif path.is_file() and path.suffix in _TAKEN:
            yield path


def lacking(reason: str, folder: Path | None = None) -> BuildError:
    """The error for a compiler that is missing; what stands behind the colon of `reason` is the next step."""
    message, _, hint = reason.partition(": ")
    return BuildError(message, where=None if folder is None else str(folder), hint=hint or None)


def _copy(source: Path, target: Path) -> None:
    target.mkdir()
    for path in build_inputs(source):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
