"""Compiles a module, whatever its language.

Invariant: what is at the target afterwards is the whole result of this build, or what was there before.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from camera_edge.errors import BuildError
from camera_edge.toolchain import assemblyscript, c, rust, zig, ziglang
from camera_edge.toolchain.language import Language, entry_of, language_of
from camera_edge.toolchain.stage import lacking, staged


def sdk_folder() -> Path:
    """Where the installed package keeps the SDKs: a folder for each language."""
    return Path(str(files("camera_edge"))) / "shipped" / "source" / "sdk"


def missing(language: Language, sdk: Path | None = None) -> str | None:
    """Why nothing can be compiled from this language here, with the next step; None where it can."""
    if language is Language.RUST:
        return rust.missing()
    if language is Language.ASSEMBLYSCRIPT:
        return assemblyscript.missing(sdk or sdk_folder())
    return ziglang.missing()


def install(language: Language, sdk: Path | None = None) -> None:
    """Get what can be had without root: the AssemblyScript compiler, from npm into the user's cache.

    Raises BuildError where that fails, or where the toolchain is missing and is not installed this way.
    """
    if language is Language.ASSEMBLYSCRIPT:
        assemblyscript.install(sdk or sdk_folder())
    elif (reason := missing(language, sdk)) is not None:
        raise lacking(reason)


def build(folder: Path, wasm: Path, sdk: Path, cache: Path | None = None) -> None:
    """Compile the module in `folder`, which holds its manifest and its sources, to the file `wasm`.

    `sdk` holds a folder for each language; `cache` is zig's, by default in the user's cache. Raises BuildError.
    """
    language = language_of(folder)
    if (reason := missing(language, sdk)) is not None and language is not Language.ASSEMBLYSCRIPT:
        raise lacking(reason, folder)
    with staged(folder, sdk, language) as stage:
        if language is Language.C:
            c.build(stage, cache)
        elif language is Language.ZIG:
            zig.build(stage, entry_of(folder, language), cache)
        elif language is Language.RUST:
            rust.build(stage, entry_of(folder, language))
        else:
            assemblyscript.build(stage, entry_of(folder, language), sdk)
        stage.deliver(wasm)


def build_native(folder: Path, library: Path, sdk: Path) -> None:
    """Compile a module in C as native code, with the host side of `sdk/c/native_host.c`. Raises BuildError."""
    language = language_of(folder)
    if language is not Language.C:
        raise BuildError(f"a module in {language.value} has no native build", where=str(folder), hint="only C has")
    if (reason := ziglang.missing()) is not None:
        raise lacking(reason, folder)
    with staged(folder, sdk, language) as stage:
        c.build_native(stage)
        stage.deliver(library)
