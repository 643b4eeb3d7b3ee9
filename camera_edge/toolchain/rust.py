"""Compiles modules in Rust, with `rustc` alone.

Invariant: no crates and no cargo, so nothing is downloaded; debug information and names are left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from camera_edge.toolchain.stage import MODULE, OUTPUT, SDK, Stage, lacking

TARGET = "wasm32-unknown-unknown"
FLAGS = (
    "--edition=2021",
    f"--target={TARGET}",
    "-Copt-level=3",
    "-Cpanic=abort",
    "-Ccodegen-units=1",
    "-Ctarget-feature=+bulk-memory",
)
LINKER = ("-Clto=fat", "-Cstrip=symbols", "-Clink-arg=-zstack-size=131072")


def missing() -> str | None:
    """Why there is no compiler for the target here, with the next step; None where there is."""
    if _compiler() is not None:
        return None
    return (
        f"there is no rustc with the target {TARGET}: on Debian apt-get install rustc libstd-rust-dev-wasm32 lld, "
        f"with rustup: rustup target add {TARGET}"
    )


def build(stage: Stage, entry: str) -> None:
    """The SDK as a library, then the module against it. Raises BuildError."""
    rustc = _compiler()
    if rustc is None:
        raise lacking(missing() or "", stage.source)
    library = "libcamera_edge.rlib"
    sdk = ["--crate-type=rlib", "--crate-name=camera_edge", f"{SDK}/camera_edge.rs", "-o", library]
    module = ["--crate-type=cdylib", "--crate-name=module", "--extern", f"camera_edge={library}"]
    stage.run([rustc, *FLAGS, *sdk])
    stage.run([rustc, *FLAGS, *LINKER, *module, f"{MODULE}/{entry}", "-o", OUTPUT])


def _compiler() -> str | None:
    """The rustc that RUSTC names; else the first with the target's standard library, which one on the PATH may lack."""
    named = os.environ.get("RUSTC")
    for name in (named,) if named else ("rustc", "/usr/bin/rustc"):
        rustc = shutil.which(name)
        if rustc is not None and _has_target(rustc):
            return rustc
    return None


def _has_target(rustc: str) -> bool:
    command = [rustc, "--print=target-libdir", f"--target={TARGET}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and any(Path(done.stdout.strip()).glob("libstd-*.rlib"))
