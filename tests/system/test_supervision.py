"""A worker dies and another hangs; the other cameras lose no frame."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from camera_edge.clips import ClipMetadata

if TYPE_CHECKING:
    from tests.system.conftest import Appliance, NewAppliance

FPS, STREET_FPS = 10, 15
# one event for as long as the test runs
SEEN = {"rules": {"seen": {"quiet_s": 60}}, "clip": {"before_s": 1, "after_s": 1, "longest_s": 60}}
SMALL = "synthetic:?size=160x90&fps=10"


def record(path: Path, seconds: int) -> Path:
    """A recording in which a bright block always moves; H.264 with B-frames."""
    grain = np.random.default_rng(7).integers(60, 120, (120, 160, 1)).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "bf": "2", "g": "20"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number in range(seconds * FPS):
            pixels = np.repeat(grain, 3, axis=2)
            left = abs(number * 3 % 240 - 120)
            pixels[40:90, left : left + 30] = 230
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def strike(appliance: Appliance, camera: str, number: signal.Signals) -> int:
    """Sends a signal to a camera's worker; returns its process id."""
    pid = appliance.worker(camera)
    assert pid is not None
    os.kill(pid, number)
    return pid


def until_replaced(appliance: Appliance, camera: str, old: int) -> None:
    """Waits until another process runs in a worker's place."""
    appliance.until(lambda: appliance.worker(camera) not in (None, old) and appliance.camera(camera)["live"])


def told(appliance: Appliance, camera: str) -> list[tuple[str, float]]:
    """Why a camera's worker was restarted, and after how many seconds, each time."""
    line = rf"camera {camera} is restarting: the worker (.*); next try in (\d+\.\d) s"
    return [(reason, float(delay)) for reason, delay in re.findall(line, appliance.complaints())]


def clip_of(appliance: Appliance, camera: str) -> tuple[ClipMetadata, list[float]]:
    """What the only clip of a camera says of itself, and when each of its pictures is shown, in seconds."""
    (path,) = (appliance.state / "clips" / camera).rglob("*.mp4")
    with av.open(str(path), "r") as video:
        times = [picture.time for picture in video.decode(video=0)]
    return ClipMetadata.from_file(path.with_suffix(".json")), [each for each in times if each is not None]


def test_a_worker_that_is_killed_or_hangs_is_restarted_and_the_others_lose_no_frame(
    new_appliance: NewAppliance,
    impatient: Sequence[str],
    tmp_path: Path,
    street: Mapping[str, object] | None,
    secrets: Mapping[str, str],
) -> None:
    victims = {"dies": {"source": SMALL}, "hangs": {"source": SMALL}}
    others: dict[str, Mapping[str, object]] = {"block": {"source": str(record(tmp_path / "block.mp4", 90)), **SEEN}}
    if street is not None:
        others["street"] = {**street, **SEEN}
    appliance = new_appliance({**victims, **others}, secrets=secrets, command=impatient)
    appliance.start()
    appliance.until_running()
    for name in others:
        appliance.until_counters(name, lambda counters: counters["events"] > 0)
    began_s = time.monotonic()
    stopped = strike(appliance, "hangs", signal.SIGSTOP)
    until_replaced(appliance, "dies", strike(appliance, "dies", signal.SIGKILL))
    until_replaced(appliance, "dies", strike(appliance, "dies", signal.SIGKILL))
    until_replaced(appliance, "hangs", stopped)
    seconds = time.monotonic() - began_s
    for name in others:
        counters = appliance.counters(name)
        assert {key: counters[key] for key in ("dropped", "restarts", "reconnects")} == {
            "dropped": 0,
            "restarts": 0,
            "reconnects": 0,
        }
    assert appliance.counters("hangs")["hangs"] == 1
    assert appliance.stop() == 0
    (killed, first_s), (again, second_s) = told(appliance, "dies")
    assert killed == again == "ended: signal SIGKILL"
    # twice as long, each varied by a quarter
    assert 0.3 < first_s < 0.7 < second_s < 1.4
    assert [reason for reason, _ in told(appliance, "hangs")] == ["was ended: it is silent for 2 s"]
    for name, fps in (("block", FPS), ("street", STREET_FPS)):
        if name in others:
            check_that_no_frame_is_missing(*clip_of(appliance, name), fps=fps, seconds=seconds)


def check_that_no_frame_is_missing(metadata: ClipMetadata, times: Sequence[float], *, fps: int, seconds: float) -> None:
    (span,) = metadata.frames.ranges
    assert metadata.frames.count == len(times) == span.last - span.first + 1
    assert metadata.counters.missing_frames == 0
    assert times[-1] - times[0] > seconds
    assert max(later - earlier for earlier, later in pairwise(times)) < 1.7 / fps
