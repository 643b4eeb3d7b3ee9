"""User and password of a camera come from the environment, and are found nowhere afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from tests.system.conftest import Appliance, NewAppliance

REFUSED = {"REFUSED_USER": "somebodyelse", "REFUSED_PASSWORD": "wr0ng#passw/rd"}


def spellings(secrets: Mapping[str, str]) -> set[bytes]:
    """The secrets as they are, and as they stand in an address."""
    return {text.encode() for secret in secrets.values() for text in (secret, quote(secret, safe=""), quote(secret))}


def found_in(data: bytes, needles: set[bytes]) -> list[bytes]:
    return [needle for needle in needles if needle in data]


def processes(appliance: Appliance) -> Iterator[tuple[int, str, bytes]]:
    """Everything in /proc that shows how the workers were started, and what all processes have in argv."""
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        try:
            yield pid, "cmdline", (folder / "cmdline").read_bytes()
            if pid in appliance.workers():
                yield pid, "environ", (folder / "environ").read_bytes()
                yield pid, "comm", (folder / "comm").read_bytes()
        except OSError:
            # a process that has just ended
            continue


def written(appliance: Appliance) -> Iterator[tuple[str, bytes]]:
    """Every file that the appliance wrote, its own output too; not the configuration, which was ours."""
    for path in appliance.folder.rglob("*"):
        if path.is_file() and path != appliance.config:
            yield str(path.relative_to(appliance.folder)), path.read_bytes()


def shown(appliance: Appliance) -> Iterator[tuple[str, bytes]]:
    for address in ("/api/status", "/api/events", "/healthz", "/"):
        yield address, appliance.get(address).body
    for event in appliance.events():
        for part in ("metadata", "snapshot", "clip"):
            if event[part]:
                yield event[part], appliance.get(event[part]).body


def says_that_it_is_refused(appliance: Appliance, camera: str) -> bool:
    return "refused" in appliance.camera(camera)["message"]


def check(appliance: Appliance, needles: set[bytes]) -> None:
    argv = list(processes(appliance))
    assert any(what == "environ" and b"HOME=" in data for _, what, data in argv), "a worker's environment was read"
    for pid, what, data in argv:
        # the cameras' own processes hold their password in the environment only
        assert found_in(data, needles) == [], f"/proc/{pid}/{what}"
    for address, body in shown(appliance):
        assert found_in(body, needles) == [], address
    files = dict(written(appliance))
    assert "state/camera-edge.db" in files
    for name, data in files.items():
        assert found_in(data, needles) == [], name


def test_what_lets_the_appliance_in_is_nowhere_to_be_found(house: Appliance, secrets: Mapping[str, str]) -> None:
    house.until_running()
    house.until_clip("door")
    check(house, spellings(secrets))


def test_what_a_camera_refuses_is_nowhere_to_be_found_either(
    new_appliance: NewAppliance, door_port: int, street_port: int | None
) -> None:
    userinfo = "${REFUSED_USER}:${REFUSED_PASSWORD}"
    cameras = {"door": {"source": f"http://{userinfo}@127.0.0.1:{door_port}/live"}}
    if street_port is not None:
        cameras["street"] = {"source": f"rtsp://{userinfo}@127.0.0.1:{street_port}/stream"}
    appliance = new_appliance(cameras, secrets=REFUSED, verbose=True)
    appliance.start()
    for name in cameras:
        appliance.until(partial(says_that_it_is_refused, appliance, name))
    assert set(appliance.get("/healthz").json()["cameras"]) == set(cameras)
    check(appliance, spellings(REFUSED))
