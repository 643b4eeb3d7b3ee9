"""The unit against a temporary install: its program, its folders, and every setting as systemd reads it."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
UNIT = REPOSITORY / "systemd" / "camera-edge.service"
SYSTEM_UNITS = Path("/usr/lib/systemd/system")

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None or not SYSTEM_UNITS.is_dir(), reason="systemd-analyze is not installed"
)


class Settings(configparser.RawConfigParser):
    """A unit file; of a setting that stands more than once the values are joined."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def service() -> dict[str, str]:
    parser = Settings(strict=False, interpolation=None, delimiters=("=",))
    parser.read(UNIT)
    return dict(parser["Service"])


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A file system with the unit, the program it starts and the system's own units."""
    program = Path(service()["ExecStart"].split()[0])
    real = Path(sys.executable).parent / "camera-edge"
    assert real.exists(), "camera-edge is not installed beside this Python"
    for source, target in ((real, program), (UNIT, Path("/etc/systemd/system/camera-edge.service"))):
        place = tmp_path / target.relative_to("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, place)
    units = tmp_path / SYSTEM_UNITS.relative_to("/")
    units.parent.mkdir(parents=True)
    shutil.copytree(SYSTEM_UNITS, units, symlinks=True)
    return tmp_path


def verify(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "verify", f"--root={root}", "--man=no", "camera-edge.service"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@needs_systemd
def test_systemd_finds_no_fault_in_the_unit(installed: Path) -> None:
    done = verify(installed)
    ours = [line for line in done.stderr.splitlines() if "camera-edge" in line]
    assert (done.returncode, ours) == (0, [])


@needs_systemd
@pytest.mark.parametrize("broken", ["WatchdogSec=soon", "ProtectSytem=strict", "ExecStartPre=/opt/absent"])
def test_the_check_sees_faults(installed: Path, broken: str) -> None:
    unit = installed / "etc/systemd/system/camera-edge.service"
    unit.write_text(unit.read_text().replace("[Service]\n", f"[Service]\n{broken}\n"))
    done = verify(installed)
    assert [line for line in done.stderr.splitlines() if "camera-edge" in line]


@needs_systemd
def test_the_exposure_that_systemd_sees_is_low(installed: Path) -> None:
    done = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=true",
            "--threshold=25",
            f"--root={installed}",
            "camera-edge.service",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-300:]


def test_the_hub_tells_systemd_how_it_is_and_has_time_to_finish_clips() -> None:
    settings = service()
    assert (settings["Type"], settings["NotifyAccess"]) == ("notify", "main")
    assert int(settings["WatchdogSec"].removesuffix("s")) >= 30
    # workers have 20 s, the hub some more to take in what they made
    assert int(settings["TimeoutStopSec"].removesuffix("s")) >= 30
    assert settings["KillMode"] == "mixed"


def test_webassembly_can_be_compiled_and_workers_can_confine_themselves() -> None:
    assert "MemoryDenyWriteExecute" not in service()
    text = UNIT.read_text()
    for call in ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"):
        assert call in text


def test_a_faulty_configuration_is_not_started_again_and_again() -> None:
    assert "78" in service()["RestartPreventExitStatus"].split()


def test_the_program_and_the_paths_of_unit_and_readme_are_the_same() -> None:
    readme = (UNIT.parent / "README.md").read_text()
    program, _, _, config = service()["ExecStart"].split()
    assert program == "/opt/camera-edge/bin/camera-edge"
    assert config in readme
    assert f"/var/lib/{service()['StateDirectory']}" in readme
