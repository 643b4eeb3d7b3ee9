"""The whole appliance for tests: the real commands as child processes, on cheap cameras, asked over HTTP as a person
would. Everything they write lies below one folder of the test.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY.parent / "shared" / "data"
QUICK_HUB = Path(__file__).with_name("quick_hub.py")
RTSP_SERVER = REPOSITORY / "tests" / "capture" / "rtsp_server.py"
SYSTEM_PYTHON = Path("/usr/bin/python3")
TOKEN = "a-token-for-these-tests"
PATIENCE_S = 30.0
PAGE = "page and live preview: "
USER, PASSWORD = "gatekeeper", "open/sesame:9#"
# somebody who walks past the middle opens an event, and leaving it closes the event
ZONES: Mapping[str, object] = {"middle": [[0.35, 0.0], [0.65, 0.0], [0.65, 1.0], [0.35, 1.0]]}
RULES: Mapping[str, object] = {"passing": {"zones": ["middle"], "quiet_s": 0.5}}
YARD = "synthetic:?seed=7&size=320x180&fps=10"

T = TypeVar("T")


def until(ask: Callable[[], T | None], what: str, within_s: float = PATIENCE_S) -> T:
    """Asks until the answer is neither None nor false, and returns it."""
    deadline_s = time.monotonic() + within_s
    while not (answer := ask()):
        assert time.monotonic() < deadline_s, f"not within {within_s:g} s: {what}"
        time.sleep(0.05)
    return answer


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Appliance:
    """One configuration and, between `start` and its end, the process that runs it.

    home: the home folder of the process, empty before. secrets: put into its environment.
    """

    folder: Path
    cameras: Mapping[str, Mapping[str, object]]
    secrets: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = (sys.executable, "-m", "camera_edge", "run", "-c")
    verbose: bool = False
    _process: subprocess.Popen[bytes] | None = None
    _starts: int = 0

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def config(self) -> Path:
        return self.folder / "camera-edge.yaml"

    def write_config(self) -> Path:
        settings = {
            "version": 1,
            "state": str(self.state),
            "web": {"listen": "127.0.0.1:0", "token": TOKEN},
            "storage": {"headroom": 0},
            "defaults": {"clip": {"before_s": 1, "after_s": 1, "longest_s": 30}},
            "cameras": {name: dict(camera) for name, camera in self.cameras.items()},
        }
        self.config.write_text(yaml.safe_dump(settings))
        return self.config

    def environment(self) -> dict[str, str]:
        self.home.mkdir(parents=True, exist_ok=True)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.secrets,
        }

    def start(self, wrapper: Sequence[str] = ()) -> None:
        """Starts it anew, and waits until its page can be opened."""
        self.launch(wrapper)
        until(lambda: PAGE in self.complaints() or self._ended(), "the hub listens")
        assert self.process.returncode is None, self.complaints()

    def launch(self, wrapper: Sequence[str] = ()) -> None:
        assert self._process is None or self._process.returncode is not None
        environment = self.environment()
        config = self.write_config()
        self._starts += 1
        with self._output("stdout").open("wb") as out, self._output("stderr").open("wb") as err:
            self._process = subprocess.Popen(
                [*wrapper, *self.command, str(config), *(["--verbose"] if self.verbose else [])],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environment,
                cwd=REPOSITORY,
            )

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it was not started"
        return self._process

    def until(self, ask: Callable[[], T | None], within_s: float = PATIENCE_S) -> T:
        """Asks until the answer is neither None nor false, and returns it."""
        return until(ask, f"what the test waits for; the hub said\n{self.printed()}\n{self.complaints()}", within_s)

    def printed(self) -> str:
        """What it has written to stdout since it was started."""
        return self._output("stdout").read_text()

    def complaints(self) -> str:
        """What it has written to stderr since it was started."""
        return self._output("stderr").read_text()

    @property
    def address(self) -> str:
        """The page's, with the token."""
        return self.complaints().partition(PAGE)[2].splitlines()[0]

    def stop(self) -> int:
        """Ends it in good order; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            # it may have been stopped by a test
            self._process.send_signal(signal.SIGCONT)
            try:
                self.stop()
            finally:
                self._process.kill()
                self._process.wait()

    def get(self, path: str, headers: Mapping[str, str] | None = None, *, token: str | None = TOKEN) -> Answer:
        base = self.address.partition("/?")[0]
        own = {"Authorization": f"Bearer {token}"} if token is not None else {}
        request = urllib.request.Request(base + path, headers={**own, **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as exc:
            with exc:
                return Answer(exc.code, exc.headers, exc.read())

    def camera(self, name: str) -> Any:
        cameras = self.get("/api/status").json()["cameras"]
        return next(camera for camera in cameras if camera["name"] == name)

    def counters(self, camera: str) -> dict[str, int]:
        """As of the worker's last heartbeat, up to a second ago."""
        return dict(self.camera(camera)["counters"])

    def until_counters(self, camera: str, matches: Callable[[dict[str, int]], bool]) -> dict[str, int]:
        def ask() -> dict[str, int] | None:
            counters = self.counters(camera)
            return counters if matches(counters) else None

        return until(ask, f"the counters of {camera}")

    def until_running(self, *names: str) -> None:
        for name in names or self.cameras:
            until(lambda name=name: self.camera(name)["live"], f"{name} runs; {self.camera(name)}")  # type: ignore[misc]

    def events(self) -> list[Any]:
        return list(self.get("/api/events").json()["events"])

    def until_clip(self, camera: str, within_s: float = PATIENCE_S) -> Any:
        """The first listed event of a camera that has a clip."""
        return until(
            lambda: next((event for event in self.events() if event["camera"] == camera and event["clip"]), None),
            f"a clip of {camera} is listed",
            within_s,
        )

    def worker(self, camera: str) -> int | None:
        """The process of a camera's worker; None while there is none."""
        for pid in self.workers():
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"worker" in words and camera.encode() in words:
                return pid
        return None

    def workers(self) -> list[int]:
        """The living children of the hub."""
        pid = self.process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def _ended(self) -> bool:
        return self.process.poll() is not None

    def _output(self, name: str) -> Path:
        return self.folder / f"{name}-{self._starts}"


