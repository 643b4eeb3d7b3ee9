"""Installed modules on a running appliance: signed, installed, brought up to date, left waiting, revoked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import wasmtime

if TYPE_CHECKING:
    from tests.system.conftest import Appliance, NewAppliance

YARD = "synthetic:?seed=7&size=320x180&fps=10"
# frames carry a number each: the score of a module that was never asked anew is how many it has seen
COUNTS = """
(import "camera_edge" "score" (func $score (param f64) (result i32)))
(memory (export "memory") 2)
(global $seen (mut f64) (f64.const 0))
(func (export "camera_edge_abi") (result i32) (i32.const 1))
(func (export "analyze") (param i32) (result i32)
  (global.set $seen (f64.add (global.get $seen) (f64.const 1))) (call $score (global.get $seen)))
"""
RAISES = r"""
(import "camera_edge" "raise" (func $raise (param i32) (result i32)))
(memory (export "memory") 2)
(data (i32.const 64) "alarm")
(data (i32.const 128) "\40\00\00\00" "\05\00\00\00" "\00\00\40\3f" "\ff\ff\ff\ff")
(data (i32.const 152) "\00\00\80\3f" "\00\00\80\3f")
(func (export "camera_edge_abi") (result i32) (i32.const 1))
(func (export "observe") (param $batch i32) (param i32) (result i32)
  (if (i32.load offset=4 (local.get $batch)) (then (drop (call $raise (i32.const 128))))) (i32.const 0))
