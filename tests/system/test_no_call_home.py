"""`camera-edge run` under strace, as it is started by a person: no line of the trace may be unaccounted for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from camera_edge.preview.ice import gather

if TYPE_CHECKING:
    from tests.system.conftest import Appliance, NewAppliance

STRACE = shutil.which("strace")
MODEL = Path(__file__).parents[3] / "shared" / "data" / "models" / "yolox_nano" / "yolox_nano.onnx"
CALLS = (
    "%network,execve,execveat,open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,"
    "symlink,symlinkat,link,linkat,mknod,mknodat,truncate,chmod,fchmodat,chown,fchownat,io_uring_setup"
)
WRITES = re.compile(
    r"^(?:creat|mkdir(?:at)?|rename(?:at2?)?|unlink(?:at)?|rmdir|(?:sym)?link(?:at)?|mknod(?:at)?|truncate|chmod|fchmodat"
    r"|chown|fchownat|open(?:at2?)?)\("
)
OPENS = re.compile(r"^open(?:at2?)?\(")
# ldconfig: how ctypes finds a library by its name
PROGRAMS = frozenset({"python", Path(sys.executable).name, Path(sys.executable).resolve().name, "ldconfig"})
LOOPBACK = re.compile(r'inet_addr\("127\.[\d.]+"\)|inet_pton\(AF_INET6, "::1"|inet_addr\("0\.0\.0\.0"\)')


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an appliance may touch. ports: TCP ports on loopback that it connects to, its cameras'."""

    state: Path
    ports: frozenset[int]

    def objection(self, call: str) -> str | None:
        """Why a call is not to be, or None."""
        if call.startswith(("socket(", "socketpair(")):
            return None if re.match(r"socket(?:pair)?\(AF_(?:INET|INET6|UNIX)\b", call) else "a strange kind of socket"
        if "AF_NETLINK" in call:
            return "asks the kernel about the network"
        if "sun_path=" in call:
            return "speaks to another program"
        if "sa_family=AF_INET" in call:
            return self._about_network(call)
        if call.startswith("execve"):
            program = re.search(r'"([^"]+)"', call)
            return None if program and Path(program[1]).name in PROGRAMS else "starts a program"
        if call.startswith("io_uring"):
            return "goes around what can be watched"
        if WRITES.match(call) and not (OPENS.match(call) and not re.search("O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", call)):
            return self._about_files(call)
        return None

    def _about_network(self, call: str) -> str | None:
        if not LOOPBACK.search(call):
            return "leaves the machine"
        if "htons(53)" in call or "htons(5353)" in call:
            return "asks for a name"
        target = re.search(r"htons\((\d+)\)", call)
        if call.startswith("connect(") and "AF_INET" in call and target and int(target[1]) not in self.ports:
            return "connects to what is no camera"
        return None

    def _about_files(self, call: str) -> str | None:
        paths = [Path(path) for path in re.findall(r'"((?:[^"\\]|\\.)*)"', call)]
        strange = [path for path in paths if not self._is_ours(path)]
        return f"changes {strange[0]}" if strange else None

    def _is_ours(self, path: Path) -> bool:
        # /proc/self/mem: the sandbox's runtime asks whether it can be read
        return path.is_relative_to(self.state) or str(path) in {"/dev/null", "/proc/self/mem"}


def calls(trace: Path) -> Iterator[str]:
    """The calls of a trace, without process ids; one that another interrupted counts by its beginning."""
    for line in trace.read_text(errors="replace").splitlines():
        call = re.sub(r"^\d+\s+", "", line)
        if not call.startswith(("<...", "+++", "---")):
            yield call


