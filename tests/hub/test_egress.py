"""Watches every system call of hub, compiler and worker: what they open, whom they talk to, what they start.

The libraries inside call out by default (onnxruntime its telemetry, aiortc a public STUN server), so this looks at the
real programs, with strace, and not at their settings.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from camera_edge.config import Config
from camera_edge.inference import Registry
from camera_edge.preview.ice import gather

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY.parent / "shared" / "data"
MODEL = DATA / "models" / "yolox_nano" / "yolox_nano.onnx"
PATIENCE_S = 90.0

# tells the page's address, then every event, and ends in good order when its input does
PROGRAM = """
import asyncio, sys
from pathlib import Path
from camera_edge.config import load
from camera_edge.hub import ClipNews, EventNews, Hub, Listening

def tell(news):
    if isinstance(news, Listening):
        print("page", news.address, flush=True)
    elif isinstance(news, EventNews):
        print("event", news.phase, flush=True)
    elif isinstance(news, ClipNews):
        print("clip", news.clip, flush=True)

async def main():
    until = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, until.set)
    await Hub(load(Path(sys.argv[1])), on_news=tell).run(until)

asyncio.run(main())
"""
CALLS = (
    "network,execve,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,symlink,symlinkat,"
    "link,linkat,mknod,mknodat,truncate"
)

pytestmark = [
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
    pytest.mark.skipif(
        not (REPOSITORY / "camera_edge" / "shipped" / "hashes.json").exists(),
        reason="the analyzers are not built (scripts/setup)",
    ),
]


class Traced:
    """The appliance under strace."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def told(self, start: str) -> str:
        """The rest of the first line that begins so."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := (await self._process.stdout.readline()).decode():
                if line.startswith(start):
                    return line.removeprefix(start).strip()
        raise AssertionError(f"the appliance ended without telling {start!r}")


@asynccontextmanager
async def traced(config: Path, trace: Path) -> AsyncIterator[Traced]:
    process = await asyncio.create_subprocess_exec(
        *("strace", "-f", "--seccomp-bpf", "-qq", "-s", "200", "-e", f"trace={CALLS}", "-o", str(trace)),
        *(sys.executable, "-B", "-c", PROGRAM, str(config)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=REPOSITORY,
    )
    assert process.stdin is not None
    try:
        yield Traced(process)
    finally:
        process.stdin.close()
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()
    assert process.returncode == 0


class Calls:
    """What strace wrote, one finished call a line."""

    def __init__(self, trace: Path) -> None:
        text = trace.read_text(errors="replace")
        # a call that another thread interrupts stands in two lines
        self.lines = [line for line in text.splitlines() if "resumed>" not in line or "unfinished" in line]

    def named(self, *names: str) -> list[str]:
        pattern = re.compile(rf"^\d+\s+(?:{'|'.join(names)})\(")
        return [line for line in self.lines if pattern.match(line)]

    def talked_to(self) -> set[str]:
        """Every IP address in a network call: bound, connected to, sent to or received from."""
        calls = "\n".join(self.named("bind", "connect", "sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg"))
        return set(re.findall(r'inet_(?:addr|pton)\((?:AF_INET6, )?"([^"]+)"', calls))

    def unix_sockets(self) -> set[str]:
        return set(re.findall(r'sun_path=@?"([^"]+)"', "\n".join(self.named("connect", "sendto", "sendmsg", "bind"))))

    def changed(self) -> set[str]:
        """Paths that were opened for writing, made, renamed or deleted, or where that was tried."""
        opened = [line for line in self.named("open", "openat", "creat") if re.search("O_WRONLY|O_RDWR|O_CREAT", line)]
        others = self.named(
            "mkdir(?:at)?", "rename(?:at2?)?", "unlink(?:at)?", "rmdir", "(?:sym)?link(?:at)?", "truncate"
        )
        return {path for line in (*opened, *others) for path in re.findall(r'"(/[^"]*)"', line)}

    def programs(self) -> set[str]:
        return {Path(path).name for path in re.findall(r'execve\("([^"]+)"', "\n".join(self.named("execve")))}


def strangers(paths: set[str], state: Path) -> set[str]:
    return {
        path for path in paths if not Path(path).is_relative_to(state) and path not in {"/dev/null", "/proc/self/mem"}
    }


def write_config(folder: Path, camera: dict[str, object]) -> Path:
    path = folder / "camera-edge.yaml"
    settings = {
        "version": 1,
        "state": str(folder / "state"),
        "web": {"listen": "127.0.0.1:0", "token": "a-token-for-tests"},
        "storage": {"headroom": 0},
        "cameras": {"front": camera},
    }
    Config.model_validate(settings)
    path.write_text(yaml.safe_dump(settings))
    return path


async def look_in(address: str) -> None:
    """Watches the camera's preview until a picture comes."""
    base = address.partition("/?")[0]
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTransceiver("video", direction="recvonly")
    try:
        await gather(peer, ("127.0.0.1",))
        await peer.setLocalDescription()
        headers = {"Authorization": "Bearer a-token-for-tests", "Content-Type": "application/sdp"}
        async with aiohttp.ClientSession(headers=headers) as session:
            async with session.post(f"{base}/front/whep", data=peer.localDescription.sdp) as answer:
                assert answer.status == 201
                await peer.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))
            async with asyncio.timeout(PATIENCE_S):
                await peer.getReceivers()[0].track.recv()
    finally:
        await peer.close()


