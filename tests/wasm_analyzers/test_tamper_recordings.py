"""`tamper` on real recordings at the default rate, untouched and tampered with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.eval.picturefile import frames
from camera_edge.eval.tampering import Kind, synthesise
from camera_edge.sandbox import Answer

Gray = NDArray[np.uint8]


class Running(Protocol):
    def look(self, gray: Gray, media_us: int) -> Answer: ...


OpenModule = Callable[..., Running]


def view_of(bgr: NDArray[np.uint8]) -> Gray:
    height, width = bgr.shape[:2]
    luma = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)[:height]
    if width > 320:
        luma = cv2.resize(luma, (320, (height * 320 + width // 2) // width), interpolation=cv2.INTER_LINEAR_EXACT)
    return np.ascontiguousarray(luma, np.uint8)


def told(open_module: OpenModule, pictures: Iterator[NDArray[np.uint8]], hz: float) -> list[tuple[float, str]]:
    running: Running | None = None
    found = []
    for number, bgr in enumerate(pictures):
        running = running or open_module("tamper", (bgr.shape[1], bgr.shape[0]))
        answer = running.look(view_of(bgr), round(number / hz * 1e6))
        found += [(number / hz, str(each.attributes["what"])) for each in answer.observations]
    return found


@pytest.mark.parametrize(
    ("name", "every", "hz"),
    [
        ("intel_sample_videos/car-detection.mp4", 3, 25 / 6),
        ("wallflower_wavingtrees/wavingtrees_160x120.mp4", 3, 5.0),
        ("intel_sample_videos/bottle-detection.mp4", 6, 179 / 36),
    ],
)
def test_untouched_recordings_give_no_alarm(
    open_module: OpenModule, recordings: Path, name: str, every: int, hz: float
) -> None:
    assert told(open_module, islice(frames(recordings / name), 0, None, every), hz) == []


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("name", ["opencv_vtest/vtest.mp4", "ucsd_ped2/mp4/testing_01.mp4"])
def test_each_kind_is_found_within_three_seconds(
    open_module: OpenModule, recordings: Path, kind: Kind, name: str
) -> None:
    shown = list(islice(frames(recordings / name), 0, 70, 2))
    alarms = told(open_module, iter([*shown[:20], *synthesise(kind, shown[20:], 5, seed=1)]), 5)
    assert alarms
    assert 4 <= alarms[0][0] <= 7
