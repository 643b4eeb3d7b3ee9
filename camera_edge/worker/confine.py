"""Takes from the worker process what it does not need, before it sees a picture.

Invariant: `confine` runs while the process has one thread (a thread that exists already would stay free), before
numpy, OpenCV or any other library that starts threads is imported; `seal` runs before the camera is opened.
What the kernel cannot do is said, and what fails although it could is an error.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import stat
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from camera_edge.errors import CameraEdgeError
from camera_edge.worker.landlock import DEVICE, READ, WRITE, FileAccess, Ruleset, abi_version

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38

_libc: Final = ctypes.CDLL(None, use_errno=True)

# libraries and their cache, time zones, what numeric libraries ask about the processor; nothing of a person.
# Reading is enough to load a library; no program can be started from anywhere.
_SYSTEM_PATHS: Final = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/kernel/osrelease",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
)
# writing is only possible as in any program: what goes in is gone
_SYSTEM_SINKS: Final = ("/dev/null",)


def die_with(parent_pid: int) -> None:
    """Has the kernel kill this process when its hub ends, so that no worker writes into a spool of the next one.

    Raises CameraEdgeError where the hub is gone already: the signal would never come.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, "PR_SET_PDEATHSIG")
    if os.getppid() != parent_pid:
        raise CameraEdgeError("the hub that started this worker is gone", hint="start `camera-edge run` again")


def confine(read: Sequence[Path], write: Sequence[Path], connect_ports: Sequence[int]) -> list[str]:
    """Confines this process for good and says what is in force and what the kernel lacks, a line each.

    read: files and folders to read beyond Python, its packages and the system's libraries; missing ones are left out.
    write: folders to read and write in, and device nodes to use. connect_ports: TCP ports to connect to.
    Raises CameraEdgeError where a part fails that the kernel has, where a path of `write` is missing, or where
    threads exist already.
    """
    _refuse_threads()
    _prctl(_PR_SET_NO_NEW_PRIVS, 1, "PR_SET_NO_NEW_PRIVS")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    lines = ["no new privileges", "no core dumps"]
    abi = abi_version()
    if abi == 0:
        return [*lines, "NOT in force: file and network rules; this kernel has no Landlock (Linux 5.13 and newer)"]
    with Ruleset(abi) as ruleset:
        _allow(ruleset, read, write, connect_ports)
        ruleset.enforce()
    return [*lines, *_describe(abi, write, connect_ports)]


def seal() -> str:
    """No debugger, no `/proc/PID/mem`, no dump: for the whole process, at any number of threads.

    Afterwards `/proc/self` belongs to root, so what the sandbox needs of it (`pagemap`) is opened before.
    """
    _prctl(_PR_SET_DUMPABLE, 0, "PR_SET_DUMPABLE")
    return "memory not readable by other processes of the same user (not dumpable)"


def runtime_paths() -> list[Path]:
    """What any Python program of this installation reads: interpreter, packages, libraries, processor facts."""
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {entry for entry in sys.path if Path(entry).name in {"site-packages", "dist-packages", "lib-dynload"}}
    folders |= {str(Path(base) / "lib") for base in (sys.prefix, sys.base_prefix)}
    package = Path(__file__).parents[1]
    return [package, Path(sys.prefix) / "pyvenv.cfg", *map(Path, sorted(folders)), *map(Path, _SYSTEM_PATHS)]


def _allow(ruleset: Ruleset, read: Sequence[Path], write: Sequence[Path], connect_ports: Sequence[int]) -> None:
    for path in (*runtime_paths(), *read):
        if path.exists():
            ruleset.allow_path(path, READ)
    for sink in _SYSTEM_SINKS:
        ruleset.allow_path(Path(sink), FileAccess.READ_FILE | FileAccess.WRITE_FILE)
    for path in write:
        is_device = path.exists() and stat.S_ISCHR(path.stat().st_mode)
        ruleset.allow_path(path, DEVICE if is_device else WRITE)
    for port in connect_ports:
        ruleset.allow_connect(port)


def _describe(abi: int, write: Sequence[Path], connect_ports: Sequence[int]) -> list[str]:
    folders = ", ".join(str(path) for path in write) or "nowhere"
    lines = [f"files: reads its own installation and what it was given, writes {folders}, starts no program"]
    ports = ", ".join(str(port) for port in connect_ports) or "none"
    if abi >= 4:
        lines.append(f"TCP: connects to port {ports}, accepts nothing")
        lines.append("NOT in force: UDP, Unix sockets and other protocols, which Landlock does not cover")
    else:
        lines.append("NOT in force: network rules; this kernel's Landlock knows files only (TCP from Linux 6.7)")
    if abi >= 6:
        lines.append("signals and abstract Unix sockets: only to its own")
    else:
        lines.append("NOT in force: limits on signals and abstract Unix sockets (Linux 6.12 and newer)")
    if abi < 3:
        lines.append("NOT in force: a file that it may read can be truncated where its permissions allow (Linux 6.2)")
    return lines


def _refuse_threads() -> None:
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise CameraEdgeError(
            f"the worker has {threads} threads already, and those would stay unconfined",
            hint="confine before any library that starts threads is imported",
        )


def _prctl(option: int, value: int, name: str) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)):
        raise CameraEdgeError(f"prctl({name}) failed: {os.strerror(ctypes.get_errno())}")