async def test_camera_events_clips_and_preview_touch_nothing_outside(tmp_path: Path) -> None:
    camera: dict[str, object] = {
        "source": "synthetic:?seed=7&size=480x270&fps=15",
        "clip": {"before_s": 1, "after_s": 1, "longest_s": 3},
    }
    config, trace = write_config(tmp_path, camera), tmp_path / "trace"
    async with traced(config, trace) as appliance:
        address = await appliance.told("page")
        await appliance.told("event opened")
        await look_in(address)
    calls = Calls(trace)
    assert calls.talked_to() == {"127.0.0.1"}
    assert calls.unix_sockets() == set()
    assert strangers(calls.changed(), tmp_path / "state") == set()
    # ldconfig: how ctypes finds a library by its name, in the hub
    assert calls.programs() <= {"python", Path(sys.executable).name, "ldconfig"}
    assert list((tmp_path / "state" / "home").iterdir()) == []
    assert list((tmp_path / "state" / "clips").rglob("*.mp4")), "the run was to leave a clip"


@pytest.mark.skipif(not MODEL.exists(), reason="the recordings and models are not here")
async def test_inference_touches_nothing_outside(tmp_path: Path) -> None:
    camera: dict[str, object] = {
        "source": str(next((DATA / "video" / "opencv_vtest").glob("*.[am][vp][i4]"))),
        "analyzers": {"objects": {"grant": ["onnx:yolox_nano"], "params": {"model": "yolox_nano"}}},
    }
    config, trace = write_config(tmp_path, camera), tmp_path / "trace"
    Registry(tmp_path / "state" / "models").add(MODEL, name="yolox_nano")
    async with traced(config, trace) as appliance:
        await appliance.told("event opened")
    calls = Calls(trace)
    assert any("onnxruntime" in line for line in calls.named("openat")), "the run was to load onnxruntime"
    assert calls.talked_to() == {"127.0.0.1"}
    assert calls.unix_sockets() == set()
    assert strangers(calls.changed(), tmp_path / "state") == set()


def test_the_watch_sees_what_it_is_to_see(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.write_text(
        '1 connect(3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("192.0.2.53")}, 16) = 0\n'
        '2 sendto(4, "q", 1, 0, {sa_family=AF_INET6, sin6_port=htons(53), sin6_flowinfo=htonl(0), '
        'inet_pton(AF_INET6, "2001:db8::53", &sin6_addr), sin6_scope_id=0}, 28 <unfinished ...>\n'
        "2 <... sendto resumed>) = 1\n"
        '3 connect(5, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT (No such file)\n'
        '4 openat(AT_FDCWD, "/root/.cache/telemetry", O_WRONLY|O_CREAT, 0600) = 5\n'
        '4 openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 5\n'
        '5 execve("/usr/bin/curl", ["curl"], 0x1 /* 2 vars */) = 0\n'
    )
    calls = Calls(trace)
    assert calls.talked_to() == {"192.0.2.53", "2001:db8::53"}
    assert calls.unix_sockets() == {"/var/run/nscd/socket"}
    assert strangers(calls.changed(), tmp_path) == {"/root/.cache/telemetry"}
    assert calls.programs() == {"curl"}
