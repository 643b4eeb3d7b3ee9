from __future__ import annotations

from pathlib import Path

import pytest

from camera_edge.errors import UsageError
from camera_edge.eval.cdnet import find_labelled
from tests.eval.drawn import person, write_images


def test_frames_go_with_the_labels_of_their_number_within_the_times_that_count(tmp_path: Path) -> None:
    write_images(tmp_path / "a" / "input", [person(None)] * 12, "in", "jpg")
    write_images(tmp_path / "a" / "groundtruth", [person(0)] * 12, "gt")
    (tmp_path / "a" / "temporalROI.txt").write_text("3 11")
    (recording,) = find_labelled(tmp_path)
    assert recording.name == "a"
    assert sorted(recording.labels) == list(range(3, 12))
    assert recording.labels_of(1) is None
    labels = recording.labels_of(2)
    assert labels is not None and labels.name == "gt000003.png"
    assert recording.labels_of(11) is None
    assert recording.region is None


def test_labels_without_frames_are_a_clear_error(tmp_path: Path) -> None:
    write_images(tmp_path / "groundtruth", [person(0)], "gt")
    with pytest.raises(UsageError, match="no frames beside it"):
        find_labelled(tmp_path)


@pytest.mark.parametrize("text", ["", "1", "a b"])
def test_times_that_are_none_are_a_clear_error(tmp_path: Path, text: str) -> None:
    write_images(tmp_path / "input", [person(None)], "in")
    write_images(tmp_path / "groundtruth", [person(0)], "gt")
    (tmp_path / "temporalROI.txt").write_text(text)
    with pytest.raises(UsageError, match="two numbers"):
        find_labelled(tmp_path)


def test_a_folder_with_nothing_of_the_kind_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_labelled(tmp_path)
    assert "groundtruth/" in (caught.value.hint or "")
    with pytest.raises(UsageError, match="no such folder"):
        find_labelled(tmp_path / "nowhere")
