"""A clip plays in a real browser: headless Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from camera_edge.encode import ClipEncoder
from camera_edge.picture import Picture

MakePicture = Callable[..., Picture]
CHROMIUM = shutil.which("chromium")

PLAY = """async () => {
  const video = document.querySelector('video');
  const ended = new Promise((done, failed) => {
    video.onended = done;
    video.onerror = () => failed(new Error(video.error.message));
  });
  await video.play();
  await ended;
  return [video.videoWidth, video.videoHeight, video.duration, video.getVideoPlaybackQuality().totalVideoFrames];
}"""


@pytest.fixture
def page() -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("needs Debian's chromium")
    quiet = ["--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*quiet, "--disable-sync"])
        try:
            yield browser.new_page()
        finally:
            browser.close()


def test_a_browser_plays_the_clip_to_its_end(tmp_path: Path, make_picture: MakePicture, page: Page) -> None:
    with ClipEncoder(tmp_path / "clip.mp4", 321, 241) as encoder:
        for step in range(20):
            encoder.write(make_picture(321, 241, step), step * 40_000 + step % 3 * 9_000)
    (tmp_path / "page.html").write_text("<video muted src='clip.mp4'></video>")
    page.goto((tmp_path / "page.html").as_uri())
    width, height, duration_s, frames = page.evaluate(PLAY)
    assert (width, height) == (320, 240)
    assert duration_s == pytest.approx(encoder.close().duration_us / 1e6, abs=0.001)
    assert frames >= 10
