"""Makes the pictures of README.md from a real run of the demo: its page in Chromium, and frames of its first clip."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
RUN_S = 42


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = [sys.executable, "-m", "camera_edge", "demo", "--for", str(RUN_S), "--out", str(out), "--port", "0"]
        demo = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        assert demo.stderr is not None
        address = next(match[0] for line in demo.stderr if (match := re.search(r"http://\S+", line)))
        photograph(address, wait_s=RUN_S - 8)
        demo.communicate()
        strip(sorted(out.glob("clips/yard/*/*.mp4"))[0])


def photograph(address: str, wait_s: float) -> None:
    """The page while it plays, with the events so far."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1180, "height": 860})
        page.goto(address)
        time.sleep(wait_s)
        page.screenshot(path=str(HERE / "page.png"))
        browser.close()


def strip(clip: Path) -> None:
    """Three moments of a clip, side by side."""
    capture = cv2.VideoCapture(str(clip))
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    pictures = []
    for moment in (0.25, 0.5, 0.75):
        capture.set(cv2.CAP_PROP_POS_FRAMES, int(count * moment))
        pictures.append(cv2.resize(capture.read()[1], (480, 270), interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(HERE / "clip.jpg"), np.hstack(pictures), [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