"""


class Site:
    """The state folder of an appliance, as somebody on the command line sees it."""

    def __init__(self, appliance: Appliance, folder: Path) -> None:
        self._appliance = appliance
        self._folder = folder
        self.command("keygen", "maker", "--out", str(folder))
        self.command("trust", "add", str(folder / "maker.pub"), "--name", "maker", state=True)

    def command(self, *words: str, state: bool = False) -> Any:
        """A `camera-edge analyzer` command, which must end well; what it says as JSON."""
        where = ["--state", str(self._appliance.state)] if state else []
        done = subprocess.run(
            [sys.executable, "-m", "camera_edge", "analyzer", *words, *where, "--json"],
            capture_output=True,
            text=True,
            env=self._appliance.environment(),
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    def install(self, name: str, version: str, text: str, *asks: str) -> Any:
        """Packs, signs and installs a module."""
        folder = self._folder / f"{name}-{version}"
        folder.mkdir()
        # no two versions have the same bytes
        text = f'(module {text} (global (export "v{version.replace(".", "_")}") i32 (i32.const 0)))'
        (folder / f"{name}.wasm").write_bytes(wasmtime.wat2wasm(text))
        kinds = '"alarm"' if "observations" in asks else ""
        (folder / "analyzer.toml").write_text(
            f'name = "{name}"\nversion = "{version}"\nabi = 1\nkinds = [{kinds}]\ncapabilities = {json.dumps(asks)}\n'
        )
        package = f"{folder}.tar"
        self.command("pack", str(folder), "--out", package)
        self.command("sign", package, "--key", str(self._folder / "maker.key"))
        return self.command("install", package, state=True)


NewSite = Callable[["Appliance"], Site]


@pytest.fixture
def site(tmp_path: Path) -> NewSite:
    folder = tmp_path / "maker"
    folder.mkdir()
    return lambda appliance: Site(appliance, folder)


def module(appliance: Appliance, name: str) -> Any:
    return next((each for each in appliance.camera("yard")["modules"] if each["name"] == name), None)


def until_version(appliance: Appliance, version: str) -> Any:
    def ask() -> Any:
        found = module(appliance, "counts")
        return found if found is not None and found["version"] == version and found["counters"]["answers"] else None

    return appliance.until(ask)


def test_a_new_version_takes_over_without_a_restart_and_without_a_lost_frame(
    new_appliance: NewAppliance, site: NewSite
) -> None:
    appliance = new_appliance({"yard": {"source": YARD, "analyzers": {"motion": {}, "counts": {}}}})
    maker = site(appliance)
    maker.install("counts", "1.0", COUNTS, "pixels")
    appliance.start()
    until_version(appliance, "1.0")
    worker = appliance.worker("yard")
    maker.install("counts", "1.1", COUNTS, "pixels")
    taken = until_version(appliance, "1.1")
    assert (taken["counters"]["faults"], appliance.worker("yard")) == (0, worker)
    counters = appliance.counters("yard")
    assert (counters["dropped"], counters["restarts"]) == (0, 0)


def test_a_version_that_asks_for_more_waits_and_says_so(new_appliance: NewAppliance, site: NewSite) -> None:
    appliance = new_appliance({"yard": {"source": YARD, "analyzers": {"motion": {}, "counts": {}}}})
    maker = site(appliance)
    maker.install("counts", "1.0", COUNTS, "pixels")
    appliance.start()
    until_version(appliance, "1.0")
    maker.install("counts", "2.0", COUNTS, "pixels", "state:64")
    message = appliance.until(lambda: appliance.camera("yard")["message"])
    assert message == "counts 2.0 waits: it asks for state:64, which is not granted; 1.0 runs"
    assert module(appliance, "counts")["version"] == "1.0"


def test_what_is_revoked_while_it_runs_gives_way_to_what_may_run(new_appliance: NewAppliance, site: NewSite) -> None:
    appliance = new_appliance({"yard": {"source": YARD, "analyzers": {"motion": {}, "counts": {}}}})
    maker = site(appliance)
    maker.install("counts", "1.0", COUNTS, "pixels")
    newest = maker.install("counts", "1.1", COUNTS, "pixels")
    appliance.start()
    until_version(appliance, "1.1")
    maker.command("revoke", newest["digest"], state=True)
    until_version(appliance, "1.0")
    # the key goes, and with it the last version that may run: the camera goes on without the module
    maker.command("trust", "remove", "maker", state=True)
    appliance.until(lambda: "without counts: " in appliance.camera("yard")["message"])
    assert "not trusted any more" in appliance.camera("yard")["message"]
    appliance.until_running("yard")
    assert module(appliance, "motion")["counters"]["faults"] == 0


def test_an_installed_rule_module_opens_events_without_a_rule_in_the_configuration(
    new_appliance: NewAppliance, site: NewSite
) -> None:
    analyzers: dict[str, object] = {"motion": {}, "gatekeeper": {}}
    appliance = new_appliance(
        {"yard": {"source": YARD, "analyzers": analyzers, "rules": {"never": {"kinds": ["nothing"]}}}}
    )
    site(appliance).install("gatekeeper", "1.0", RAISES, "observations")
    appliance.start()
    event = appliance.until(lambda: next(iter(appliance.events()), None))
    assert (event["kind"], event["rule"], event["analyzer"]) == ("alarm", "gatekeeper", "gatekeeper")


def test_a_module_that_does_not_start_leaves_the_camera_running_and_is_named(
    new_appliance: NewAppliance, site: NewSite
) -> None:
    appliance = new_appliance({"yard": {"source": YARD, "analyzers": {"motion": {}, "counts": {}}}})
    maker = site(appliance)
    maker.install("counts", "1.0", COUNTS + '(func (export "open") (result i32) (i32.const -1))', "pixels")
    appliance.start()
    appliance.until_running("yard")
    worker = appliance.worker("yard")
    message = appliance.until(lambda: appliance.camera("yard")["message"])
    assert "counts: does not start: open returned -1" in message
    appliance.until(lambda: module(appliance, "motion")["counters"]["answers"] > 5)
    # a version that starts takes its place, in the same worker
    maker.install("counts", "1.1", COUNTS, "pixels")
    until_version(appliance, "1.1")
    assert appliance.worker("yard") == worker
    assert appliance.counters("yard")["restarts"] == 0
