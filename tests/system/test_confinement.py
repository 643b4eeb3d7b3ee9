"""The confinement that a running worker is really under, by what the kernel says of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from camera_edge.worker.landlock import abi_version

if TYPE_CHECKING:
    from tests.system.conftest import Appliance, NewAppliance

SETPRIV = shutil.which("setpriv")


@pytest.fixture(params=["yard", "door"])
def worker(request: pytest.FixtureRequest, house: Appliance) -> Path:
    """The folder of a running worker in /proc."""
    house.until_running(request.param)
    pid = house.worker(request.param)
    assert pid is not None
    return Path("/proc") / str(pid)


def status(worker: Path) -> dict[str, str]:
    lines = (worker / "status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_no_thread_of_it_can_gain_privileges(worker: Path) -> None:
    threads = list((worker / "task").iterdir())
    assert len(threads) > 4, "capture, analysis, clips and preview run"
    assert {status(thread)["NoNewPrivs"] for thread in threads} == {"1"}


def test_it_leaves_no_core_dump(worker: Path) -> None:
    (limit,) = [line for line in (worker / "limits").read_text().splitlines() if line.startswith("Max core file size")]
    assert limit.split()[4:6] == ["0", "0"]


def test_it_holds_nothing_open_to_write_to_but_its_spool_and_its_link(worker: Path, house: Appliance) -> None:
    unix = {line.split()[6] for line in Path("/proc/net/unix").read_text().splitlines()[1:]}
    links, written = [], set()
    for fd in (worker / "fd").iterdir():
        path = str(fd.readlink())
        (flags,) = re.findall(r"flags:\s+(\d+)", (worker / "fdinfo" / fd.name).read_text())
        if path.startswith("socket:"):
            links += [path] if path[8:-1] in unix else []
        elif int(flags, 8) & os.O_ACCMODE != os.O_RDONLY:
            written.add(path)
    # stderr goes to the hub, frames lie in memory without a name
    files = {path for path in written if not path.startswith(("/memfd:", "pipe:", "anon_inode:"))}
    assert {path for path in files if not path.startswith(f"{house.state}/spool/")} <= {"/dev/null"}
    assert len(links) == 1


@pytest.mark.skipif(SETPRIV is None, reason="setpriv is not installed")
def test_others_of_the_same_user_can_look_into_the_hub_but_not_into_a_worker(new_appliance: NewAppliance) -> None:
    assert SETPRIV is not None
    # what lets root look everywhere; without it one may look only at those that gave up as much
    powers = "-sys_ptrace,-perfmon,-sys_admin"
    humbly = (SETPRIV, f"--bounding-set={powers}", f"--inh-caps={powers}") if os.geteuid() == 0 else ()
    appliance = new_appliance({"yard": {"source": "synthetic:?size=160x90&fps=5"}})
    appliance.start(humbly)
    appliance.until_running()
    hub, worker = appliance.process.pid, appliance.worker("yard")
    reading = [*humbly, "cat", f"/proc/{hub}/maps", f"/proc/{hub}/environ"]
    assert subprocess.run(reading, capture_output=True, check=True).stdout
    for part in ("maps", "mem", "environ"):
        looked = subprocess.run([*humbly, "cat", f"/proc/{worker}/{part}"], capture_output=True, text=True, check=False)
        assert (looked.returncode, looked.stdout) == (1, "")
        assert "Permission denied" in looked.stderr


def test_what_is_in_force_is_told(house: Appliance) -> None:
    lines = " | ".join(house.camera("door")["confinement"])
    assert "no new privileges" in lines
    assert "no core dumps" in lines
    assert "not dumpable" in lines
    if abi_version() == 0:
        assert "NOT in force: file and network rules" in lines
    else:
        assert f"writes {house.state}/spool/door, starts no program" in lines
