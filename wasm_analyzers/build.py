"""Compiles the shipped analyzers to WebAssembly and gathers in `camera_edge/shipped/` what the package needs.

Invariant: the same sources give the same bytes in any folder; what is written there is made from this tree alone.

It is the build hook of the package, for wheels and editable installs; `python wasm_analyzers/build.py` runs it by hand.

    camera_edge/shipped/
        hashes.json                       {"motion": "<sha256 of motion.wasm>", ...}
        <name>/<name>.wasm, analyzer.toml
        models/                           the catalogue and the project's own models
        source/                           what the modules were made from, for `bench` and for anyone who checks
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TARGET = "wasm32-freestanding"
FLAGS = (
    "-std=c11",
    "-O3",
    "-msimd128",
    "-fno-exceptions",
    "-ffp-contract=off",
    # vectors are written by hand where they pay; what the compiler adds beside them runs slower in the sandbox
    "-fno-vectorize",
    "-fno-slp-vectorize",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-nostdlib",
    # no names and no producers section: nothing of the building machine ends up in the module
    "-s",
    "-Wl,--no-entry",
    "-Wl,--strip-all",
    "-Wl,--gc-sections",
    # zig's default of 16 MiB of stack would cost that much memory per camera
    "-Wl,-z,stack-size=131072",
)
SDK = Path("sdk/c")
NATIVE_ONLY = "native_host.c"


class BuildFailedError(Exception):
    """The compiler refused a module; the message is what it said."""


def module_folders(analyzers: Path) -> list[Path]:
    """The folders of `wasm_analyzers` that hold a shipped module, in order of name."""
    return sorted(manifest.parent for manifest in analyzers.glob("*/analyzer.toml"))


def module_sources(folder: Path) -> list[Path]:
    """The C files of a module: its own and those of the SDK."""
    sdk = [path for path in (folder.parent / SDK).glob("*.c") if path.name != NATIVE_ONLY]
    return sorted(folder.glob("*.c")) + sorted(sdk)


def compile_module(folder: Path, wasm: Path, cache: Path) -> None:
    """Compile the module in `folder` to `wasm`. `cache` is zig's, and may be empty.

    Raises `BuildFailedError` with the compiler's words.
    """
    analyzers = folder.parent
    # relative paths, so that no name of a folder can reach the output
    sources = [str(path.relative_to(analyzers)) for path in module_sources(folder)]
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        f"--target={TARGET}",
        *FLAGS,
        f"-I{SDK}",
        *sources,
        "-o",
        str(wasm),
    ]
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(cache), "ZIG_LOCAL_CACHE_DIR": str(cache)}
    done = subprocess.run(
        command, cwd=analyzers, env={**os.environ, **caches}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildFailedError(f"{folder.name} does not compile:\n{done.stderr}")
    wasm.chmod(0o644)


def copy_sources(analyzers: Path, target: Path) -> None:
    """Put the C files and headers of all modules and of the SDK below `target`."""
    for folder in [analyzers / SDK, *module_folders(analyzers)]:
        for path in sorted([*folder.glob("*.c"), *folder.glob("*.h")]):
            copy = target / path.relative_to(analyzers)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def fill(root: Path, shipped: Path, cache: Path) -> dict[str, str]:
    """Write everything into the empty folder `shipped`; return the SHA-256 of each module by name."""
    analyzers = root / "wasm_analyzers"
    hashes = {}
    for folder in module_folders(analyzers):
        out = shipped / folder.name
        out.mkdir()
        wasm = out / f"{folder.name}.wasm"
        compile_module(folder, wasm, cache)
        shutil.copyfile(folder / "analyzer.toml", out / "analyzer.toml")
        hashes[folder.name] = hashlib.sha256(wasm.read_bytes()).hexdigest()
    copy_sources(analyzers, shipped / "source")
    models = shipped / "models"
    models.mkdir()
    for path in sorted((root / "models").glob("*")):
        if path.is_file() and path.suffix != ".md":
            shutil.copyfile(path, models / path.name)
    (shipped / "hashes.json").write_text(json.dumps(hashes, indent=1, sort_keys=True) + "\n")
    return hashes


def build(root: Path, shipped: Path) -> dict[str, str]:
    """Make `shipped` anew from the tree at `root`; return the SHA-256 of each module by name.

    The folder is swapped in whole, so that a reader never sees modules and hashes that do not belong together.
    Raises `BuildFailedError`.
    """
    shipped.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix=".shipped-", dir=shipped.parent) as work,
        tempfile.TemporaryDirectory() as cache,
    ):
        fresh = Path(work) / "new"
        fresh.mkdir()
        hashes = fill(root, fresh, Path(cache))
        if shipped.exists():
            shipped.rename(Path(work) / "old")
        fresh.rename(shipped)
    return hashes


class ShippedModulesHook(BuildHookInterface[BuilderConfig]):
    """Runs the build before a wheel or an editable install is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        build(root, root / "camera_edge" / "shipped")
        # the folder is ignored by git, and would be left out otherwise
        build_data["artifacts"].append("/camera_edge/shipped/**")


def main() -> None:
    root = Path(__file__).resolve().parent.parent
    for name, digest in build(root, root / "camera_edge" / "shipped").items():
        sys.stdout.write(f"{digest}  {name}\n")


if __name__ == "__main__":
    main()