async def look_in(appliance: Appliance, camera: str, token: str) -> None:
    """Watches a camera's preview until a picture comes."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTransceiver("video", direction="recvonly")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    try:
        await gather(peer, ("127.0.0.1",))
        await peer.setLocalDescription()
        async with aiohttp.ClientSession(appliance.address.partition("?")[0], headers=headers) as session:
            async with session.post(f"/{camera}/whep", data=peer.localDescription.sdp) as answer:
                assert answer.status == 201
                await peer.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))
            await peer.getReceivers()[0].track.recv()
    finally:
        await peer.close()


def add_model(appliance: Appliance) -> None:
    """As an operator does it; into the state folder of the configuration."""
    command = [sys.executable, "-m", "camera_edge", "model", "add", str(MODEL), "--state", str(appliance.state)]
    subprocess.run(command, env=appliance.environment(), check=True, capture_output=True, timeout=60)


@pytest.mark.skipif(STRACE is None or os.geteuid() != 0, reason="needs root and Debian's strace package")
async def test_every_call_of_cameras_models_clips_and_preview_is_accounted_for(
    new_appliance: NewAppliance, door: Mapping[str, object], door_port: int, secrets: Mapping[str, str], token: str
) -> None:
    yard: dict[str, object] = {"source": "synthetic:?size=320x180&fps=5"}
    appliance = new_appliance({"door": door, "yard": yard}, secrets=secrets)
    if MODEL.exists():
        add_model(appliance)
        yard["analyzers"] = {"objects": {"grant": ["onnx:yolox_nano"], "params": {"model": "yolox_nano"}}}
    trace = appliance.folder / "trace"
    assert STRACE is not None
    appliance.start((STRACE, "-D", "-f", "--seccomp-bpf", "-q", "-s", "300", "-e", f"trace={CALLS}", "-o", str(trace)))
    appliance.until_running()
    await look_in(appliance, "door", token)
    appliance.until_clip("door")
    assert appliance.stop() == 0
    # the tracer runs beside it, and ends after it
    appliance.until(lambda: f"{appliance.process.pid} +++ exited with 0" in re.sub(" +", " ", trace.read_text()))
    seen = list(calls(trace))
    assert any(call.startswith("connect(") and f"htons({door_port})" in call for call in seen), "it saw the camera"
    assert any("libonnxruntime" in call or "onnxruntime_pybind" in call for call in seen) == MODEL.exists()
    allowed = Allowed(appliance.state, frozenset({door_port}))
    assert [(why, call) for call in seen if (why := allowed.objection(call))] == []
    assert list(appliance.home.iterdir()) == []
    assert list((appliance.state / "home").iterdir()) == []


@pytest.mark.parametrize(
    "call",
    [
        'connect(3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.53")}, 16) = 0',
        'connect(3, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.1")}, 16) = 0',
        'connect(3, {sa_family=AF_INET, sin_port=htons(631), sin_addr=inet_addr("127.0.0.1")}, 16) = 0',
        'sendto(4, "q", 1, 0, {sa_family=AF_INET6, sin6_port=htons(9), inet_pton(AF_INET6, "2001:db8::1", &sin6_addr)}',
        'connect(5, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT (No such file)',
        "socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_ROUTE) = 3",
        'openat(AT_FDCWD, "/root/.cache/telemetry", O_WRONLY|O_CREAT, 0600) = 5',
        'mkdir("/root/.config", 0700) = -1 EACCES (Permission denied)',
        'rename("/state/clip", "/var/tmp/clip") = 0',
        'execve("/usr/bin/curl", ["curl"], 0x1 /* 2 vars */) = 0',
        "io_uring_setup(8, {flags=0}) = 5",
    ],
)
def test_the_watch_objects_to_what_is_not_to_be(call: str) -> None:
    assert Allowed(Path("/state"), frozenset({8554})).objection(call) is not None


@pytest.mark.parametrize(
    "call",
    [
        'connect(3, {sa_family=AF_INET, sin_port=htons(8554), sin_addr=inet_addr("127.0.0.1")}, 16) = 0',
        'openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3',
        'rename("/state/spool/a", "/state/clips/a") = 0',
    ],
)
def test_the_watch_lets_pass_what_is_needed(call: str) -> None:
    assert Allowed(Path("/state"), frozenset({8554})).objection(call) is None
