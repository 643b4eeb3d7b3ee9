"""The page in a real browser: it can be read on every screen, asks for nothing, and nothing in it runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from camera_edge.dossier import page
from tests.dossier.made import dossier, event, source

CHROMIUM = shutil.which("chromium")
EVIL = '<script>document.title = "run"</script><img src="https://192.0.2.1/x.png" onerror="document.title = \'run\'">'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Debian's chromium")
    quiet = ["--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=[*quiet, "--disable-sync"])
        try:
            yield launched
        finally:
            launched.close()


@pytest.fixture
def written(tmp_path: Path) -> Path:
    found = source(event(0, kind=EVIL, why=EVIL), event(5), text=EVIL * 3, faults=(EVIL,))
    path = tmp_path / "found.html"
    path.write_bytes(page(dossier(found, source(event(1)))))
    return path


@pytest.mark.parametrize("width_px", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_as_wide_as_the_screen_and_asks_for_nothing(
    browser: Browser, written: Path, scheme: str, width_px: int
) -> None:
    dark = scheme == "dark"
    with browser.new_context(
        color_scheme="dark" if dark else "light", viewport={"width": width_px, "height": 800}
    ) as context:
        opened = context.new_page()
        asked: list[str] = []
        complaints: list[str] = []
        opened.on("request", lambda request: asked.append(request.url))
        opened.on("console", lambda message: complaints.append(message.text))
        opened.goto(written.as_uri())
        assert [url for url in asked if not url.startswith("data:")] == [written.as_uri()]
        assert complaints == []
        assert opened.title() == "camera-edge: what was found"
        assert opened.evaluate("document.documentElement.scrollWidth") == width_px
        # the style is let in by its hash
        paper = opened.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == ("rgb(18, 21, 23)" if dark else "rgb(246, 247, 247)")
        assert opened.evaluate("[...document.images].every((each) => each.naturalWidth === 64)")


def test_a_bar_of_the_timeline_leads_to_its_event(browser: Browser, written: Path) -> None:
    opened = browser.new_page()
    opened.goto(written.as_uri())
    opened.click("#s1 .timeline a")
    assert opened.evaluate("location.hash") == f"#e1-{1:016x}"
    assert opened.evaluate("document.querySelector(':target .why').textContent") == "person in gate for 0.4 s"
    opened.close()


def test_it_reads_without_scripts_and_prints(browser: Browser, written: Path) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        opened = context.new_page()
        opened.goto(written.as_uri())
        assert opened.get_by_text("person in gate for 0.4 s").count() == 2
        assert opened.pdf().startswith(b"%PDF")
