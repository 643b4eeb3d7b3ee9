"""Begins a module: the SDK's example of a language under a new name, with golden tests and a README.

Invariant: nothing that is there is overwritten; the new folder is there whole or not at all.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from camera_edge.errors import ModuleError, OutputError, UsageError
from camera_edge.sandbox import shipped_names
from camera_edge.sandbox.manifest import is_name
from camera_edge.sandbox.module import MANIFEST_NAME
from camera_edge.toolchain import Language, sdk_folder
from camera_edge.workshop.workpiece import Workshop, open_workshop

_NAME_LINE = re.compile(r'^name = ".*"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What to begin. `parent`: where the folder `name` is made."""

    name: str
    language: Language
    is_rule: bool
    parent: Path


def begin(wanted: Scaffold, sdk: Path | None = None) -> Workshop:
    """Raises UsageError for a name that cannot be used, OutputError where the folder is there or cannot be made."""
    _check_name(wanted.name)
    example = _example(wanted, sdk or sdk_folder())
    target = wanted.parent / wanted.name
    if target.exists() or target.is_symlink():
        raise OutputError("it is there already", where=str(target), hint="choose another name, or another --dir")
    try:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=wanted.parent) as aside:
            fresh = Path(aside) / wanted.name
            _fill(fresh, example, wanted)
            fresh.rename(target)
    except OSError as error:
        hint = "choose another --dir"
        raise OutputError(f"cannot be made: {error.strerror}", where=str(target), hint=hint) from error
    return open_workshop(target)


def _check_name(name: str) -> None:
    if not is_name(name):
        hint = "use up to 64 letters, digits, _ and -, a letter or digit first"
        raise UsageError(f"{name!r} is no name for a module", hint=hint)
    if name in shipped_names():
        raise UsageError(f"a module called {name} is shipped with camera-edge", hint="choose another name")


def _example(wanted: Scaffold, sdk: Path) -> Workshop:
    kind = "example_rule" if wanted.is_rule else "example"
    folder = sdk / wanted.language.value / kind
    if not folder.is_dir():
        others = ", ".join(sorted(path.parent.name for path in sdk.glob(f"*/{kind}")))
        what = "rule module" if wanted.is_rule else "analyzer"
        raise UsageError(
            f"there is no example of a {what} in {wanted.language.value}",
            hint=f"there is one in: {others}" if others else "install the package again",
        )
    return open_workshop(folder)


def _fill(fresh: Path, example: Workshop, wanted: Scaffold) -> None:
    fresh.mkdir()
    name, source = wanted.name, ""
    for path in sorted(each for each in example.folder.iterdir() if each.is_file()):
        if path.name == MANIFEST_NAME:
            manifest, count = _NAME_LINE.subn(f'name = "{name}"', path.read_text(encoding="utf-8"), count=1)
            if not count:
                raise ModuleError("the example's manifest has no line of its name", where=str(path))
            (fresh / path.name).write_text(manifest, encoding="utf-8")
            continue
        target = fresh / (f"{name}{path.suffix}" if path.stem == example.manifest.name else path.name)
        shutil.copyfile(path, target)
        source = target.name if path.suffix == wanted.language.suffix else source
    pattern = Path(str(files("camera_edge"))) / "workshop" / "patterns" / ("rule" if wanted.is_rule else "analyzer")
    readme = (pattern / "README.md").read_text(encoding="utf-8")
    (fresh / "README.md").write_text(readme.replace("{name}", name).replace("{source}", source), encoding="utf-8")
    (fresh / "golden").mkdir()
    for path in sorted((pattern / "golden").iterdir()):
        text = path.read_text(encoding="utf-8")
        (fresh / "golden" / path.name).write_text(text.replace("{name}", name), encoding="utf-8")
