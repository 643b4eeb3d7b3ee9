"""The live preview of a real worker in a real browser: it moves, it is redacted, and it costs nothing unwatched."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, sync_playwright

if TYPE_CHECKING:
    from tests.system.conftest import Appliance, NewAppliance

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
ONLY_LOOPBACK = all(
    link.name == "lo" or (link / "operstate").read_text().strip() == "down"
    for link in Path("/sys/class/net").iterdir()
    if link.is_dir()
)
pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium package"),
    pytest.mark.skipif(ONLY_LOOPBACK, reason="Chromium does no WebRTC on a machine whose only interface is loopback"),
]

FRUITS = ("preview_packets", "preview_bytes", "egress_bytes")
WATCH = (Path(__file__).with_name("watch.js")).read_text()


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture as the browser showed it; counts are pixels of 320 x 240.

    stripes: the walker's own red and green. mosaic: their mix, olive, and `mosaic_x` where it is on average. mark: the
    magenta mark, where nobody walks. brightest: the brightest of the privacy mask. flat: the part of all
    other pixels that are like their neighbour, as in the blocks of a mosaic; flat_above: of those above anybody's head.
    """

    time_s: float
    stripes: int
    mosaic: int
    mosaic_x: float
    mark: int
    brightest: float
    flat: float
    flat_above: float

    @property
    def is_open(self) -> bool:
        return self.mark > 400

    @property
    def is_hidden(self) -> bool:
        return self.mark == 0 and self.flat > 0.9


@pytest.fixture
def page() -> Iterator[Page]:
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            opened = browser.new_page()
            yield opened
            # a page that is left says goodbye, a browser that is closed does not
            opened.goto("about:blank")
        finally:
            browser.close()


def watch(page: Page, condition: str) -> list[Shown]:
    """What the browser shows from now on, up to where a JavaScript condition on `seen` holds."""
    rows = page.evaluate("(condition) => window.watchUntil(condition)", condition)
    return [Shown(**row) for row in rows]


def look(page: Page, appliance: Appliance) -> None:
    page.goto(appliance.address)
    page.evaluate(WATCH)


def check_hidden(pictures: Sequence[Shown]) -> None:
    """Nothing of who walks there, and nothing of the masked place, in any picture."""
    assert max(shown.stripes for shown in pictures) == 0
    assert max(shown.brightest for shown in pictures) < 24


def test_the_picture_moves_and_who_walks_there_is_a_mosaic(house: Appliance, page: Page, tmp_path: Path) -> None:
    look(page, house)
    pictures = watch(page, "seen.filter((each) => each.mark > 400 && each.mosaic > 800).length >= 15")
    page.screenshot(path=tmp_path / "walking.png")
    check_hidden(pictures)
    times = [shown.time_s for shown in pictures]
    assert times == sorted(times) and times[-1] > times[0] + 1
    walked = [shown.mosaic_x for shown in pictures if shown.is_open and shown.mosaic > 800]
    assert max(walked) - min(walked) > 40
    # where nobody is the picture is left as it is
    assert all(shown.flat_above < 0.6 for shown in pictures if shown.is_open)


def test_all_is_hidden_while_a_new_worker_learns_the_background(
    new_appliance: NewAppliance, masked_door: Mapping[str, object], secrets: Mapping[str, str], page: Page
) -> None:
    watched = new_appliance({"door": masked_door}, secrets=secrets)
    watched.start()
    watched.until_running()
    look(page, watched)
    watch(page, "seen.length > 0")
    pid = watched.worker("door")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    pictures = watch(page, "seen.some((each) => each.mark === 0) && seen.at(-1).mark > 400")
    check_hidden(pictures)
    assert watched.worker("door") not in (None, pid)
    hidden = [shown for shown in pictures if shown.is_hidden]
    assert len(hidden) > 5
    assert all(shown.is_open or shown.is_hidden for shown in pictures)


def test_nothing_is_encoded_while_nobody_looks(house: Appliance, page: Page) -> None:
    check_that_nothing_is_encoded(house)
    look(page, house)
    before = house.counters("yard")
    during = house.until_counters("yard", lambda counters: counters["preview_packets"] > before["preview_packets"] + 10)
    assert during["viewers"] == 1
    house.until_counters("yard", lambda counters: counters["egress_bytes"] > before["egress_bytes"])
    page.goto("about:blank")
    check_that_nothing_is_encoded(house)


def check_that_nothing_is_encoded(house: Appliance) -> None:
    """No byte leaves the worker of a camera without events while a second of it passes."""
    gone = house.until_counters("yard", lambda counters: counters["viewers"] == 0)
    # its next heartbeat but one tells what was under way
    before = house.until_counters("yard", lambda counters: counters["frames"] > gone["frames"] + 5)
    after = house.until_counters("yard", lambda counters: counters["frames"] > before["frames"] + 10)
    assert [after[name] for name in FRUITS] == [before[name] for name in FRUITS]
