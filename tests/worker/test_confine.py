"""Every case confines a process of its own: what is confined stays so."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from camera_edge.worker.landlock import FileAccess, abi_version, handled_files

REPOSITORY = Path(__file__).parents[2]
PROLOGUE = """
import json, os, socket, sys
from pathlib import Path
from camera_edge.worker.confine import confine, die_with, seal

def attempt(call):
    try:
        call()
    except OSError as exc:
        return exc.strerror
    return "allowed"

def tell(**facts):
    print(json.dumps(facts))
"""

needs_landlock = pytest.mark.skipif(abi_version() == 0, reason="this kernel has no Landlock")
needs_landlock_tcp = pytest.mark.skipif(abi_version() < 4, reason="this kernel's Landlock knows no TCP (Linux 6.7)")


def run(program: str, *arguments: object) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", PROLOGUE + textwrap.dedent(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    facts: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return facts


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@pytest.fixture
def listening() -> Iterator[tuple[int, int]]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        yield one.getsockname()[1], two.getsockname()[1]


def test_the_process_gains_no_privileges_and_dumps_no_core() -> None:
    facts = run(
        """
        import resource
        lines = confine([], [], [])
        status = Path("/proc/self/status").read_text()
        tell(nnp="NoNewPrivs:\\t1" in status, core=resource.getrlimit(resource.RLIMIT_CORE), lines=lines)
        """
    )
    assert facts["nnp"] is True
    assert facts["core"] == [0, 0]
    assert isinstance(facts["lines"], list)
    assert facts["lines"][:2] == ["no new privileges", "no core dumps"]


@needs_landlock
def test_only_the_spool_can_be_written(spool: Path, tmp_path: Path) -> None:
    facts = run(
        """
        spool, outside = Path(sys.argv[1]), Path(sys.argv[2])
        (outside / "kept").write_text("before")
        confine([], [spool], [])
        tell(
            spool=attempt(lambda: (spool / "clip.tmp").write_text("x")),
            rename=attempt(lambda: (spool / "clip.tmp").rename(spool / "clip")),
            delete=attempt(lambda: (spool / "clip").unlink()),
            create=attempt(lambda: (outside / "new").write_text("x")),
            truncate=attempt(lambda: os.truncate(outside / "kept", 0)),
            remove=attempt(lambda: (outside / "kept").unlink()),
            home=attempt(lambda: (Path.home() / "camera-edge-probe").write_text("x")),
            tmp=attempt(lambda: Path("/var/tmp/camera-edge-probe").write_text("x")),
            link=attempt(lambda: os.symlink("/etc", spool / "link")),
        )
        """,
        spool,
        tmp_path,
    )
    assert {facts.pop(name) for name in ("spool", "rename", "delete")} == {"allowed"}
    # before Linux 6.2 Landlock did not know truncation
    if abi_version() < 3:
        facts.pop("truncate")
    assert set(facts.values()) == {"Permission denied"}
    assert (tmp_path / "kept").read_text() == "before"


@needs_landlock
def test_only_what_was_given_can_be_read(spool: Path, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "model").write_text("x")
    (tmp_path / "secret").write_text("x")
    facts = run(
        """
        base, spool = Path(sys.argv[1]), Path(sys.argv[2])
        confine([base / "given", base / "absent"], [spool], [])
        tell(
            given=attempt(lambda: (base / "given" / "model").read_text()),
            spool=attempt(lambda: list(spool.iterdir())),
            secret=attempt(lambda: (base / "secret").read_text()),
            listing=attempt(lambda: list(base.iterdir())),
            shadow=attempt(lambda: Path("/etc/shadow").read_text()),
            passwords=attempt(lambda: Path("/etc/passwd").read_text()),
            home=attempt(lambda: list(Path.home().iterdir())),
            parent=attempt(lambda: Path(f"/proc/{os.getppid()}/environ").read_text()),
        )
        """,
        tmp_path,
        spool,
    )
    assert (facts.pop("given"), facts.pop("spool")) == ("allowed", "allowed")
    assert set(facts.values()) == {"Permission denied"}


@needs_landlock
def test_no_program_can_be_started() -> None:
    facts = run(
        """
        confine([], [], [])
        tell(shell=attempt(lambda: os.execv("/bin/sh", ["sh", "-c", "true"])))
        """
    )
    assert facts["shell"] == "Permission denied"


@needs_landlock_tcp
def test_only_the_camera_s_port_can_be_connected_to(listening: tuple[int, int]) -> None:
    facts = run(
        """
        camera, other = int(sys.argv[1]), int(sys.argv[2])
        confine([], [], [camera])
        tell(
            camera=attempt(lambda: socket.create_connection(("127.0.0.1", camera), 5).close()),
            other=attempt(lambda: socket.create_connection(("127.0.0.1", other), 5).close()),
            listen=attempt(lambda: socket.socket().bind(("127.0.0.1", 0))),
        )
        """,
        *listening,
    )
    assert facts == {"camera": "allowed", "other": "Permission denied", "listen": "Permission denied"}


@needs_landlock_tcp
def test_without_a_port_nothing_can_be_connected_to(listening: tuple[int, int]) -> None:
    facts = run(
        """
        confine([], [], [])
        tell(camera=attempt(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5).close()))
        """,
        listening[0],
    )
    assert facts["camera"] == "Permission denied"


@needs_landlock
def test_threads_that_start_later_are_confined_too(tmp_path: Path) -> None:
    facts = run(
        """
        from threading import Thread
        confine([], [], [])
        answers = []
        thread = Thread(target=lambda: answers.append(attempt(lambda: (Path(sys.argv[1]) / "x").write_text("x"))))
        thread.start()
        thread.join()
        tell(thread=answers[0])
        """,
        tmp_path,
    )
    assert facts["thread"] == "Permission denied"


def test_a_process_that_has_threads_already_is_refused() -> None:
    facts = run(
        """
        from threading import Event, Thread
        from camera_edge.errors import CameraEdgeError
        done = Event()
        thread = Thread(target=done.wait)
        thread.start()
        try:
            confine([], [], [])
            tell(refused="")
        except CameraEdgeError as exc:
            tell(refused=str(exc))
        done.set()
        """
    )
    assert "2 threads" in str(facts["refused"])


@needs_landlock
def test_a_spool_that_is_missing_is_an_error_that_names_it(tmp_path: Path) -> None:
    facts = run(
        """
        from camera_edge.errors import CameraEdgeError
        try:
            confine([], [Path(sys.argv[1])], [])
            tell(error="")
        except CameraEdgeError as exc:
            tell(error=str(exc))
        """,
        tmp_path / "absent",
    )
    assert str(tmp_path / "absent") in str(facts["error"])


@needs_landlock
def test_the_libraries_of_a_worker_still_load_and_work(spool: Path) -> None:
    facts = run(
        """
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        confine([], [Path(sys.argv[1])], [])
        import av, cv2, numpy, wasmtime, onnxruntime
        picture = numpy.zeros((64, 64, 3), numpy.uint8)
        engine = wasmtime.Engine()
        store = wasmtime.Store(engine)
        module = wasmtime.Module(engine, '(module (func (export "f") (result i32) i32.const 7))')
        seven = wasmtime.Instance(store, module, []).exports(store)["f"](store)
        with av.open(str(Path(sys.argv[1]) / "clip.mp4"), "w") as clip:
            stream = clip.add_stream("libx264", rate=5)
            stream.width = stream.height = 64
            clip.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
            clip.mux(stream.encode(None))
        tell(
            resized=cv2.resize(picture, (8, 8)).shape[0], seven=seven,
            providers=onnxruntime.get_available_providers(),
            clip=(Path(sys.argv[1]) / "clip.mp4").stat().st_size > 0,
        )
        """,
        spool,
    )
    assert (facts["resized"], facts["seven"], facts["clip"]) == (8, 7, True)
    assert "CPUExecutionProvider" in str(facts["providers"])


def test_sealing_makes_the_process_unreadable_to_others_of_the_same_user() -> None:
    facts = run(
        """
        import ctypes
        pagemap = os.open("/proc/self/pagemap", os.O_RDONLY)
        line = seal()
        tell(
            dumpable=ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), pagemap=len(os.pread(pagemap, 8, 0)), line=line,
            owner=os.stat("/proc/self/mem").st_uid,
        )
        """
    )
    assert (facts["dumpable"], facts["owner"], facts["pagemap"]) == (0, 0, 8)
    assert "not dumpable" in str(facts["line"])


def test_a_worker_dies_with_its_hub() -> None:
    hub = textwrap.dedent(
        """
        import subprocess, sys
        worker = "import sys, os, time; from camera_edge.worker.confine import die_with; "
        worker += "die_with(os.getppid()); print(os.getpid(), flush=True); time.sleep(60)"
        child = subprocess.Popen([sys.executable, "-c", worker], stdout=subprocess.PIPE)
        print(child.stdout.readline().decode(), flush=True)
        sys.stdin.read()
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", hub], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    assert process.stdout is not None and process.stdin is not None
    worker = os.pidfd_open(int(process.stdout.readline()))
    try:
        process.kill()
        process.wait(10)
        # a pid descriptor becomes readable when its process ends
        readable, _, _ = select.select([worker], [], [], 10)
        assert readable == [worker]
    finally:
        os.close(worker)
        process.stdin.close()
        process.stdout.close()


def test_a_worker_whose_hub_is_gone_already_does_not_start() -> None:
    facts = run(
        """
        from camera_edge.errors import CameraEdgeError
        try:
            die_with(1 << 22)
            tell(error="")
        except CameraEdgeError as exc:
            tell(error=str(exc))
        """
    )
    assert "is gone" in str(facts["error"])


@pytest.mark.parametrize(
    ("abi", "newest", "unknown"),
    [
        (1, FileAccess.MAKE_SYM, FileAccess.REFER),
        (2, FileAccess.REFER, FileAccess.TRUNCATE),
        (3, FileAccess.TRUNCATE, FileAccess.IOCTL_DEV),
        (4, FileAccess.TRUNCATE, FileAccess.IOCTL_DEV),
    ],
)
def test_an_older_kernel_is_asked_only_for_what_it_knows(abi: int, newest: FileAccess, unknown: FileAccess) -> None:
    assert newest in handled_files(abi)
    assert unknown not in handled_files(abi)
    assert FileAccess.IOCTL_DEV in handled_files(5)
