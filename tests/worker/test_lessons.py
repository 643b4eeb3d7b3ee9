"""What is said of too little material, and of recordings that are not as they should be, when `normality` is taught."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from camera_edge.config import CameraConfig
from camera_edge.worker import lessons
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.lessons import Learned, Recording, teach

SIZE, FPS, FRAMES = (128, 96), 5, 60


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds in which three people walk past a wall."""
    path = tmp_path_factory.mktemp("street") / "street.avi"
    texture = np.random.default_rng(5).integers(110, 190, (SIZE[1] // 8, SIZE[0] // 8), np.uint8)
    empty = cv2.resize(texture, SIZE, interpolation=cv2.INTER_LINEAR)
    noise = np.random.default_rng(6)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, SIZE)
    for number in range(FRAMES):
        picture = np.array(empty, np.uint8)
        for who in range(3):
            x, y = round(40 * who + (9 + who) * number / FPS) % (SIZE[0] + 20) - 10, 70 + 4 * who
            cv2.ellipse(picture, (x, y - 12), (4, 12), 0, 0, 360, 45, -1)
        noisy = np.clip(picture + noise.normal(0, 1.5, picture.shape), 0, 255).astype(np.uint8)
        writer.write(cv2.cvtColor(noisy, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def taught(sandboxing: Sandboxing, *paths: Path) -> Learned:
    recordings = []
    for path in paths:
        settings = CameraConfig.model_validate({"source": str(path), "rate": "native"}).settings()
        recordings.append(Recording(str(path), settings))
    *_, last = teach(recordings, sandboxing)
    assert isinstance(last, Learned)
    return last


def test_too_little_material_is_said_with_how_much_it_was(sandboxing: Sandboxing, street: Path) -> None:
    learned = taught(sandboxing, street)
    assert learned.frames == FRAMES
    assert learned.warnings == ("only 60 frames of 12 s were learned from: give some minutes",)


@pytest.mark.parametrize(("wanted", "warnings"), [((121, 20), 1), ((100, 30), 1), ((120, 23), 0)])
def test_frames_and_time_of_all_recordings_count_together(
    sandboxing: Sandboxing, street: Path, monkeypatch: pytest.MonkeyPatch, wanted: tuple[int, int], warnings: int
) -> None:
    monkeypatch.setattr(lessons, "ENOUGH_FRAMES", wanted[0])
    monkeypatch.setattr(lessons, "ENOUGH_US", wanted[1] * 1_000_000)
    assert len(taught(sandboxing, street, street).warnings) == warnings


def test_what_is_wrong_with_a_recording_is_said_once_for_all_passes(
    sandboxing: Sandboxing, street: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.avi"
    data = bytearray(street.read_bytes())
    for at in (0.4, 0.5, 0.6):
        place = round(at * len(data))
        data[place : place + 3000] = bytes(3000)
    damaged.write_bytes(data)
    said = taught(sandboxing, damaged).warnings
    assert len(said) == 2
    assert said[0].startswith("only ") and "damaged.avi: " in said[1] and "what decoded was used" in said[1]


def test_of_many_warnings_few_are_kept(
    sandboxing: Sandboxing, street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "WARNINGS_MAX", 1)
    damaged = tmp_path / "damaged.avi"
    damaged.write_bytes(street.read_bytes()[:-20_000])
    assert len(taught(sandboxing, damaged).warnings) == 1
