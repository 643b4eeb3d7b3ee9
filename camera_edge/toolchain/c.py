"""Compiles modules in C, for the sandbox and as native code for this machine.

Invariant: both take the same files of the module and of the SDK; the native build has the SDK's host side besides.
"""

from __future__ import annotations

from pathlib import Path

from camera_edge.toolchain import ziglang
from camera_edge.toolchain.stage import MODULE, OUTPUT, SDK, Stage

FLAGS = (
    "--target=wasm32-freestanding",
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
# a plain CPU: the comparison with the sandbox gains nothing from this one's extensions
NATIVE_FLAGS = ("-std=c11", "-O3", "-mcpu=baseline", "-ffp-contract=off", "-shared", "-fPIC")
HOST_SIDE = "native_host.c"


def build(stage: Stage, cache: Path | None = None) -> None:
    """Raises BuildError."""
    _compile(stage, FLAGS, _sources(stage, SDK, without=HOST_SIDE), cache)


def build_native(stage: Stage) -> None:
    """A shared library that the SDK's `native_host.c` answers. Raises BuildError."""
    _compile(stage, NATIVE_FLAGS, _sources(stage, SDK), None)


def _compile(stage: Stage, flags: tuple[str, ...], sdk_sources: list[str], cache: Path | None) -> None:
    ziglang.run(stage, ["cc", *flags, f"-I{SDK}", *_sources(stage, MODULE), *sdk_sources, "-o", OUTPUT], cache)


def _sources(stage: Stage, folder: str, without: str = "") -> list[str]:
    return [f"{folder}/{path.name}" for path in sorted((stage.root / folder).glob("*.c")) if path.name != without]