NewAppliance = Callable[..., Appliance]


@pytest.fixture(scope="session")
def analyzers() -> Path:
    """The folder of the shipped analyzers."""
    folder = REPOSITORY / "camera_edge" / "shipped"
    if not (folder / "hashes.json").exists():
        pytest.skip("the analyzers are not built (scripts/setup)")
    return folder


@pytest.fixture
def new_appliance(tmp_path: Path, analyzers: Path) -> Iterator[NewAppliance]:
    """Makes appliances that end with the test: `new_appliance({NAME: CAMERA, ...}, secrets=..., command=...)`."""
    made: list[Appliance] = []

    def make(cameras: Mapping[str, Mapping[str, object]], **fields: Any) -> Appliance:
        folder = tmp_path / f"appliance{len(made)}"
        folder.mkdir()
        made.append(Appliance(folder, cameras, **fields))
        return made[-1]

    yield make
    for appliance in made:
        appliance.close()


@pytest.fixture
def impatient() -> Sequence[str]:
    """The command of a hub that gives up on a silent worker after 2 s, not 15."""
    return (sys.executable, str(QUICK_HUB))


@pytest.fixture(scope="session")
def door_port() -> Iterator[int | None]:
    """A network camera that asks for USER and PASSWORD; see camera.py for what it shows."""
    program = [sys.executable, str(Path(__file__).with_name("camera.py"))]
    yield from _serve(program, {"CAMERA_CREDENTIALS": f"{USER}:{PASSWORD}"})


@pytest.fixture(scope="session")
def street_port() -> Iterator[int | None]:
    """An RTSP camera that asks for USER and PASSWORD, a ball at 15 fps; None where Debian's packages are absent."""
    if not SYSTEM_PYTHON.exists():
        yield None
        return
    yield from _serve([str(SYSTEM_PYTHON), str(RTSP_SERVER)], {"RTSP_CREDENTIALS": f"{USER}:{PASSWORD}"})


def _serve(program: Sequence[str], secrets: Mapping[str, str]) -> Iterator[int | None]:
    """Runs a server that prints `ready PORT` and ends with its stdin; None where it prints anything else."""
    process = subprocess.Popen(
        program,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PATH": os.environ["PATH"], **secrets},
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        readable, _, _ = select.select([process.stdout], [], [], PATIENCE_S)
        word, _, rest = process.stdout.readline().partition(" ") if readable else ("nothing", "", "")
        yield int(rest) if word == "ready" else None
    finally:
        process.stdin.close()
        process.stdout.close()
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def door(door_port: int) -> Mapping[str, object]:
    """The network camera as a configuration names it."""
    source = f"http://${{DOOR_USER}}:${{DOOR_PASSWORD}}@127.0.0.1:{door_port}/live"
    return {"source": source, "zones": ZONES, "rules": RULES}


@pytest.fixture(scope="session")
def masked_door(door: Mapping[str, object]) -> Mapping[str, object]:
    """The same with its top left corner masked."""
    return {**door, "privacy_masks": [[[0.0, 0.0], [0.25, 0.0], [0.25, 0.3], [0.0, 0.3]]]}


@pytest.fixture(scope="session")
def secrets() -> Mapping[str, str]:
    """What the environment must hold for `door` and `street`."""
    return {"DOOR_USER": USER, "DOOR_PASSWORD": PASSWORD, "STREET_USER": USER, "STREET_PASSWORD": PASSWORD}


@pytest.fixture(scope="session")
def street(street_port: int | None) -> Mapping[str, object] | None:
    """The RTSP camera as a configuration names it, if there is one."""
    if street_port is None:
        return None
    return {"source": f"rtsp://${{STREET_USER}}:${{STREET_PASSWORD}}@127.0.0.1:{street_port}/stream"}


@pytest.fixture(scope="session")
def house(
    tmp_path_factory: pytest.TempPathFactory,
    analyzers: Path,
    masked_door: Mapping[str, object],
    street: Mapping[str, object] | None,
    secrets: Mapping[str, str],
) -> Iterator[Appliance]:
    """An appliance that tests share and only look at: `door` makes clips, `yard` and `street` (RTSP, if any) do not."""
    quiet = {"rules": {"never": {"kinds": ["nothing"]}}}
    cameras: dict[str, Mapping[str, object]] = {"yard": {"source": YARD, **quiet}, "door": masked_door}
    if street is not None:
        cameras["street"] = {**street, **quiet}
    appliance = Appliance(tmp_path_factory.mktemp("house"), cameras, secrets, verbose=True)
    try:
        appliance.start()
        appliance.until_running()
        yield appliance
    finally:
        appliance.close()


@pytest.fixture(scope="session")
def token() -> str:
    """What opens the page of every appliance here."""
    return TOKEN
