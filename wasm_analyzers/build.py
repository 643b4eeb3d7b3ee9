"""Compiles the shipped analyzers to WebAssembly and gathers in `camera_edge/shipped/` what the package needs.

Invariant: the same sources give the same bytes in any folder; what is written there is made from this tree alone.

It is the build hook of the package, for wheels and editable installs; `python wasm_analyzers/build.py` runs it by hand.

    camera_edge/shipped/
        hashes.json                       {"motion": "<sha256 of motion.wasm>", ...}
        <name>/<name>.wasm, analyzer.toml
        models/                           the catalogue and the project's own models
        source/                           what the modules were made from, for `bench` and for anyone who checks
        source/sdk/                       the SDK of each language with its example, to start an analyzer from
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# the package is being built, and so is not installed; its toolchain needs nothing but Python
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from camera_edge import toolchain  # noqa: E402

SDK = Path("sdk")
NOT_SOURCE = shutil.ignore_patterns("node_modules", ".*", "*.wasm", "__pycache__")


def module_folders(analyzers: Path) -> list[Path]:
    """The folders of `wasm_analyzers` that hold a shipped module, in order of name."""
    return sorted(manifest.parent for manifest in analyzers.glob("*/analyzer.toml"))


def copy_sources(analyzers: Path, target: Path) -> None:
    """Put the sources of all modules, and the SDKs with their examples, below `target`."""
    for folder in module_folders(analyzers):
        copy = target / folder.name
        copy.mkdir(parents=True)
        for path in sorted([*folder.glob("*.c"), *folder.glob("*.h")]):
            shutil.copyfile(path, copy / path.name)
    shutil.copytree(analyzers / SDK, target / SDK, ignore=NOT_SOURCE, copy_function=shutil.copyfile)


def fill(root: Path, shipped: Path, cache: Path) -> dict[str, str]:
    """Write everything into the empty folder `shipped`; return the SHA-256 of each module by name."""
    analyzers = root / "wasm_analyzers"
    hashes = {}
    for folder in module_folders(analyzers):
        out = shipped / folder.name
        out.mkdir()
        wasm = out / f"{folder.name}.wasm"
        toolchain.build(folder, wasm, analyzers / SDK, cache)
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
    Raises `BuildError`.
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
