"""How an appliance ends and begins: told to, killed, and twice on one folder. Nothing that was seen is lost."""

from __future__ import annotations

import os
import re
import select
import signal
import sqlite3
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import av

from camera_edge.clips import ClipMetadata

if TYPE_CHECKING:
    from tests.system.conftest import Appliance, NewAppliance

# someone is always in sight: the event stays open
LOITERED = {"source": "synthetic:?seed=7&size=320x180&fps=10", "rules": {"seen": {"quiet_s": 60}}}


def events(state: Path) -> dict[str, str]:
    """Ids and states of the events in a store, by their rows."""
    store = sqlite3.connect(f"file:{state / 'camera-edge.db'}?mode=ro", uri=True)
    try:
        return dict(store.execute("SELECT id, state FROM events").fetchall())
    finally:
        store.close()


def opened(appliance: Appliance) -> str:
    """The id of the first event that opens."""
    found = appliance.until(lambda: re.search(r"opened  \S+  motion.*?  ([0-9a-f]{16})  ", appliance.printed()))
    return found[1]


def test_being_told_to_end_finishes_and_keeps_the_clip_in_progress(new_appliance: NewAppliance) -> None:
    appliance = new_appliance({"yard": LOITERED})
    appliance.start()
    event = opened(appliance)
    assert appliance.stop() == 0
    clip = re.search(rf"clip  yard  motion  {event}  (\S+\.mp4)", appliance.printed())
    assert clip, appliance.printed()
    assert events(appliance.state) == {event: "closed"}
    metadata = ClipMetadata.from_file(Path(clip[1]).with_suffix(".json"))
    with av.open(clip[1], "r") as video:
        assert len(list(video.decode(video=0))) == metadata.frames.count > 0
    assert not any((appliance.state / "spool" / "yard").iterdir())
    assert "Traceback" not in appliance.complaints()


def test_a_second_one_on_the_same_folder_is_refused_in_one_line(house: Appliance) -> None:
    house.until_running()
    workers = house.workers()
    second = subprocess.run(
        [*house.command, str(house.config)], capture_output=True, text=True, env=house.environment(), timeout=60
    )
    assert second.returncode == 70
    assert second.stdout == ""
    (error, hint) = second.stderr.splitlines()
    assert error == f"error: {house.state}: another camera-edge (process {house.process.pid}) uses this state folder"
    assert "stop it" in hint
    assert house.workers() == workers


def test_the_next_start_takes_in_a_clip_that_a_killed_hub_did_not(
    new_appliance: NewAppliance, door: Mapping[str, object], secrets: Mapping[str, str]
) -> None:
    appliance = new_appliance({"door": door}, secrets=secrets)
    appliance.start()
    event = opened(appliance)
    appliance.process.send_signal(signal.SIGSTOP)
    spool = appliance.state / "spool" / "door"
    appliance.until(lambda: (spool / f"{event}.json").exists())
    appliance.process.kill()
    appliance.process.wait()
    assert events(appliance.state) == {event: "open"}
    appliance.start()
    clips = list((appliance.state / "clips").rglob(f"{event}.*"))
    assert {path.suffix for path in clips} == {".mp4", ".jpg", ".json"}
    assert appliance.get(f"/events/{event}/clip.mp4").status == 200
    assert events(appliance.state)[event] == "closed"


def test_a_hub_that_is_killed_takes_its_workers_along_and_the_next_one_clears_up(new_appliance: NewAppliance) -> None:
    appliance = new_appliance({"yard": LOITERED, "gate": LOITERED})
    appliance.start()
    spool = appliance.state / "spool"
    parts = appliance.until(lambda: found if len(found := list(spool.glob("*/.*.mp4.part"))) == 2 else None)
    # a clip may have begun before its event's message was stored
    appliance.until(lambda: len(events(appliance.state)) == 2 or None)
    workers = [os.pidfd_open(pid) for pid in appliance.workers()]
    assert len(workers) == 2
    appliance.process.kill()
    appliance.process.wait()
    for worker in workers:
        # readable when the process has ended
        assert select.select([worker], [], [], 10)[0] == [worker]
        os.close(worker)
    left = events(appliance.state)
    assert list(left.values()) == ["open", "open"]
    assert all(part.exists() for part in parts)
    # one camera is gone from the configuration
    appliance.cameras = {"yard": LOITERED}
    appliance.start()
    assert {state for event, state in events(appliance.state).items() if event in left} == {"interrupted"}
    assert {event["closed_utc"] is None for event in appliance.events() if event["id"] in left} == {False}
    appliance.until_running()
    assert [part for part in parts if part.exists() and part.parent.name == "yard"] == []
