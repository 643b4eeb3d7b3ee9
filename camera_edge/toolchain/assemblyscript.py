"""Compiles modules in AssemblyScript, with the compiler of the npm package `assemblyscript`.

Invariant: a build downloads nothing. The compiler is installed once, by its lock file, when somebody asks for it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from camera_edge.errors import BuildError
from camera_edge.toolchain.cache import kept_folder
from camera_edge.toolchain.stage import LONGEST_S, MODULE, OUTPUT, SDK, Stage, lacking

VERSION = "0.27.9"
FLAGS = (
    "-O3",
    "--converge",
    "--enable",
    "simd",
    # an uncaught error is said through `log`: the host links no `env.abort`
    "--use",
    "abort=~lib/camera_edge/index/fault",
    "--noColors",
)
_KEPT = f"assemblyscript-{VERSION}"
_ASC = Path("node_modules") / "assemblyscript" / "bin" / "asc.js"
_LOCKED = ("package.json", "package-lock.json")


def missing(sdk: Path) -> str | None:
    """Why it cannot compile here, with the next step; None where it can."""
    if shutil.which("node") is None:
        return "there is no Node: on Debian apt-get install nodejs npm"
    if _compiler(sdk) is not None:
        return None
    if kept_folder(_KEPT) is None:
        return "there is no home folder for the AssemblyScript compiler: set XDG_CACHE_HOME"
    return f"the AssemblyScript compiler {VERSION} is not installed: camera-edge analyzer build --install"


def install(sdk: Path) -> None:
    """Install the compiler into the user's cache, from npm, as the lock file says. Raises BuildError."""
    folder = kept_folder(_KEPT)
    npm = shutil.which("npm")
    if folder is None or npm is None:
        raise BuildError("the AssemblyScript compiler cannot be installed", hint="it needs npm and a home folder")
    if (folder / _ASC).is_file():
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(prefix=".npm-", dir=folder.parent) as work:
            fresh = Path(work) / "new"
            fresh.mkdir()
            for name in _LOCKED:
                shutil.copyfile(sdk / "assemblyscript" / name, fresh / name)
            _npm_ci(npm, fresh)
            if not (folder / _ASC).is_file():
                shutil.rmtree(folder, ignore_errors=True)
                fresh.rename(folder)
    except OSError as error:
        raise BuildError(f"the AssemblyScript compiler cannot be installed: {error}", where=str(folder)) from error


def build(stage: Stage, entry: str, sdk: Path) -> None:
    """Raises BuildError."""
    node, compiler = shutil.which("node"), _compiler(sdk)
    if node is None or compiler is None:
        raise lacking(missing(sdk) or "", stage.source)
    stage.run([node, str(compiler), f"{MODULE}/{entry}", "-o", OUTPUT, "--path", SDK, *FLAGS])


def _compiler(sdk: Path) -> Path | None:
    """The one beside the SDK, or in the user's cache; never one that came with a module, which may be anybody's."""
    places = [sdk / "assemblyscript", kept_folder(_KEPT)]
    found = [place / _ASC for place in places if place is not None and (place / _ASC).is_file()]
    return found[0].resolve() if found else None


def _npm_ci(npm: str, folder: Path) -> None:
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", check=False, timeout=LONGEST_S
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"npm ci was not done after {LONGEST_S} s", where=str(folder)) from error
    if done.returncode != 0:
        raise BuildError(f"npm ci failed:\n{done.stderr.strip()}", hint="it needs the npm registry, once")
