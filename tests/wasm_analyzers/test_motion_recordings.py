"""`motion` on real recordings; the figures are those that a change must not lose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.sandbox import Answer

Gray = NDArray[np.uint8]
VIEW_WIDTH = 320


class Running(Protocol):
    def look(self, gray: Gray, media_us: int) -> Answer: ...


OpenModule = Callable[..., Running]


def read_frames(path: Path, every: int) -> Iterator[tuple[int, int, Gray]]:
    """Number, media time and the view of every n-th frame."""
    capture = cv2.VideoCapture(str(path))
    rate = capture.get(cv2.CAP_PROP_FPS)
    number = 0
    while True:
        there, bgr = capture.read()
        if not there:
            return
        if number % every == 0:
            yield number, round(number * 1e6 / rate), view_of(np.asarray(bgr, np.uint8))
        number += 1


def view_of(bgr: NDArray[np.uint8]) -> Gray:
    gray = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    height = (gray.shape[0] * VIEW_WIDTH + gray.shape[1] // 2) // gray.shape[1]
    if gray.shape[1] > VIEW_WIDTH:
        gray = cv2.resize(gray, (VIEW_WIDTH, height), interpolation=cv2.INTER_LINEAR_EXACT)
    return np.asarray(gray, np.uint8)


def mask_of(answer: Answer) -> NDArray[np.bool_]:
    assert answer.mask is not None
    return answer.mask.pixels > 0


def watch(open_module: OpenModule, path: Path, every: int) -> Iterator[tuple[int, Answer]]:
    frames = read_frames(path, every)
    number, media_us, view = next(frames)
    running = open_module("motion", view.shape[::-1])
    yield number, running.look(view, media_us)
    for number, media_us, view in frames:
        yield number, running.look(view, media_us)


def test_outlines_on_a_highway_are_better_than_opencvs(open_module: OpenModule, recordings: Path) -> None:
    """CDnet 2014 `highway`: 0.777 with MOG2, 0.877 with KNN, both with a 5x5 median (here frames 470 to 1000)."""
    folder = recordings / "cdnet_highway"
    running = open_module("motion", (320, 240))
    right = wrong = missed = 0
    for number in range(1, 1001):
        bgr = cv2.imread(str(folder / "input" / f"in{number:06}.jpg"))
        assert bgr is not None
        answer = running.look(view_of(np.asarray(bgr, np.uint8)), number * 40_000)
        if number < 470:
            continue
        truth = cv2.imread(str(folder / "groundtruth" / f"gt{number:06}.png"), cv2.IMREAD_GRAYSCALE)
        assert truth is not None
        assert answer.mask is not None
        outline, valid, moving = answer.mask.foreground > 0, (truth != 85) & (truth != 170), truth == 255
        right += int((outline & moving & valid).sum())
        wrong += int((outline & ~moving & valid).sum())
        missed += int((~outline & moving & valid).sum())
    assert 2 * right / (2 * right + wrong + missed) > 0.94


def test_the_mask_hides_everyone_on_a_square_and_leaves_most_of_it_open(
    open_module: OpenModule, recordings: Path
) -> None:
    folder = recordings / "opencv_vtest"
    truth: dict[int, list[tuple[float, ...]]] = {}
    for line in (folder / "PETS09-S2L1_gt.txt").read_text().splitlines():
        frame, _, x, y, w, h = (float(value) for value in line.split(",")[:6])
        # of the 768 x 576 original
        truth.setdefault(int(frame) - 1, []).append(tuple(value * VIEW_WIDTH / 768 for value in (x, y, x + w, y + h)))
    people = hidden = 0
    open_parts = []
    for number, answer in watch(open_module, folder / "vtest.mp4", every=2):
        mask = mask_of(answer)
        if mask.all():
            assert number < 60
            continue
        open_parts.append(1 - mask.mean())
        for left, top, right, bottom in truth.get(number, []):
            part = mask[max(round(top), 0) : round(bottom), max(round(left), 0) : round(right)]
            if part.size:
                people += 1
                hidden += part.mean() >= 0.6
    assert people > 2000
    assert hidden / people > 0.99
    assert np.mean(open_parts) > 0.8


@pytest.mark.parametrize("start", [0, 300, 560, 1000, 1100])
def test_who_stands_at_a_table_is_hidden_even_from_the_start(
    open_module: OpenModule, recordings: Path, start: int
) -> None:
    """From 300 on someone stands there while the scene is learned."""
    path = recordings / "intel_sample_videos" / "one-by-one-person-detection.mp4"
    present = [(61, 194), (228, 445), (506, 696), (745, 865), (925, 1194), (1235, 1358)]
    frames = [frame for frame in read_frames(path, every=2) if frame[0] >= start]
    running = open_module("motion", frames[0][2].shape[::-1])
    table = (slice(20, 150), slice(160, 210))
    for number, media_us, view in frames:
        answer = running.look(view, media_us - frames[0][1])
        if any(first + 20 <= number <= last - 20 for first, last in present):
            assert mask_of(answer)[table].mean() > 0.6, f"frame {number}"


def test_cars_are_reported_and_dips_of_the_exposure_are_not(open_module: OpenModule, recordings: Path) -> None:
    path = recordings / "intel_sample_videos" / "car-detection.mp4"
    cars = [(57, 104), (185, 236), (318, 345)]
    tracks = set()
    for number, answer in watch(open_module, path, every=1):
        tracks |= {observation.track for observation in answer.observations}
        assert len(answer.observations) <= 4
        if not any(first - 10 <= number <= last + 15 for first, last in cars):
            assert answer.observations == (), f"frame {number}"
    assert 3 <= len(tracks) <= 8


@pytest.mark.parametrize("every", [1, 2, 3])
def test_trees_in_the_wind_are_not_reported_and_who_comes_is(
    open_module: OpenModule, recordings: Path, every: int
) -> None:
    """Someone comes at frame 242, 16 seconds after the first."""
    path = recordings / "wallflower_wavingtrees" / "wavingtrees_160x120.mp4"
    counts = {number: len(answer.observations) for number, answer in watch(open_module, path, every)}
    assert sum(count for number, count in counts.items() if number < 241) == 0
    assert all(count for number, count in counts.items() if 247 <= number <= 256)
