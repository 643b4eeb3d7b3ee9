"""The page in a real browser: the picture moves, events are listed and play, and every failure is seen as one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, async_playwright, expect

from camera_edge.web import Counter, EventRow, ModuleStatus, WebSettings, build_app, listening

if TYPE_CHECKING:
    from tests.web.conftest import FakeHub, LiveCamera

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
ONLY_LOOPBACK = all(
    link.name == "lo" or (link / "operstate").read_text().strip() == "down"
    for link in Path("/sys/class/net").iterdir()
    if link.is_dir()
)
needs_network = pytest.mark.skipif(
    ONLY_LOOPBACK, reason="Chromium does no WebRTC on a machine whose only interface is loopback"
)
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium package")

# where the white square of the live picture begins, read back from the pixels that are shown
LEFT_EDGE = """() => {
  const video = document.querySelector('video[data-camera=front]');
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = 1;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 90, canvas.width, 1, 0, 0, canvas.width, 1);
  const row = context.getImageData(0, 0, canvas.width, 1).data;
  return Array.from({length: canvas.width}, (_, x) => row[4 * x]).findIndex((value) => value > 180);
}"""
UNTIL_PLAYED = """(query) => new Promise((resolve) => {
  const check = () => {
    const video = document.querySelector(query);
    if (video && video.currentTime > 0.3) resolve([video.videoWidth, video.videoHeight, video.currentTime]);
    else setTimeout(check, 20);
  };
  check();
})"""
# the page asks every two seconds, and the machine may be busy
expect.set_options(timeout=15_000)
LIVE = "video[data-camera=front]"


class Visit:
    """One open page; `requests` and `errors` hold what the browser asked for and complained of."""

    def __init__(self, page: Page, origin: str, down: AsyncExitStack) -> None:
        self.page = page
        self.origin = origin
        self.requests: list[str] = []
        self.errors: list[str] = []
        self._down = down
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    async def open(self, token: str) -> Page:
        await self.page.goto(f"{self.origin}/?token={token}")
        return self.page

    async def stop_server(self) -> None:
        await self._down.aclose()


@pytest.fixture
async def visit(hub: FakeHub, live_camera: LiveCamera, token: str) -> AsyncIterator[Visit]:
    hub.previews["front"] = live_camera.fanout
    async with AsyncExitStack() as stack, AsyncExitStack() as server:
        port = await server.enter_async_context(listening(build_app(hub, WebSettings(token)), "127.0.0.1", 0))
        playwright = await stack.enter_async_context(async_playwright())
        flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        stack.push_async_callback(browser.close)
        yield Visit(await browser.new_page(), f"http://127.0.0.1:{port}", server)


@needs_network
async def test_the_live_picture_moves_and_ends_with_the_page(visit: Visit, live_camera: LiveCamera, token: str) -> None:
    page = await visit.open(token)
    assert live_camera.encoded == 0, "nothing is encoded before somebody looks"
    width, height, started_s = await page.evaluate(UNTIL_PLAYED, LIVE)
    assert (width, height) == (320, 180)
    edges: set[int] = set()
    async with asyncio.timeout(10):
        while len(edges) < 3:
            edges.add(await page.evaluate(LEFT_EDGE))
    assert min(edges) >= 0
    # pictures are 6 pixels apart; encoding blurs an edge by one or two
    assert max(edges) - min(edges) >= 10
    assert await page.evaluate("document.querySelector('video[data-camera=front]').currentTime") > started_s
    await expect(page.locator(".camera", has_text="front").locator(".cover")).to_be_hidden()
    assert live_camera.fanout.viewers == 1
    await page.goto("about:blank")
    await live_camera.until_unwanted()
    assert visit.errors == []


@needs_network
async def test_a_picture_that_stands_still_is_said_to(visit: Visit, live_camera: LiveCamera, token: str) -> None:
    await visit.page.clock.install()
    page = await visit.open(token)
    await page.evaluate(UNTIL_PLAYED, LIVE)
    live_camera.frozen = True
    cover = page.locator(".camera", has_text="front").locator(".cover")
    await page.clock.fast_forward(6000)
    await expect(cover).to_contain_text("No new picture for")
    live_camera.frozen = False
    await expect(cover).to_be_hidden()


async def test_events_are_listed_with_their_pictures_and_play(
    visit: Visit, new_event: Callable[..., EventRow], token: str
) -> None:
    new_event(1)
    page = await visit.open(token)
    closed = page.locator("[data-event=e001]")
    await expect(closed).to_contain_text("person at front in gate, score 0.87")
    await expect(closed.locator(".why")).to_have_text("person in gate for 1 s, score 0.87")
    await expect(closed).to_contain_text("2026-01-01 00:00:20 UTC, 6.5 s")
    new_event(2, is_open=True)
    await expect(page.locator("[data-event=e002]")).to_contain_text("still open")
    assert await page.locator("#events > li").first.get_attribute("data-event") == "e002"
    assert await closed.locator("img").evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 320
    await closed.get_by_role("button", name="Play").click()
    width, height, _ = await page.evaluate(UNTIL_PLAYED, "#viewer-video")
    assert (width, height) == (320, 180)
    await expect(page.locator("#viewer-note")).to_contain_text("person in gate for 1 s, score 0.87")
    assert visit.errors == []
    assert {request.split("/")[2] for request in visit.requests} == {visit.origin.split("/")[2]}


async def test_events_can_be_narrowed_to_one_kind(visit: Visit, new_event: Callable[..., EventRow], token: str) -> None:
    new_event(1, is_open=True, kind="object_left")
    page = await visit.open(token)
    await expect(page.locator("[data-event=e001] strong")).to_have_text("object left")
    await expect(page.get_by_label("Kind")).to_be_hidden()
    new_event(2, is_open=True)
    new_event(3, is_open=True)
    choice = page.get_by_label("Kind")
    await expect(choice.locator("option")).to_have_text(["all", "object left", "person"])
    await choice.select_option("object left")
    await expect(page.locator("#events > li")).to_have_count(1)
    assert await page.locator("#events > li").get_attribute("data-event") == "e001"
    await choice.select_option("all")
    await expect(page.locator("#events > li")).to_have_count(3)
    assert visit.errors == []


async def test_no_event_looks_different_from_no_answer(visit: Visit, hub: FakeHub, token: str) -> None:
    page = await visit.open(token)
    await expect(page.locator("#events-note")).to_have_text("No event so far.")
    await expect(page.locator("#events-alarm")).to_be_hidden()
    hub.store_fails = True
    await expect(page.locator("#events-alarm")).to_contain_text(
        "cannot be read: the database is damaged (run camera-edge doctor)"
    )
    await expect(page.locator("#events-note")).to_have_text("Whether there are events is not known.")
    hub.store_fails = False
    await expect(page.locator("#events-note")).to_have_text("No event so far.")
    await visit.stop_server()
    await expect(page.locator("#hub")).to_have_text("no connection")
    await expect(page.locator("#hub-alarm")).to_contain_text("may be out of date since")
    await expect(page.locator(".camera", has_text="yard").locator(".state")).to_have_text("unknown")


async def test_a_camera_that_is_down_is_covered_by_the_reason(visit: Visit, hub: FakeHub, token: str) -> None:
    hub.set_camera("yard", live=False, state="stalled", message="No frame for 12 s.")
    page = await visit.open(token)
    card = page.locator(".camera", has_text="yard")
    await expect(card.locator(".cover")).to_have_text("yard is stalled. No frame for 12 s.")
    await expect(card.locator(".state")).to_have_text("stalled")


async def test_what_a_camera_that_runs_has_to_say_stands_below_its_picture(
    visit: Visit, hub: FakeHub, token: str
) -> None:
    waits = "forklift 2.0 waits: it asks for state:64, which is not granted; 1.0 runs"
    hub.set_camera("yard", live=True, state="running", message=waits)
    module = ModuleStatus("forklift", "1.0", asleep=True, counters=(Counter("answers", 1200), Counter("faults", 0)))
    hub.cameras = [replace(camera, modules=(module,)) for camera in hub.cameras]
    page = await visit.open(token)
    card = page.locator(".camera", has_text="yard")
    await expect(card.locator(".notice")).to_have_text(waits)
    await card.locator("summary").click()
    await expect(card.locator("details")).to_contain_text("forklift 1.0, asleep: answers 1,200")
    hub.set_camera("yard", live=True, state="running")
    await expect(card.locator(".notice")).to_be_hidden()


async def test_what_a_camera_says_is_text_and_never_markup(visit: Visit, hub: FakeHub, token: str) -> None:
    message = "<img src=x onerror=alert(1)>"
    hub.set_camera("yard", live=False, state="stalled", message=message)
    page = await visit.open(token)
    await expect(page.locator(".camera", has_text="yard").locator(".cover")).to_have_text(f"yard is stalled. {message}")
    assert await page.locator(".cover img").count() == 0
